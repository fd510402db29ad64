/** Effects in words: stable lines for people (and for golden tests), and records for machines. */
import { formatMode } from "#cli/quantities";
import type { Reporter } from "#cli/reporter";
import type { Effect, Owner } from "../host/effect.ts";
import { commandOf } from "../host/systemd.ts";

/** One line. Contents are named by the first 12 digits of their digest, never shown. */
export function describeEffect(effect: Effect): string {
  switch (effect.do) {
    case "mkdir":
      return `mkdir     ${describeMode(effect)} ${effect.path}`;
    case "keep":
      return `keep      ${effect.path} (sha256 ${effect.digest.slice(0, 12)})`;
    case "write": {
      const { content } = effect;
      const what =
        "text" in content
          ? `${Buffer.byteLength(content.text)} bytes`
          : `${content.size} bytes, sha256 ${content.digest.slice(0, 12)}`;
      return `write     ${describeMode(effect)} ${effect.path} (${what})`;
    }
    case "sign":
      return `sign      0600 ${effect.path} (${effect.user}, in ${effect.group}, for minutes)`;
    case "restore":
      return `restore   ${describeMode(effect)} ${effect.path} (sha256 ${effect.digest.slice(0, 12)})`;
    case "symlink":
      return `symlink   ${effect.path} -> ${effect.target}`;
    case "move":
      return `move      ${effect.path} -> ${effect.to}`;
    case "set":
      return `set       ${effect.path} = ${effect.value}`;
    case "systemctl":
      return `run       ${commandOf(effect).argv.join(" ")}`;
    case "run": {
      const lines =
        effect.input
          ?.trim()
          .split("\n")
          .filter((line) => !/^(\*|COMMIT$)/.test(line)) ?? [];
      return `run       ${effect.argv.join(" ")}${lines.length === 0 ? "" : ` (${lines.length} lines: ${lines[0]} …)`}`;
    }
    case "end": {
      const how = effect.graceSeconds === 0 ? "SIGKILL" : `SIGTERM, after ${effect.graceSeconds} s SIGKILL`;
      return `end       ${effect.processes.map(({ pid, what }) => `${pid} ${what}`).join(", ")} (${how})`;
    }
    case "nft": {
      const { family, table, chain, comment, rules } = effect;
      return `nft       ${family} ${table} ${chain}: ${rules.join(", ") || "no rules"} (comment "${comment}")`;
    }
    case "set-aside":
    case "remove":
    case "rmdir-if-empty":
    case "remove-tree":
    case "umount":
      return `${effect.do.padEnd(9)} ${effect.path}`;
  }
}

/** Tells an effect to people, and to machines with its phase. */
export function tellEffect(effect: Effect, phase: string, reporter: Reporter): void {
  reporter.record("effect", { phase, ...effectRecord(effect) });
  reporter.info(`  ${describeEffect(effect)}`);
}

/** The effect as a record: as it is, but without the text of a host's own file. */
export function effectRecord(effect: Effect): Record<string, unknown> {
  if (effect.do === "write" && "text" in effect.content) {
    return { ...effect, content: { size: Buffer.byteLength(effect.content.text) } };
  }
  return { ...effect };
}

function describeMode({ mode, owner }: { mode: number; owner: Owner }): string {
  return `${formatMode(mode)} ${owner.uid}:${owner.gid}`;
}
