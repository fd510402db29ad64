/** Who and what a transaction is about, and whether one that was cut off is the one that is asked for again. */
import {
  type Bundle,
  type BundleIndex,
  type CertificateEntry,
  type CheckEntry,
  isSignaturePath,
  type Role,
} from "#bundle";
import { ExpectedError } from "#cli/errors";
import { version } from "#cli/version";
import type { Context } from "../context.ts";
import type { Host } from "../host/host.ts";
import type { Header } from "../journal/journal.ts";
import type { Transaction } from "../journal/transaction.ts";
import { replaceTokens } from "../plan/contents.ts";
import { chosen } from "../plan/input.ts";
import { type Selection, tokenValues } from "../plan/select.ts";
import { type Installation, rolesOf } from "./installation.ts";

/** A header before the journal's folder is made. */
export type PendingHeader = Omit<Header, "made">;

/** For installing a node of `bundle`; `upgrades`: over another bundle. */
export function headerOf(
  bundle: Bundle,
  selection: Selection,
  host: Pick<Host, "live">,
  upgrades: boolean,
  { command }: Pick<Context, "command">,
): PendingHeader {
  const { index } = bundle;
  const values = tokenValues(selection);
  const tokens = [...values.keys()];
  const fill = (text: string): string => replaceTokens(text, { tokens, path: "the index" }, values);
  const checks = chosen(index.checks, selection).map((check): CheckEntry => ({ ...check, argv: check.argv.map(fill) }));
  const files = chosen(index.files, selection);
  const firstUse = files.filter(({ origin }) => origin.from === "artifact" && origin.pinnedBy === "first-use").length;
  const mirrored = files.filter(({ origin }) => origin.from === "artifact" && origin.pinnedBy === "mirror").length;
  const plain = index.secrets.some(({ node, sealed }) => node === selection.profile.name && !sealed);
  return {
    command,
    ...(upgrades ? { action: "upgrade" } : {}),
    bundle: {
      payload: bundle.payloadDigest,
      where: bundle.where,
      cluster: index.cluster.name,
      release: index.release.name,
      locked: index.locked,
      kubernetes: index.release.kubernetes,
      components: index.release.components,
    },
    node: { profile: selection.profile.name, name: selection.name, ip: selection.ip, iface: selection.iface },
    roles: selection.roles,
    platform: selection.platform,
    live: host.live,
    alone: index.nodes.filter(({ roles }) => roles.includes("etcd")).length <= 1,
    others: { etcd: othersOf(bundle.index, selection, "etcd"), master: othersOf(bundle.index, selection, "master") },
    installer: version(),
    notes: [
      signatureNote(bundle),
      ...(plain ? ["this node's secrets travelled unencrypted (--plaintext-secrets)"] : []),
      ...(mirrored > 0 ? [`${mirrored} files have a digest that only a mirror vouched for (pinned by mirror)`] : []),
      ...(firstUse > 0 ? [`${firstUse} files have a digest that was trusted on first use`] : []),
    ],
    checks,
    certificates: certificatesOf(bundle.index, selection),
    written: chosen(index.written ?? [], selection).map(({ certificate, ...entry }) =>
      certificate === undefined
        ? entry
        : { ...entry, certificate: { ...certificate, commonName: fill(certificate.commonName) } },
    ),
  };
}

function othersOf({ nodes }: BundleIndex, { profile }: Selection, role: Role): string[] {
  return nodes.filter(({ name, roles }) => name !== profile.name && roles.includes(role)).map(({ name }) => name);
}

/** For what brings no software: as the newest that speaks for the host, `last`, for the roles and with the checks of all. */
export function headerOver(
  last: Header,
  { current, host }: Installation,
  what: Pick<PendingHeader, "command" | "action" | "notes" | "renewedFrom" | "restoredFrom">,
): PendingHeader {
  const { made: _, ...base } = last;
  const checks = current.flatMap(({ header }) => header.checks);
  return { ...base, ...what, roles: rolesOf(current), installer: version(), live: host.live, checks };
}

function signatureNote({ signatures, source }: Bundle): string {
  const keys = signatures.map(({ key }) => key).join(" and ");
  if (keys !== "") return `the bundle was signed with key ${keys}, which was checked before it was installed`;
  if (![...source.members.keys()].some(isSignaturePath)) return "the bundle was not signed";
  return "the bundle was signed, but nobody asked with which key: ./install audit --public-key KEY checks it";
}

/** Whether a transaction that is on the host did, or began, the very thing that is wanted. */
export function isSame({ header, state }: Transaction, pending: PendingHeader): boolean {
  const key = ({ bundle, node, roles, renewedFrom, restoredFrom }: PendingHeader): string =>
    JSON.stringify([bundle.payload, node, roles, renewedFrom ?? null, restoredFrom ?? null]);
  return state !== "gone" && key(header) === key(pending);
}

/** The transaction that a crash or a Ctrl-C left, if it is the one that is asked for. PREFLIGHT where it is another. */
export function resumable(past: readonly Transaction[], header: PendingHeader): Transaction | null {
  const left = past.find(({ state }) => state === "open" || state === "undoing");
  if (left === undefined) return null;
  if (left.state === "open" && isSame(left, header)) return left;
  const what = left.state === "open" ? "an installation" : "an undo";
  throw new ExpectedError("PREFLIGHT", `${what} of ${left.header.node.name} was interrupted and must be ended first`, {
    where: `transaction ${left.id} of ${left.at}: ${left.header.command}`,
    hint: left.state === "open" ? "run that command again, or ./install undo" : "./install undo",
  });
}

/** Certificates that this node's files hold; the index names them for every node of the cluster. */
function certificatesOf(
  { certificates, files }: BundleIndex,
  selection: Selection,
): Pick<CertificateEntry, "path" | "subject">[] {
  const paths = new Set(chosen(files, selection).map(({ path }) => path));
  return certificates
    .filter(({ node, path }) => node === selection.profile.name && paths.has(path))
    .map(({ path, subject }) => ({ path, subject }));
}
