/**
 * etcd started once as something that its unit does not say: as a new member of a cluster that runs, or as the only one of
 * a cluster that is made of its data. In a transient unit, which no boot and no restart repeats; the unit itself follows.
 */
import { ExpectedError } from "#cli/errors";
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import { isActive, reload, start, stop, unitFolder } from "../host/systemd.ts";
import { answerOf } from "./object-answer.ts";
import { type EtcdStart, type EtcdWords, isUnknown, type Unknown } from "./resource.ts";

const unit = "etcd.service";
const once = "kubeferry-etcd.service";

interface Member {
  /** 16 hex digits. */
  readonly id: string;
  /** Empty: added, and never started. */
  readonly name: string;
  readonly peerURLs: readonly string[];
}

/** May only look. Unknown: not installed yet, so that nobody can be asked. APPLY_FAILED where the other members do not answer. */
export async function etcdStart(host: HostReader, as: EtcdStart, client: EtcdWords): Promise<Unknown | Effect[]> {
  const text = await host.read(`${unitFolder}/${unit}`);
  if (text === null) return { unknown: `${unit} is not there yet` };
  if (await isActive(host, unit)) return [];
  const words = execStart(text);
  if (as === "force-new-cluster") {
    return [...transient([...words, "--force-new-cluster"]), start("start", unit)];
  }
  if ((await host.stat(`${valueOf(words, "data-dir")}/member`)) !== null) return [start("start", unit)];
  const [name, url] = [valueOf(words, "name"), valueOf(words, "initial-advertise-peer-urls")];
  const initial = valueOf(words, "initial-cluster").split(",");
  const others = otherEndpoints(initial, name, valueOf(words, "advertise-client-urls"));
  const asked = { ...client, argv: atEndpoints(client.argv, others) };
  const members = await membersOf(host, asked);
  const former = members.filter(({ peerURLs }) => peerURLs.includes(url));
  const isAdded = former.some((one) => one.name === "");
  const run = (...more: string[]): Effect => ({
    do: "run",
    argv: [...asked.argv, "member", ...more],
    environment: asked.environment,
    timeoutSeconds: 60,
    // Members that have seen each other for less than five seconds take no other.
    retry: "unhealthy cluster",
  });
  const removals = isAdded ? [] : former.map(({ id }) => run("remove", id));
  const additions = isAdded ? [] : [run("add", name, `--peer-urls=${url}`)];
  const rest = members.filter((one) => !former.includes(one) && one.name !== "");
  const cluster = [...rest.map((one) => `${one.name}=${one.peerURLs[0]}`), `${name}=${url}`].join(",");
  const joining = replaced(words, { "initial-cluster": cluster, "initial-cluster-state": "existing" });
  return [...removals, ...additions, ...transient(joining), start("start", unit)];
}

/** Waits until etcd says that it serves, and ends it again. */
function transient(words: readonly string[]): Effect[] {
  const properties = ["Type=notify", "TimeoutStartSec=300", "LimitNOFILE=65536"].map((one) => `--property=${one}`);
  const argv = ["systemd-run", `--unit=${once}`, ...properties, "--", ...words];
  return [reload, ...stop(once), { do: "run", argv, timeoutSeconds: 330 }, ...stop(once)];
}

/** The words of ExecStart, of a unit as Kubeferry writes it. */
export function execStart(text: string): string[] {
  const line = /^ExecStart=(.*)$/m.exec(text.replaceAll("\\\n", " "))?.[1] ?? "";
  return line.split(/\s+/).filter((word) => word !== "");
}

/** All that follows the first `=`. */
export function valueOf(words: readonly string[], flag: string): string {
  return words.find((word) => word.startsWith(`--${flag}=`))?.slice(flag.length + 3) ?? "";
}

function replaced(words: readonly string[], values: Readonly<Record<string, string>>): string[] {
  const kept = words.filter((word) => !Object.keys(values).some((name) => word.startsWith(`--${name}=`)));
  return [...kept, ...Object.entries(values).map(([name, value]) => `--${name}=${value}`)];
}

/** Of the members that the unit names besides this one, on the port on which this one serves. */
export function otherEndpoints(initial: readonly string[], name: string, advertised: string): string[] {
  const port = URL.canParse(advertised.split(",")[0] ?? "") ? new URL(advertised.split(",")[0] ?? "").port : "2379";
  return initial
    .filter((pair) => !pair.startsWith(`${name}=`))
    .map((pair) => new URL(pair.slice(pair.indexOf("=") + 1)))
    .map((url) => `https://${url.hostname}:${port}`);
}

function atEndpoints(argv: readonly string[], endpoints: readonly string[]): string[] {
  return argv.map((word) => (word.startsWith("--endpoints=") ? `--endpoints=${endpoints.join(",")}` : word));
}

/** One that answers is enough: the others are asked in turn. */
async function membersOf(host: HostReader, client: EtcdWords): Promise<Member[]> {
  const members = await askMembers(host, client);
  if (!isUnknown(members)) return members;
  throw new ExpectedError("APPLY_FAILED", `the other members of etcd do not answer: ${members.unknown}`, {
    where: client.argv.find((word) => word.startsWith("--endpoints=")),
    hint: "where most members are lost there is nothing to join: ./install restore-etcd --help",
  });
}

/** Unknown where nobody answers, with etcdctl's own words. */
export async function askMembers(host: HostReader, { argv, environment }: EtcdWords): Promise<Member[] | Unknown> {
  const { code, stdout, said } = await answerOf(host, [...argv, "member", "list", "-w", "json"], environment);
  return code === 0 ? readMembers(stdout) : { unknown: said };
}

/** IDs are 64-bit numbers, larger than JavaScript's: read as text. */
export function readMembers(json: string): Member[] {
  const exact = json.replaceAll(/"(ID|member_id|cluster_id|raft_term)":(\d+)/g, '"$1":"$2"');
  const { members } = JSON.parse(exact) as { members: { ID: string; name?: string; peerURLs: string[] }[] };
  return members.map(({ ID, name = "", peerURLs }) => ({ id: BigInt(ID).toString(16), name, peerURLs }));
}
