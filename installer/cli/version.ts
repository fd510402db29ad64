/** Kubeferry's version: put in by scripts/compile.ts, or read from package.json when run from source. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

declare const KUBEFERRY_VERSION: string | undefined;

export function version(): string {
  if (typeof KUBEFERRY_VERSION === "string") return KUBEFERRY_VERSION;
  const text = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
