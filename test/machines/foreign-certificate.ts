/** A stolen bootstrap token: what it gets from a real API server for a name that is not its node's. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import type { Machine } from "../../scripts/vm/machine.ts";
import { kubectl } from "./cluster-questions.ts";
import { eventually } from "./poll.ts";
import { workloadFolder } from "./workload.ts";

const name = "of-another-node";
const asToken = `/usr/local/bin/kubectl --kubeconfig=/etc/kubernetes/kubelet-bootstrap.kubeconfig --cache-dir=${workloadFolder}/token`;

/** The token of `machine`, which is master and worker, asks for the certificate of `other`: it is told, and nothing is given. */
export async function refusedForeignCertificate(machine: Machine, other: string): Promise<void> {
  const subject = `/O=system:nodes/CN=system:node:${other}`;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null"];
  const pem = execFileSync("openssl", ["req", "-new", ...key, "-subj", subject], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const request = {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name },
    spec: {
      request: pem.toString("base64"),
      signerName: "kubernetes.io/kube-apiserver-client-kubelet",
      usages: ["digital signature", "key encipherment", "client auth"],
    },
  };
  await machine.run(`${asToken} create --validate=false -f -`, { input: JSON.stringify(request) });
  await eventually(
    `the token of ${machine.name} is refused the certificate of ${other}`,
    () => machine.run(`journalctl -u kubeferry-approve --no-pager | grep '${name} is left' || true`),
    (said) => said.includes(`the bootstrap token of ${machine.name} asks for the certificate of ${other}`),
  );
  assert.match(await kubectl(machine, `get csr ${name} -o jsonpath={.status}`), /^(\{\})?$/);
  await kubectl(machine, `delete csr ${name}`);
}
