/** What a node's firewall must let through, each in a word. */
import type { BundleIndex } from "#bundle";
import { eachOf } from "#formats/address";
import { chosen } from "./input.ts";
import type { Selection } from "./select.ts";

/** `6443/tcp`, `30000-32767/udp`, `protocol 4`; where pods run, what is forwarded: `from 172.30.0.0/16`, `to 172.30.0.0/16`. */
export function openings({ host, cluster, pods }: BundleIndex, selection: Selection): string[] {
  const { ports, protocols = [] } = host.firewall;
  const forwards = chosen(pods === undefined ? [] : [pods], selection).some(({ kubelet }) => kubelet !== null);
  const words = [
    ...chosen(ports, selection).map(({ port, protocol }) => `${port}/${protocol}`),
    ...chosen(protocols, selection).map(({ protocol }) => `protocol ${protocol}`),
    ...(forwards ? eachOf(cluster.podCidr).flatMap((pods) => [`from ${pods}`, `to ${pods}`]) : []),
  ];
  return [...new Set(words)];
}
