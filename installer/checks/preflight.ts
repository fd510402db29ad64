/** Is this host fit for what the plan will do to it? Every check answers, all answers are told at once. */
import { statfsSync } from "node:fs";
import type { Bundle } from "#bundle";
import { formatBytes } from "#kit/reporter";
import type { Facts } from "../host/facts.ts";
import type { HostReader } from "../host/host.ts";
import { inside } from "../host/inside.ts";
import type { Transaction } from "../journal/transaction.ts";
import type { FileSpec } from "../operations/file.ts";
import type { Plan } from "../operations/operation.ts";
import type { Selection } from "../plan/select.ts";
import type { Finding } from "./check.ts";
import { upgradeChecks } from "./upgrade.ts";

export interface PreflightInput {
  readonly host: HostReader;
  readonly facts: Facts;
  readonly bundle: Pick<Bundle, "index" | "payloadDigest">;
  readonly selection: Selection;
  readonly plan: Plan;
  readonly past: readonly Transaction[];
  readonly now: Date;
}

export type Check = (input: PreflightInput) => Finding[] | Promise<Finding[]>;

const checks: readonly Check[] = [privilege, systemd, cluster, space, upgradeChecks];

export async function preflight(input: PreflightInput): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await check(input)));
  return findings;
}

function privilege({ facts, host }: PreflightInput): Finding[] {
  if (!host.live) return [];
  return [
    facts.uid === 0
      ? ok("root", "runs as root")
      : { check: "root", severity: "error", message: "only root can change this host", hint: "sudo ./install …" },
  ];
}

function systemd({ facts, host }: PreflightInput): Finding[] {
  if (!host.live) return [];
  if (facts.systemd) return [ok("systemd", "systemd runs this host")];
  const hint = "install into a tree instead: ./install … --root DIR";
  return [{ check: "systemd", severity: "error", message: "systemd does not run this host", hint }];
}

/** A host that belongs to another cluster is not silently made a member of this one. */
function cluster({ past, bundle }: PreflightInput): Finding[] {
  const other = past.find(
    ({ state, header }) => state !== "gone" && header.bundle.cluster !== bundle.index.cluster.name,
  );
  if (other === undefined) return [ok("cluster", "the host belongs to no other cluster")];
  return [
    {
      check: "cluster",
      severity: "error",
      message: "the host already belongs to another cluster",
      wanted: bundle.index.cluster.name,
      found: other.header.bundle.cluster,
      hint: "./install undo",
    },
  ];
}

/** What the bundle needs for each file system: staged contents (all of them), then copies where links cannot be made. */
function space({ host, plan }: PreflightInput): Finding[] {
  const files = plan.phases.flatMap(({ operations }) => operations.filter(({ kind }) => kind === "file"));
  const contents = new Map(files.map(({ spec }) => [(spec as FileSpec).digest, (spec as FileSpec).size]));
  const state = room(host.root, "/var/lib/kubeferry");
  const needs = new Map([[state.id, { ...state, bytes: [...contents.values()].reduce((sum, size) => sum + size, 0) }]]);
  for (const { spec } of files) {
    const { path, size } = spec as FileSpec;
    const target = room(host.root, path);
    if (target.id === state.id) continue;
    const need = needs.get(target.id) ?? { ...target, bytes: 0 };
    needs.set(target.id, { ...need, bytes: need.bytes + size });
  }
  const margin = 64 * 1024 * 1024;
  return [...needs.values()].map(({ where, free, bytes }): Finding => {
    const wanted = formatBytes(bytes + margin);
    if (free >= bytes + margin) return ok("disk-space", `${where} has room`);
    const message = `the file system of ${where} is too small`;
    return {
      check: "disk-space",
      severity: "error",
      message,
      wanted,
      found: formatBytes(free),
      hint: `df -h ${where}`,
    };
  });
}

/** The file system that a path is on or would be on. */
function room(root: string, path: string): { id: string; where: string; free: number } {
  let where = inside(root, path);
  for (;;) {
    try {
      const { bavail, bsize, blocks, type, files } = statfsSync(where);
      return { id: [type, bsize, blocks, files, bavail].join(":"), where, free: bavail * bsize };
    } catch {
      where = where.slice(0, Math.max(1, where.lastIndexOf("/")));
    }
  }
}

function ok(check: string, message: string): Finding {
  return { check, severity: "ok", message };
}
