/** The answers that `kubeferry init` needs, from flags or from questions. */
import { type Role, roles } from "#bundle";
import { ExpectedError } from "#kit/errors";
import type { InitAnswers } from "./init.ts";

/** `kubeferry init --name plant-7 --node n1=10.0.0.11:etcd,master --workers 10.0.0.0/24 …`. */
export interface InitFlags {
  readonly name?: string;
  readonly release?: string;
  /** Each `NAME=IP:ROLE,ROLE`. */
  readonly node?: readonly string[];
  readonly platform?: readonly string[];
  readonly workers?: string;
  readonly services?: string;
  readonly pods?: string;
  readonly plugin?: string;
  readonly endpoint?: string;
  /** `ADDRESS,INTERFACE` */
  readonly vip?: string;
  readonly runtime?: string;
}

/** Asks a person one question; an empty answer is the default that the question shows. */
export type Ask = (question: string, preset: string) => Promise<string>;

const defaults = { name: "cluster-1", release: "distro", nodes: "n1=10.0.0.11:etcd,master,worker" };

/** From flags alone: what is not given keeps its default. Throws USAGE for a flag that cannot be read. */
export function answersFromFlags(flags: InitFlags): InitAnswers {
  const { name, release, node, platform, workers, vip, services, pods, plugin, endpoint, runtime } = flags;
  return {
    name: name ?? defaults.name,
    release: release ?? defaults.release,
    nodes: (node ?? [defaults.nodes]).map(parseNode),
    ...(platform !== undefined && { platforms: platform }),
    ...(workers !== undefined && { workersSubnet: workers }),
    ...(services !== undefined && { services }),
    ...(pods !== undefined && { pods }),
    ...(plugin !== undefined && { plugin }),
    ...((endpoint ?? vip) !== undefined && { endpoint: endpoint ?? "vip" }),
    ...(vip !== undefined && { vip: parseVip(vip) }),
    ...(runtime !== undefined && { runtime }),
  };
}

/** Asks for what the flags leave open. Throws USAGE for an answer that cannot be read. */
export async function askAnswers(flags: InitFlags, ask: Ask, releases: readonly string[]): Promise<InitAnswers> {
  const name = flags.name ?? (await ask("Name of the cluster", defaults.name));
  const release = flags.release ?? (await ask(`Release (${releases.join(", ")})`, defaults.release));
  const node = flags.node ?? (await ask("Nodes, each NAME=IP:ROLE,ROLE, by spaces", defaults.nodes)).split(/\s+/);
  const workers = flags.workers ?? (await ask("Network whose addresses may become workers (- for none)", "-"));
  return answersFromFlags({ ...flags, name, release, node, ...(workers !== "-" && { workers }) });
}

function parseNode(text: string): InitAnswers["nodes"][number] {
  const match = /^([^=\s]+)=([\d.]+):([a-z,-]+)$/.exec(text);
  const chosen = (match?.[3] ?? "").split(",").map((role) => (role === "control-plane" ? "master" : role));
  if (match?.[1] === undefined || match[2] === undefined || !chosen.every(isRole)) {
    throw new ExpectedError("USAGE", `cannot read the node ${text}`, {
      wanted: `NAME=IP:ROLE,ROLE with the roles ${roles.join(", ")}`,
      found: text,
      hint: "kubeferry init --node n1=10.0.0.11:etcd,master",
    });
  }
  return { name: match[1], ip: match[2], roles: chosen };
}

function isRole(text: string): text is Role {
  return roles.some((role) => role === text);
}

function parseVip(text: string): { address: string; interface: string } {
  const [address, name, ...rest] = text.split(",");
  if (address === undefined || address === "" || name === undefined || name === "" || rest.length > 0) {
    throw new ExpectedError("USAGE", `cannot read the shared address ${text}`, {
      wanted: "ADDRESS,INTERFACE",
      found: text,
      hint: "kubeferry init --vip 10.0.0.10,eth0",
    });
  }
  return { address, interface: name };
}
