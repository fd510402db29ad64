/** Takes out of a text what must not leave this node: patterns of secrets, and the very secrets that are installed here. */
import { redact } from "#cli/errors";
import type { HostReader } from "../host/host.ts";
import type { FileId } from "../resources/file.ts";

const patterns: readonly [RegExp, string][] = [
  // In base64, as kubeconfigs embed it: BEGIN RSA PRIVATE KEY, BEGIN PRIVATE KEY, BEGIN EC PRIVATE KEY.
  [/LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFUR|BQUklWQVRF|BFQyBQUklWQVRF)[A-Za-z0-9+/=]*/g, "[private key]"],
  [/\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g, "[token]"],
  [
    /((?:client-key-data|[\w-]*token|password|passwd|auth_pass|secret)["']?\s*[:=]\s*)"[^"\n]{4,}"/gi,
    '$1"[credential]"',
  ],
  [
    /((?:client-key-data|[\w-]*token|password|passwd|auth_pass|secret)["']?\s*[:=]\s*)(?![["'{])[^\s"',}\]]{4,}/gi,
    "$1[credential]",
  ],
  [/(\bBearer\s+)[\w.~+/=-]{8,}/gi, "$1[token]"],
];

/** A function that hides; it knows every sensitive file among `files` that can be read. */
export async function hider(host: HostReader, files: readonly FileId[]): Promise<(text: string) => string> {
  const secrets = new Set<string>();
  for (const { path } of files.filter(({ sensitive }) => sensitive)) {
    for (const secret of secretsIn((await host.read(path)) ?? "")) secrets.add(secret);
  }
  // The longest first, so that no part of one is left.
  const known = [...secrets].toSorted((a, b) => b.length - a.length);
  return (text) => {
    const without = known.reduce((result, secret) => result.replaceAll(secret, "[secret]"), text);
    return patterns.reduce((result, [pattern, name]) => result.replace(pattern, name), redact(without));
  };
}

const shortest = 6;

/** The values in a sensitive file: lines of private keys, credentials of kubeconfigs, tokens; a file of one line whole. */
export function secretsIn(text: string): string[] {
  const found: string[] = [];
  for (const [block] of text.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g)) {
    found.push(...block.split("\n").slice(1, -1));
  }
  for (const [, name = "", value = ""] of text.matchAll(/^\s*-?\s*([\w-]+):\s*"?([^\s"]+)"?\s*$/gm)) {
    if (!/^(client-key-data|token|password|secret)$/.test(name)) continue;
    found.push(value);
    if (name === "client-key-data") found.push(...secretsIn(Buffer.from(value, "base64").toString("utf8")));
  }
  const lines = text.trim().split("\n");
  if (lines.length === 1) found.push(...(lines[0]?.split(",").slice(0, 1) ?? []));
  return found.map((secret) => secret.trim()).filter((secret) => secret.length >= shortest);
}
