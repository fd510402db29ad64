/** `./install admin`: on a master, a person's own way into the cluster, for days: a client certificate in a kubeconfig. */
import { X509Certificate } from "node:crypto";
import { lstatSync } from "node:fs";
import { writeNew } from "#bundle";
import { ExpectedError } from "#cli/errors";
import { clientKubeconfig } from "../certificates/client-kubeconfig.ts";
import { adminKubeconfig } from "../certificates/kubeconfig.ts";
import { kubeconfigOf } from "../certificates/kubelet-client.ts";
import { beginning, openAuthority, type Pair } from "../certificates/reissue.ts";
import type { Context } from "../context.ts";
import type { HostReader } from "../host/host.ts";
import { hostOf } from "../transaction/installation.ts";

export interface AdminRequest {
  readonly root: string;
  /** Name in the cluster: RBAC and the audit log know this one. */
  readonly user: string;
  readonly days: number;
  readonly groups: readonly string[];
  /** Null: what this master's own kubeconfig has. */
  readonly server: string | null;
  /** Absolute; nothing may be there. */
  readonly output: string;
  readonly dryRun: boolean;
}

/** Bound to cluster-admin by an object of the cluster, which can be taken away: unlike system:masters. */
export const administrators = "kubeadm:cluster-admins";

const longest = 90;
/** Of all generations; only masters have ca-key.pem in one of them. */
const folders = ["/etc/kubernetes/pki", "/etc/kubernetes/cert", "/etc/kubernetes/ssl"];
const day = 86_400_000;

/**
 * Signs with the CA of this master, so that no API server need run. USAGE for names that are the cluster's own, where
 * this is no master or where something lies at `output`; PKI_INVALID for a CA that can sign nothing now.
 */
export async function admin(request: AdminRequest, { reporter, now }: Context): Promise<void> {
  const { user, groups, output, dryRun } = request;
  refuseWrongRequest(request);
  const host = hostOf(request.root);
  const { authority, server } = await authorityOn(host);
  const { ca } = openAuthority(authority);
  const notBefore = beginning(ca, now());
  const notAfter = new Date(Math.min(now().getTime() + request.days * day, ca.validToDate.getTime()));
  if (notAfter <= notBefore || now() < ca.validFromDate) throw notNow(ca, now());
  const until = notAfter.toISOString();
  if (dryRun) {
    reporter.record("credential", { output, user, groups, notAfter: until, fingerprint: null });
    reporter.info(`${output} would be written: ${user}, in ${groups.join(", ")}, until ${until}`);
    return;
  }
  const spec = { user, groups, server: request.server ?? server, authority, notBefore, notAfter };
  const { kubeconfig, certificate } = await clientKubeconfig(spec);
  await writeNew(output, kubeconfig, 0o600);
  const fingerprint = new X509Certificate(certificate).fingerprint256.replaceAll(":", "").toLowerCase();
  reporter.record("credential", { output, user, groups, notAfter: until, fingerprint });
  reporter.info(`${output}: ${user}, in ${groups.join(", ")}, until ${until}, X509SHA256=${fingerprint}`);
  reporter.info(`Whoever has this file is ${user}. Kubernetes revokes no certificate; what its groups may, RBAC says.`);
  if (groups.includes("system:masters")) {
    reporter.warn("system:masters passes every check of RBAC, and nothing in the cluster can take that away");
  }
}

function refuseWrongRequest({ user, groups, days, server, output }: AdminRequest): void {
  const name = /^[A-Za-z0-9][A-Za-z0-9:._@-]{0,62}$/;
  const wrong = [user, ...groups].find((one) => !name.test(one));
  if (wrong !== undefined) {
    throw new ExpectedError("USAGE", "a user or group has letters, digits and : . _ @ - in it, 63 at most", {
      found: wrong,
    });
  }
  const taken = [user, ...groups].find((one) => one.startsWith("system:") && one !== "system:masters");
  if (taken !== undefined || user === "system:masters") {
    throw new ExpectedError("USAGE", "names that begin with system: are the cluster's own", {
      found: taken ?? user,
      hint: "a name of your own, with a ClusterRoleBinding or RoleBinding for it",
    });
  }
  if (days > longest) {
    throw new ExpectedError("USAGE", "a person's credential lives for days", {
      expected: `1 to ${longest}`,
      found: String(days),
    });
  }
  if (server !== null && !/^https:\/\/[^/@?#]+\/?$/.test(server)) {
    throw new ExpectedError("USAGE", "--server is no address of an API server", {
      expected: "https://HOST:PORT",
      found: server,
    });
  }
  if (lstatSync(output, { throwIfNoEntry: false }) !== undefined) {
    const hint = "rm it, or name another: --output FILE";
    throw new ExpectedError("USAGE", "a credential overwrites nothing, and something is there", {
      where: output,
      hint,
    });
  }
}

/** The CA that this master's own kubeconfig trusts, with its key, and the address that is in it. */
async function authorityOn(host: HostReader): Promise<{ readonly authority: Pair; readonly server: string }> {
  const { server = null, authority = null } = (await kubeconfigOf(host, adminKubeconfig)) ?? {};
  for (const folder of folders) {
    const [certificate, key] = [await host.read(`${folder}/ca.pem`), await host.read(`${folder}/ca-key.pem`)];
    if (certificate === null || certificate !== authority || key === null || server === null) continue;
    return { authority: { certificate, key }, server };
  }
  throw new ExpectedError("USAGE", "no key of the Kubernetes CA is on this host: only masters have it", {
    where: folders.map((folder) => `${folder}/ca-key.pem`).join(", "),
    hint: "run it on a master, as root",
  });
}

function notNow({ validFrom, validTo }: X509Certificate, now: Date): ExpectedError {
  return new ExpectedError("PKI_INVALID", "the Kubernetes CA of this master can sign nothing that holds now", {
    expected: `a time from ${validFrom} to ${validTo}`,
    found: now.toISOString(),
    hint: "date; ./install certificates",
  });
}
