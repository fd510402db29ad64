/** What a node that lives has beside what is installed: files that its programs write, folders in which pods grow. */
import * as z from "zod";
import { isCleanAbsolute } from "./clean-path.ts";
import { selector } from "./selector.ts";

/** Where on a node: absolute, normalized, no `..`, no control characters. */
export const nodePath = z.string().refine(isCleanAbsolute, "wants a clean absolute path");

/** What programs of the node write by design into folders of ours, beside what is installed. */
export const written = z.strictObject({
  /** A file, or a folder with all below it. One `*` in the last part stands for any characters. */
  path: nodePath.refine((text) => /^[^*]*(\/[^*/]*\*[^*/]*)?$/.test(text), "wants at most one *, in its last part"),
  /** Who writes it: `kubelet`. */
  by: z.string(),
  /** Opens doors of the cluster: nobody but its owner may read it, and undo removes it always. */
  credential: z.boolean(),
  /** It is a certificate with its key, signed by the CA in this file for this subject; tokens in the name are replaced. */
  certificate: z.strictObject({ authority: nodePath, commonName: z.string(), organization: z.string() }).optional(),
  /** A kubeconfig that is to trust the CAs in this file. */
  trusts: nodePath.optional(),
  for: selector,
});

/** Where daemons keep what pods are made of: undo takes back what grows there. Null: none of ours. */
export const pods = z.strictObject({
  kubelet: nodePath.nullable(),
  containerd: nodePath.nullable(),
  docker: nodePath.nullable(),
  for: selector,
});

export type WrittenEntry = z.infer<typeof written>;
