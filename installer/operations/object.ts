/**
 * Something in a running cluster, brought about by a program of the bundle: a manifest applied, a key put into etcd, a
 * label put on a node. The cluster answers only after its daemons started, so each is looked at again when its turn
 * comes; what was there then is what undo restores, and what nobody could be asked about is left for another run.
 */
import type { Effect } from "../host/effect.ts";
import type { HostReader } from "../host/host.ts";
import * as etcd from "./object-etcd.ts";
import * as kubectl from "./object-kubectl.ts";
import * as label from "./object-label.ts";
import type { ObjectSpec, Unseen } from "./object-spec.ts";
import type { Kind } from "./operation.ts";

export type ObjectBefore = Unseen | kubectl.ManifestBefore | etcd.KeyBefore | label.LabelBefore;

export const object: Kind<ObjectSpec, ObjectBefore> = {
  resource: (spec) => (spec.via === "label" ? `label ${spec.key} of node ${spec.node}` : `object ${spec.name}`),
  describe(spec) {
    const what = {
      kubectl: () => `objects of ${spec.name}`,
      etcd2: () => `key ${keyIn(spec)} in etcd`,
      etcd3: () => `key ${keyIn(spec)} in etcd`,
      label: () => `label ${keyIn(spec)} of ${spec.name}`,
    }[spec.via]();
    return spec.live ? what : `${what} (brought about at the first ./install on the running host)`;
  },
  async inspect(host: HostReader, spec) {
    if (!spec.live) return { state: "unseen", why: "the host does not run" };
    if (spec.via === "kubectl") return kubectl.inspect(host, spec);
    return spec.via === "label" ? label.inspect(host, spec) : etcd.inspect(host, spec);
  },
  forward(spec, before): Effect[] {
    if (!spec.live) return [];
    if (spec.via === "kubectl") return kubectl.forward(spec, before as Unseen | kubectl.ManifestBefore);
    if (spec.via === "label") return label.forward(spec, before as Unseen | label.LabelBefore);
    return etcd.forward(spec, before as Unseen | etcd.KeyBefore);
  },
  backward(spec, before): Effect[] {
    // Never looked at is never touched.
    if (!spec.live || before.state === "unseen") return [];
    if (spec.via === "kubectl") return kubectl.backward(spec, before as kubectl.ManifestBefore);
    if (spec.via === "label") return label.backward(spec, before as label.LabelBefore);
    return etcd.backward(spec, before as etcd.KeyBefore);
  },
  unseen: (before) => (before.state === "unseen" ? before.why : null),
};

function keyIn(spec: ObjectSpec): string {
  return spec.via === "kubectl" ? "" : spec.key;
}
