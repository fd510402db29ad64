/** Fifty hosts from one bastion: real sshds on this machine, each with a root of its own, into which `./install` goes. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { nodeFiles, writeNodeBundle } from "../../test/builders/node-bundle.ts";
import { Fleet } from "../../test/servers/fleet.ts";
import type { Row } from "./row.ts";
import { dist, kubeferry, measured } from "./runs.ts";

const count = 50;
const size = 20_000_000;
const parallel = 10;

export async function* pushing(): AsyncGenerator<Row> {
  const fleet = new Fleet();
  try {
    const installer = join(dist, `install-linux-${process.arch === "arm64" ? "arm64" : "amd64"}`);
    const launcher = `#!/bin/sh\nhere=$(dirname "$0")\nexec '${installer}' "$@" --bundle "$here"\n`;
    const files = [...nodeFiles, { path: "/opt/ferry/share/large", content: randomBytes(size) }];
    await writeNodeBundle(fleet.at("bundle.tar"), { files, launcher });
    const authorized = fleet.key("id");
    const names = Array.from({ length: count }, (_, at) => `w${at}`);
    for (const name of names) await fleet.start(name, authorized);
    fleet.hostsFile(names.map((name, at) => fleet.line(name, { ip: `10.0.0.${100 + at}` })));
    const argv = ["push", fleet.at("bundle.tar"), "--hosts", fleet.at("hosts.yaml"), "--parallel", `${parallel}`];
    for (const [what, more] of [
      ["carried and installed", ["--install"]],
      ["again, nothing lacks", ["--install"]],
      ["audited", ["--audit"]],
    ] as const) {
      const { seconds, memory } = await measured(kubeferry, [...argv, ...more]);
      const against = `${count} hosts, ${size / 1e6} MB each, --parallel ${parallel}: ${what}`;
      yield { name: "push", against, ours: seconds, theirs: null, ratio: null, unit: "s", memory, goal: null };
    }
  } finally {
    await fleet.close();
  }
}
