/** A store of blobs in a folder, for tests of what stands before the store: it checks digests and sizes as the real one does. */
import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Digest } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { BlobStore } from "../../builder/fetch/image-source.ts";

export interface FolderStore extends BlobStore {
  /** Digests that are there, sorted. */
  list(): string[];
}

export function createFolderStore(folder: string): FolderStore {
  mkdirSync(folder, { recursive: true });
  let count = 0;
  return {
    path: (digest) => join(folder, digest),
    has: (digest) => Promise.resolve(existsSync(join(folder, digest))),
    list: () => readdirSync(folder).toSorted(),
    async put(bytes, expected = {}) {
      const temporary = join(folder, `.${(count += 1)}`);
      const hash = createHash("sha256");
      let size = 0;
      try {
        await pipeline(
          bytes,
          async function* (source) {
            for await (const chunk of source) {
              hash.update(chunk);
              size += chunk.length;
              yield chunk;
            }
          },
          // Opened now: a stream that opens it later may make it anew after it was removed.
          createWriteStream(temporary, { fd: openSync(temporary, "w") }),
        );
        const digest = hash.digest("hex") as Digest;
        const wanted = expected.digest ?? digest;
        if (wanted !== digest) throw new ExpectedError("DIGEST_MISMATCH", "other bytes", { wanted, found: digest });
        const wantedSize = expected.size ?? size;
        if (wantedSize !== size) throw new ExpectedError("SIZE_MISMATCH", `${size} bytes instead of ${wantedSize}`);
        renameSync(temporary, join(folder, digest));
        return { digest, size };
      } finally {
        rmSync(temporary, { force: true });
      }
    },
  };
}
