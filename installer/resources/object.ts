/**
 * Something in a running cluster, brought about by a program of the bundle: a manifest applied, a key put into etcd, a
 * label put on a node. The cluster answers only after its daemons started, so each is looked at again when its turn
 * comes; what was there then is what undo restores, and what nobody could be asked about is left for another run.
 */
import type { Effect } from "../host/effect.ts";
import * as etcd from "./object-etcd.ts";
import * as former from "./object-former.ts";
import type { GrantId, ManifestId, ObjectId } from "./object-id.ts";
import * as grant from "./object-grant.ts";
import * as kubectl from "./object-kubectl.ts";
import * as label from "./object-label.ts";
import { isSame, isUnknown, type Resource, type Unknown } from "./resource.ts";

export type ObjectState =
  | { readonly via: "kubectl"; readonly is: kubectl.ManifestState }
  | { readonly via: "etcd"; readonly is: etcd.KeyState }
  | { readonly via: "former"; readonly is: former.FormerState }
  | { readonly via: "label"; readonly is: label.LabelState };

export const object: Resource<ObjectId, ObjectState> = {
  name: (id) => (id.via === "label" ? `label ${id.key} of node ${id.node}` : `object ${id.name}`),
  describe(id) {
    if (isManifest(id)) return `objects of ${id.name}`;
    if (id.via === "former") return id.name;
    return id.via === "label" ? `label ${id.key} of ${id.name}` : `key ${id.key} in etcd`;
  },
  async inspect(host, id) {
    if (!host.live) return { unknown: "the host does not run" };
    if (isManifest(id)) return seen("kubectl", await kubectl.inspect(host, id));
    if (id.via === "former") return seen("former", await former.inspect(host, id));
    if (id.via === "label") return seen("label", await label.inspect(host, id));
    return seen("etcd", await etcd.inspect(host, id));
  },
  spec(id, now): ObjectState {
    if (isManifest(id)) return { via: "kubectl", is: kubectl.spec(id) };
    if (id.via === "label") return { via: "label", is: id.value };
    if (id.via === "former") return { via: "former", is: now.via === "former" ? former.spec(now.is) : null };
    return { via: "etcd", is: { value: id.value, folders: [] } };
  },
  equal(a, b) {
    if (a.via === "kubectl" && b.via === "kubectl") return kubectl.equal(a.is, b.is);
    if (a.via === "etcd" && b.via === "etcd") return etcd.equal(a.is, b.is);
    return isSame(a, b);
  },
  steps(id, from, to): Effect[] {
    if (object.equal(from, to)) return [];
    if (id.via === "grant" && to.via === "kubectl") return grant.steps(id, to.is);
    if (id.via === "kubectl" && to.via === "kubectl") return kubectl.steps(id, to.is);
    if (id.via === "former" && from.via === "former" && to.via === "former") return former.steps(id, from.is, to.is);
    if (id.via === "label" && to.via === "label") return label.steps(id, to.is);
    if ((id.via === "etcd2" || id.via === "etcd3") && from.via === "etcd" && to.via === "etcd")
      return etcd.steps(id, from.is, to.is);
    throw new Error(`a state of ${to.via} is none of ${id.via}`);
  },
  // What only moved to another manifest, or to another node to be brought about, stays.
  givesBack(id, before, { objects }) {
    if ((id.via === "etcd2" || id.via === "etcd3") && objects.has(id.key)) return undefined;
    if (before.via !== "kubectl") return before;
    const is = kubectl.without(before.is, objects);
    return is === null ? undefined : { via: "kubectl", is };
  },
  // What an API server or etcd elsewhere goes on serving is the cluster's. The label is of this host's Node.
  isShared({ via }, { etcd, master }) {
    if (via === "label") return false;
    return (via === "etcd2" || via === "etcd3" ? etcd : master).length > 0;
  },
  ofDaemon: true,
  mayWait: true,
};

function isManifest(id: ObjectId): id is ManifestId | GrantId {
  return id.via === "kubectl" || id.via === "grant";
}

function seen<Via extends ObjectState["via"], State>(via: Via, is: State | Unknown): { via: Via; is: State } | Unknown {
  return isUnknown(is) ? is : { via, is };
}
