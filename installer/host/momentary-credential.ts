/** The credential of an effect: for as long as the few programs run that it is made for. */
import { X509Certificate } from "node:crypto";
import { ExpectedError } from "#cli/errors";
import { clientKubeconfig } from "../certificates/client-kubeconfig.ts";
import { readKubeconfig } from "../certificates/kubeconfig.ts";
import { beginning } from "../certificates/reissue.ts";
import type { Effect } from "./effect.ts";

const minutes = 10;

/** Text of a kubeconfig. `read` gives a file of the host. PKI_INVALID where a file is not there, or the key is another's. */
export async function momentaryCredential(
  { like, authority, user, group }: Effect & { do: "sign" },
  read: (path: string) => string | null,
): Promise<string> {
  const needed = (path: string): string => {
    const text = read(path);
    if (text !== null) return text;
    throw new ExpectedError("PKI_INVALID", "what signs a credential for the moment is not there", { where: path });
  };
  const { server } = readKubeconfig(needed(like));
  if (server === null) throw new ExpectedError("PKI_INVALID", "the kubeconfig names no server", { where: like });
  const pair = { certificate: needed(authority.certificate), key: needed(authority.key) };
  const now = new Date();
  const notBefore = beginning(new X509Certificate(pair.certificate), now);
  const notAfter = new Date(now.getTime() + minutes * 60_000);
  return (await clientKubeconfig({ user, groups: [group], server, authority: pair, notBefore, notAfter })).kubeconfig;
}
