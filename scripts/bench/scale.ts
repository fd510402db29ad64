/** What a cluster of 1, 10, 100 and 1000 nodes takes of time and bytes, with programs that are stand-ins; docs/scale.svg. */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeStandInRelease } from "../../test/fakes/stand-in-release.ts";
import { logPlot } from "./plot.ts";
import type { Row } from "./row.ts";
import { folder, fresh, kubeferry, measured } from "./runs.ts";

const sizes = [1, 10, 100, 1000];

export async function* scale(): AsyncGenerator<Row> {
  const dir = join(folder, "scale");
  fresh(dir);
  const platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
  const release = await writeStandInRelease(dir, "kubernetes-1.36", { platform });
  mkdirSync(join(dir, "installers"));
  writeFileSync(join(dir, "installers/install"), "#!/bin/sh\nexit 0\n");
  writeFileSync(join(dir, `installers/install-${platform.replace("/", "-")}`), "a stand-in\n");
  const seconds: Record<string, number[]> = { build: [], render: [], verify: [], inspect: [] };
  const bytes: number[] = [];
  for (const count of sizes) {
    const config = join(dir, `scale-${count}.yaml`);
    const nodes = Array.from({ length: count }, (_, at) => ({
      name: `n${at}`,
      ip: `10.64.${at >> 8}.${at & 255}`,
      roles: at === 0 ? ["etcd", "master", "worker"] : ["worker"],
    })).map((node) => (node.name === "n0" ? { ...node, ip: "10.64.250.1" } : node));
    const host = { provides: ["/bin/sh"] };
    const network = { pods: "172.16.0.0/12" };
    writeFileSync(config, JSON.stringify({ name: `scale-${count}`, release, nodes, network, host }));
    const bundle = join(dir, `scale-${count}.tar`);
    const store = ["--cache", join(dir, "store"), "--offline"];
    const build = ["build", config, "-o", bundle, "--force", ...store, "--installers", join(dir, "installers")];
    // The first one makes keys and certificates, once in a cluster's life.
    const first = await measured(kubeferry, build);
    yield row(`${count} nodes: first build, with all keys`, first, null);
    const commands: Record<string, readonly string[]> = {
      build,
      render: ["render", config, "-o", join(dir, `rendered-${count}`), ...store],
      verify: ["verify", bundle],
      inspect: ["inspect", bundle],
    };
    for (const [name, argv] of Object.entries(commands)) {
      const run = await measured(kubeferry, argv);
      seconds[name]?.push(run.seconds);
      yield row(`${count} nodes: ${name}`, run, name === "render" && count === 1000 ? 20 : null);
    }
    bytes.push(statSync(bundle).size);
  }
  const each = ((bytes.at(-1) ?? 0) - (bytes[0] ?? 0)) / ((sizes.at(-1) ?? 1) - 1) / 1000;
  const unit = { name: "scale", theirs: null, ratio: null, memory: null };
  yield { ...unit, against: "bytes a node, of 1000", ours: each, unit: "KB", goal: 40 };
  const svg = logPlot("Seconds of kubeferry's commands by nodes of a cluster", "nodes", "s", sizes, seconds);
  writeFileSync(join(import.meta.dirname, "../../docs/scale.svg"), svg);
}

function row(against: string, { seconds, memory }: { seconds: number; memory: number }, goal: number | null): Row {
  return { name: "scale", against, ours: seconds, theirs: null, ratio: null, unit: "s", memory, goal };
}
