/** Which versions may follow which. Pure; the names of the findings are what `--skip-preflight` takes. */
import { error, type Finding, ok, warning } from "#cli/finding";
import { compareVersions, isSince, parseVersion } from "#formats/version";

/** As a bundle names them; null or absent where it has none, undefined also in journals of older installers. */
export interface Versions {
  readonly kubernetes?: string | null | undefined;
  readonly components?: Readonly<Record<string, string>> | undefined;
}

/** One minor version at a time, never back. */
export function kubernetesSkew(from: Versions, to: Versions): Finding[] {
  return step("kubernetes-skew", "Kubernetes", from.kubernetes, to.kubernetes);
}

/** Of a member: one minor version at a time, never back, and to 3.6 only from data that are right. */
export function etcdSkew(older: Versions, newer: Versions): Finding[] {
  const [from = "", to = ""] = [older.components?.["etcd"], newer.components?.["etcd"]];
  return step("etcd-skew", "etcd", from, to).map((finding) =>
    finding.severity === "ok" ? (staleMembers(from, to) ?? untilTheLastMember(finding, from, to)) : finding,
  );
}

/** From this patch on etcd puts right what 3.6 believes of the members and 3.5 did not (etcd.io, upgrade_3_6). */
const repaired = "3.5.26";

function staleMembers(from: string, to: string): Finding | null {
  if (!isSince(from, "3.5") || !isSince(to, "3.6") || compareVersions(from, repaired) >= 0) return null;
  const message = "etcd 3.6 may bring members back that this 3.5 has removed, or take away their votes";
  const hint = `upgrade with a bundle of etcd ${repaired} or a later 3.5 first, until every member is healthy`;
  return error("etcd-skew", message, { expected: `${repaired} or newer`, found: `${from} → ${to}`, hint });
}

/** etcd raises the version of its data when all members run the newer one; an older one then refuses to start. */
function untilTheLastMember(finding: Finding, from: string, to: string): Finding {
  const [old, next] = [parseVersion(from), parseVersion(to)];
  if (old === null || next === null || old.minor === next.minor) return finding;
  return {
    ...finding,
    severity: "warning",
    message: `${finding.message}: when every member runs ${next.major}.${next.minor}, rollback can no longer bring ${old.major}.${old.minor} back`,
    hint: "roll back before the last member is upgraded; the snapshot of before stays in /var/lib/kubeferry/snapshots",
  };
}

function step(check: string, name: string, from: string | null | undefined, to: string | null | undefined): Finding[] {
  const [old, next] = [parseVersion(from), parseVersion(to)];
  if (old === null || next === null) return [];
  const wrong = (message: string, expected: string, hint: string): Finding[] => [
    error(check, `${name} ${message}`, { expected, found: `${from} → ${to}`, hint }),
  ];
  if (next.major !== old.major) {
    return wrong("would change its major version", `${old.major}.x`, "read the release notes, and take a backup first");
  }
  if (next.minor < old.minor) {
    return wrong(
      "would go back by a minor version; its data may not be readable then",
      `${old.major}.${old.minor} or newer`,
      "./install rollback   takes the last upgrade back",
    );
  }
  if (next.minor > old.minor + 1) {
    return wrong(
      "would skip a minor version",
      `${old.major}.${old.minor + 1}`,
      `upgrade with a bundle of ${name} ${old.major}.${old.minor + 1} first`,
    );
  }
  if (next.minor === old.minor && next.patch < old.patch) {
    const message = `${name} goes back from ${from} to ${to}`;
    return [warning(check, message, { hint: "use the newer bundle, if this is not meant" })];
  }
  return [ok(check, `${name} ${from} → ${to}`)];
}

/** A kubelet must not be newer than any API server it may talk to. `server` null: nobody could say its version. */
export function kubeletSkew(kubelet: string | null | undefined, server: string | null): Finding[] {
  const check = "kubelet-skew";
  if (kubelet === null || kubelet === undefined || parseVersion(kubelet) === null) return [];
  const hint = "upgrade every master first; if that is done: --skip-preflight kubelet-skew";
  if (server === null || parseVersion(server) === null) {
    const message = "the API server does not say its version, and a kubelet must not be newer than it";
    return [error(check, message, { expected: `Kubernetes ${kubelet} on the masters`, hint })];
  }
  if (!isSince(server, kubelet)) {
    const message = "the kubelet would be newer than the API server";
    return [error(check, message, { expected: `${kubelet} or newer`, found: server, hint })];
  }
  return [ok(check, `the API server is of ${server}`)];
}
