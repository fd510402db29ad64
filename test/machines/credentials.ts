/** Files of a machine that may open the API server, and whether they do. */
import { workloadFolder } from "./workload.ts";
import type { Host } from "./host.ts";

export interface Credential {
  readonly path: string;
  readonly kind: "kubeconfig" | "key";
}

/** The operator's own: the stick and the keys that open its secrets. */
const brought =
  "-path /mnt -o -path /srv -o -path /media -o -path /root/cluster.keys -o -path /proc -o -path /sys -o -path /dev";
const marks = '(BEGIN [A-Z ]*PRIVATE KEY|client-key-data:|client-key:|^ *token: |^ *"?token"?:)';

/** Every file of any file system that looks like a key or a kubeconfig, wherever it lies. */
export async function credentialsOn(machine: Host): Promise<Credential[]> {
  const find = `find / \\( ${brought} \\) -prune -o -type f -size -1000k -print0`;
  const said = await machine.run(`${find} | xargs -0 -r grep -lE '${marks}' -- 2> /dev/null || true`);
  const kinds = await Promise.all(
    said
      .split("\n")
      .filter((path) => path !== "" && !path.startsWith("/usr/"))
      .map(async (path): Promise<Credential> => {
        const isKubeconfig = (await machine.run(`grep -c '^clusters:' ${path} || true`)).trim() !== "0";
        return { path, kind: isKubeconfig ? "kubeconfig" : "key" };
      }),
  );
  return kinds.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Whether the API server answers whoever has copies of these files: the master's kubectl is given each kubeconfig, with the
 * other files at the places that it names (below a root of their own).
 */
export async function worksWith(
  master: Host,
  credentials: readonly Credential[],
  copies: readonly string[],
): Promise<boolean> {
  const root = `${workloadFolder}/stolen`;
  await master.run(`rm -rf ${root}; mkdir -p ${root}`);
  for (const [place, { path }] of credentials.entries()) {
    // Whom the server is does not matter here: only whom it takes the caller for.
    const text = (copies[place] ?? "")
      .replaceAll(/^ *certificate-authority(-data)?:.*$/gm, "")
      .replaceAll(/(?<=\s)\/(etc|var)\//g, `${root}/$1/`);
    // The newest of its dated certificates is the one that the kubelet's link led to.
    const names = [path, path.replace(/-\d{4}(-\d\d){5}\.pem$/, "-current.pem")];
    for (const name of new Set(names)) {
      await master.run(`umask 077; mkdir -p $(dirname ${root}${name}); cat > ${root}${name}`, { input: text });
    }
  }
  let opened = false;
  for (const { path } of credentials.filter(({ kind }) => kind === "kubeconfig")) {
    const ask = `/usr/local/bin/kubectl --kubeconfig=${root}${path} --insecure-skip-tls-verify get --raw /api/v1/nodes/n3`;
    const { code } = await master.exec(["/bin/bash", "-c", ask]);
    opened ||= code === 0;
  }
  await master.run(`rm -rf ${root}`);
  return opened;
}
