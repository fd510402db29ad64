/** All keys and certificates of a cluster of three masters, against cfssl making as many. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadClusterAndRelease } from "../../builder/config/load.ts";
import { topology } from "../../builder/config/topology.ts";
import { wantedAuthorities, wantedLeaves } from "../../builder/pki/certificates.ts";
import { requirePackages } from "../../test/programs/packages.ts";
import { type Comparison, timed } from "./compare.ts";
import { shell } from "./material.ts";
import { folder, fresh, ours } from "./runs.ts";

export async function certifying(): Promise<Comparison[]> {
  requirePackages("golang-cfssl");
  const config = join(folder, "certificates.yaml");
  const nodes = [1, 2, 3].map((n) => ({ name: `n${n}`, ip: `10.0.0.1${n}`, roles: ["etcd", "master", "worker"] }));
  const api = { endpoint: "first-master" };
  writeFileSync(config, JSON.stringify({ name: "certificates", release: "kubernetes-1.36", nodes, api }));
  const { cluster, manifest } = await loadClusterAndRelease(config);
  const derived = topology(cluster, manifest);
  const leaves = wantedLeaves(derived).length;
  const count = leaves + wantedAuthorities(derived).length;
  const there = join(folder, "cfssl");
  fresh(there);
  const request = (name: string) =>
    JSON.stringify({ CN: name, hosts: ["10.0.0.11", name], key: { algo: "rsa", size: 2048 } });
  writeFileSync(join(there, "request.json"), request("leaf"));
  writeFileSync(join(there, "ca.json"), request("ca"));
  execFileSync("sh", ["-c", "cfssl gencert -initca ca.json 2>/dev/null | cfssljson -bare ca"], { cwd: there });
  const one = "cfssl gencert -ca ca.pem -ca-key ca-key.pem request.json 2>/dev/null | cfssljson -bare $n";
  const pki = join(folder, "certificates.pki");
  const clean = (): void => rmSync(pki, { recursive: true, force: true });
  return [
    {
      name: "certificates",
      goal: 0.2,
      ours: { name: "kubeferry", prepare: clean, run: () => ours("certificates", config, pki) },
      theirs: [
        {
          name: `cfssl gencert, ${count} RSA keys and certificates`,
          run: () => timed(() => shell(`for n in $(seq ${count}); do ${one}; done`, there)),
        },
      ],
    },
  ];
}
