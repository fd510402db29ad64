/**
 * The host's own chrony or systemd-timesyncd, pointed at the operator's servers: a file of its configuration, and the
 * unit enabled and running. Which of them there is, only the host knows.
 */
import { type BundleIndex, digestOf } from "#bundle";
import type { HostReader } from "../host/host.ts";
import { isActive, unitFolder as folder, unitFolders as folders, unitName } from "../host/systemd.ts";
import { withBlock } from "../resources/block.ts";
import { goal } from "../resources/catalogue.ts";
import type { Goal, Phase } from "../resources/resource.ts";
import { type HostFile, ownText } from "./host-files.ts";
import type { PlanInput, TimeUnit } from "./input.ts";
import type { Selection } from "./select.ts";

export interface TimeSync {
  readonly unit: TimeUnit;
  /** What it reads beside its configuration. */
  readonly dropIn: HostFile | null;
}

/** Debian's name, Red Hat's, and systemd's own. */
export const timeUnits = ["chrony.service", "chronyd.service", "systemd-timesyncd.service"] as const;
/** They keep time as well, and are left alone. */
export const otherTimeUnits = ["ntp.service", "ntpd.service", "ntpsec.service", "openntpd.service"] as const;

const chronyConfigs = ["/etc/chrony/chrony.conf", "/etc/chrony.conf"];
const timesyncdFile = "/etc/systemd/timesyncd.conf.d/99-kubeferry.conf";

/** May only look. Null: the host is to keep what it has, or it has nothing that could be pointed anywhere. */
export async function findTimeSync(
  { host: spec }: BundleIndex,
  selection: Selection,
  host: HostReader,
): Promise<TimeSync | null> {
  const servers = spec.timeSync ?? [];
  const stopped = new Set(spec.stopServices.map((name) => unitName(name)));
  if (servers.length === 0) return null;
  for (const name of otherTimeUnits) if (host.live && !stopped.has(name) && (await isActive(host, name))) return null;
  const found: Candidate[] = [];
  for (const name of timeUnits) {
    const candidate = stopped.has(name) ? null : await look(host, name);
    if (candidate !== null) found.push(candidate);
  }
  const best = found.toSorted((a, b) => b.merit - a.merit)[0];
  return best === undefined ? null : configured(best, servers, selection, host);
}

/** The phase that starts it, once its file is in place. */
export function keepTime({ time, live, starts = true, owner }: PlanInput): Phase[] {
  if (time === null || time === undefined) return [];
  const { block, ...unit } = time;
  const goals: Goal[] = [
    ...(block === null ? [] : [goal("block", { ...block, owner: owner ?? { uid: 0, gid: 0 } })]),
    goal("unit", { ...unit, start: live && starts, noBlock: false }),
  ];
  return [{ name: "time", goals, gates: [] }];
}

interface Candidate {
  readonly daemon: Pick<TimeUnit, "name" | "file" | "links">;
  /** 3: it runs; 2: a boot starts it; 1: it is there; 0: it is there and masked. */
  readonly merit: number;
}

async function look(host: HostReader, name: string): Promise<Candidate | null> {
  let file: string | null = null;
  for (const place of folders) {
    if (file === null && (await host.stat(`${place}/${name}`))?.type === "file") file = `${place}/${name}`;
  }
  if (file === null) return null;
  const text = (await host.read(file)) ?? "";
  const targets = [...text.matchAll(/^WantedBy=(.*)$/gm)].flatMap((match) => (match[1] ?? "").trim().split(/\s+/));
  const links = targets.filter(Boolean).map((target) => `${folder}/${target}.wants/${name}`);
  const present = await Promise.all(links.map((path) => host.stat(path)));
  // Distributions name one file by two ways: /lib is /usr/lib. Theirs is kept.
  const named = present.find((stat) => stat?.type === "symlink" && stat.target.endsWith(`/systemd/system/${name}`));
  const merit = async (): Promise<number> => {
    if (host.live && (await isActive(host, name))) return 3;
    if ((await host.stat(`${folder}/${name}`))?.type === "symlink") return 0;
    return named === undefined ? 1 : 2;
  };
  const daemon = { name, file: named?.type === "symlink" ? named.target : file, links };
  return { daemon, merit: await merit() };
}

async function configured(
  { daemon }: Candidate,
  servers: readonly string[],
  selection: Selection,
  host: HostReader,
): Promise<TimeSync> {
  const withDropIn = (path: string, lines: readonly string[]): TimeSync => {
    const dropIn = ownText(path, lines, "the host's time", selection);
    return { unit: { ...daemon, block: null, restartOn: [{ path, digest: dropIn.file.digest }] }, dropIn };
  };
  if (daemon.name === "systemd-timesyncd.service") {
    // The empty ones forget the servers that were named before.
    return withDropIn(timesyncdFile, ["[Time]", "NTP=", `NTP=${servers.join(" ")}`, "FallbackNTP="]);
  }
  const lines = servers.map((server) => `server ${server} iburst`);
  const config = (await firstThere(host, chronyConfigs)) ?? chronyConfigs[0] ?? "";
  const text = (await host.read(config)) ?? "";
  const folder = /^\s*confdir\s+(\S+)/m.exec(text)?.[1];
  if (folder !== undefined) return withDropIn(`${folder.replace(/\/$/, "")}/99-kubeferry.conf`, lines);
  const digest = digestOf(withBlock(text, lines));
  const block = { path: config, lines };
  return { unit: { ...daemon, block, restartOn: [{ path: config, digest }] }, dropIn: null };
}

async function firstThere(host: HostReader, paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if ((await host.stat(path)) !== null) return path;
  return null;
}
