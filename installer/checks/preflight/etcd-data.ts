/** Preflight of etcd's data: a member starts from an empty directory, or from its own earlier data. */
import { error, type Finding, ok, warning } from "#cli/finding";
import type { HostReader } from "../../host/host.ts";
import { goalsIn, idsOf } from "../../resources/catalogue.ts";
import type { PreflightInput } from "./input.ts";

const check = "etcd-data";

/** Data of this very member, left by an undo or an attempt that failed, are its own: told, not refused. */
export async function etcdData({ host, selection, plan, past }: PreflightInput): Promise<Finding[]> {
  const { roles, profile } = selection;
  if (!roles.includes("etcd")) return [];
  if (past.some(({ state, header }) => state !== "gone" && header.roles.includes("etcd"))) {
    return [ok(check, "its own data")];
  }
  for (const { path } of idsOf("directory", goalsIn(plan))) {
    const logs = `${path}/member/wal`;
    if ((await host.stat(logs)) === null) continue;
    const found = `${path}/member`;
    const hint = `mv ${path} ${path}.before`;
    if (profile.member !== undefined && (await memberIn(host, logs, profile.member))) {
      const message = `data of an earlier installation of ${profile.name} in this cluster are here, and etcd goes on with them`;
      return [warning(check, message, { found, hint: `to begin anew instead: ${hint}` })];
    }
    const message = "data of another etcd are here, and etcd would take them for its own";
    return [error(check, message, { found, hint })];
  }
  return [ok(check, "no data of an earlier etcd")];
}

/** A segment of the log begins with a checksum and then whose it is: field 1, the member's ID as a varint. */
async function memberIn(host: HostReader, logs: string, member: string): Promise<boolean> {
  const [first] = (await host.list(logs)).filter((name) => name.endsWith(".wal"));
  if (first === undefined || !host.live) return false;
  const { stdout } = await host.query(["od", "-An", "-v", "-tx1", "-N", "64", `${logs}/${first}`]);
  return stdout.replaceAll(/\s/g, "").includes(`08${varint(BigInt(`0x${member}`))}`);
}

function varint(value: bigint): string {
  const more = value > 0x7fn;
  const byte = Number(value & 0x7fn) | (more ? 0x80 : 0);
  return byte.toString(16).padStart(2, "0") + (more ? varint(value >> 7n) : "");
}
