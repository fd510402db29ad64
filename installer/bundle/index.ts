/** The contract between builder and installer: both import this folder as `#bundle`, never each other. */
export { indexPath, secretPath } from "./consistency.ts";
export { isCleanAbsolute } from "./clean-path.ts";
export * from "./digest.ts";
export {
  partialOf,
  refusePresent,
  replaceFile,
  syncFolder,
  writeBeside,
  writeNew,
  writeNewFolder,
} from "./durable-file.ts";
export * from "./format.ts";
export { decodeIndex } from "./format-decode.ts";
export { createFrame, frameParameters, type FrameToMake } from "./frame-writer.ts";
export { blobPath, chunkSize, decodeFrame, release } from "./frames.ts";
export type { WrittenEntry } from "./living.ts";
export { type NodeNeeds, partsOfNode } from "./parts-of-node.ts";
export { type Member, type Source, readMember } from "./member.ts";
export { type IntegrityProblem, problemError } from "./problem.ts";
export { givenTrust, trustIn } from "./public-key.ts";
export { openTar } from "./tar-source.ts";
export { type Bundle, openBundle, secretFiles } from "./reader.ts";
export { isSealedFile, openSealedFile, sealFile } from "./sealed-file.ts";
export { openSecrets, parseKeyFile } from "./secrets.ts";
export {
  type PublicKey,
  commentPrefix,
  decodeLine,
  formatPublicKey,
  keyName,
  kindOfKey,
  malformed,
  parsePublicKey,
  parseSignature,
  prehash,
  publicKey,
} from "./signature.ts";
export { installerName, type Platform, platforms, type Role, roles, type Selector, selects } from "./selector.ts";
export { type GoodSignature, type Trust, checkTrust, furtherSignaturePath, isSignaturePath } from "./trust.ts";
export { decodeSums, encodeSums, signaturePath, sumsPath } from "./sums.ts";
export { encodeHeader, paddingOf } from "./tar-header.ts";
export { requireWhole, type VerifyOptions, verifyBundle } from "./verify.ts";
export { type TarMember, memberDigest, tarBytes, writeTar } from "./writer.ts";
export { inPool } from "./workers/pool.ts";
