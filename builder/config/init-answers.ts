/** The answers that `kubeferry init` needs, from flags or from questions. */
import { type Role, roles } from "#bundle";
import { ExpectedError, isExpected } from "#cli/errors";
import { clusterYaml, type InitAnswers } from "./init.ts";
import { parseCluster } from "./load.ts";
import { listReleases, loadRelease, newestRelease } from "./releases.ts";

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

/** A conversation with a person. */
export interface Dialogue {
  /** An empty answer is the preset that the question shows. */
  readonly ask: (question: string, preset: string) => Promise<string>;
  readonly tell: (text: string) => void;
}

const defaults = { name: "cluster-1", nodes: "n1=10.0.0.11:etcd,master,worker" };

/** From flags alone: what is not given keeps its default. Throws USAGE for a flag that cannot be read. */
export async function answersFromFlags(flags: InitFlags): Promise<InitAnswers> {
  const { name, node, platform, workers, vip, services, pods, plugin, endpoint } = flags;
  const release = flags.release ?? newestRelease();
  const runtime = flags.runtime ?? (await runtimeOf(release));
  return {
    name: name ?? defaults.name,
    release,
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

/** What is wrong with answers, as the file at `path` would be refused; empty: they make a cluster. */
export async function checkAnswers(answers: InitAnswers, path: string): Promise<readonly string[]> {
  try {
    await parseCluster(path, clusterYaml(answers));
    return [];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return error.problems.length > 0 ? error.problems.map(({ message }) => message) : [error.message];
  }
}

/** Asks for what makes a cluster one's own; an answer that cannot be taken is told, and asked for again. */
export async function askAnswers(path: string, { ask, tell }: Dialogue): Promise<InitAnswers> {
  let flags: InitFlags = {};
  const question = async (text: string, preset: string, take: (answer: string) => InitFlags): Promise<void> => {
    for (;;) {
      const wanted = { ...flags, ...take(await ask(text, preset)) };
      const problems = await problemsOf(wanted, path);
      if (problems.length === 0) {
        flags = wanted;
        return;
      }
      for (const problem of problems) tell(`  ${problem}`);
    }
  };
  await question("Name of the cluster", defaults.name, (name) => ({ name }));
  await question(`Release (${listReleases().join(", ")})`, newestRelease(), (release) => ({ release }));
  await question("Nodes, each NAME=IP:ROLE,ROLE, by spaces", defaults.nodes, (nodes) => ({ node: nodes.split(/\s+/) }));
  await question("Network whose addresses may become workers (- for none)", "-", (workers) =>
    workers === "-" ? {} : { workers },
  );
  return await answersFromFlags(flags);
}

async function problemsOf(flags: InitFlags, path: string): Promise<readonly string[]> {
  try {
    return await checkAnswers(await answersFromFlags(flags), path);
  } catch (error) {
    if (isExpected(error))
      return [`${error.message}${error.expected === undefined ? "" : `; expected: ${error.expected}`}`];
    throw error;
  }
}

/** Set only where the release lacks the usual one: before 1.16 there is only docker. */
async function runtimeOf(release: string): Promise<string | undefined> {
  try {
    const { components } = (await loadRelease(release)).manifest;
    const has = (runtime: string): boolean => components.some(({ name }) => name === runtime);
    return !has("containerd") && has("docker") ? "docker" : undefined;
  } catch (error) {
    // That it is unknown is told by whoever loads the whole file.
    if (isExpected(error)) return undefined;
    throw error;
  }
}

function parseNode(text: string): InitAnswers["nodes"][number] {
  const match = /^([^=\s]+)=([\da-fA-F.:]+):([a-z,-]+)$/.exec(text);
  const chosen = (match?.[3] ?? "").split(",").map((role) => (role === "control-plane" ? "master" : role));
  if (match?.[1] === undefined || match[2] === undefined || !chosen.every(isRole)) {
    throw new ExpectedError("USAGE", `cannot read the node ${text}`, {
      expected: `NAME=IP:ROLE,ROLE with the roles ${roles.join(", ")}`,
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
      expected: "ADDRESS,INTERFACE",
      found: text,
      hint: "kubeferry init --vip 10.0.0.10,eth0",
    });
  }
  return { address, interface: name };
}
