/** Scratch roots for `./install --root`: each call of the function that comes back makes an empty one in `folder`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";

export function freshRoots(folder: () => string): () => string {
  let count = 0;
  return () => {
    count += 1;
    const root = join(folder(), `root-${count}`);
    mkdirSync(join(root, "var/lib"), { recursive: true });
    return root;
  };
}
