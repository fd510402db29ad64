/**
 * `npm run kubernetes [OUT]`: real Kubernetes for the tests, of the distribution's own source package, and the images of
 * their pods. Nothing is asked for but apt's sources of this machine. The first time it takes five minutes of two cores and
 * 2 GB of disk; ever after it is a look into the cache. Prints the folder; with OUT, copies it there.
 *
 * The folder is what `kubeferry build --mirror` wants for release kubernetes-1.20:
 *
 *     kube-apiserver … kubectl, pause     the programs
 *     SHA256SUMS                          their digests, which `kubeferry lock` reads
 *     images/localhost/pause, …/smoke     images as OCI layouts
 */
import { cpSync } from "node:fs";
import { runMain } from "#cli/main";
import { kubernetes } from "./kubernetes/kubernetes.ts";

runMain(async () => {
  const [out] = process.argv.slice(2);
  const folder = await kubernetes((said) => process.stderr.write(`${said}\n`));
  if (out !== undefined) cpSync(folder, out, { recursive: true });
  process.stdout.write(`${out ?? folder}\n`);
  return 0;
});
