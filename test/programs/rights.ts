/** The rights of a placed master's administrator, looked at, brought and taken back by the installer's own steps. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#bundle";
import type { Rendered } from "../../builder/render/node-file.ts";
import type { Effect } from "../../installer/host/effect.ts";
import { createLocalHost } from "../../installer/host/local.ts";
import type { GrantId } from "../../installer/resources/object-id.ts";
import { object, type ObjectState } from "../../installer/resources/object.ts";
import { isUnknown } from "../../installer/resources/resource.ts";

export interface Rights {
  readonly id: GrantId;
  /** As `./install` finds them; null: nobody could be asked. */
  look(): Promise<ObjectState | null>;
  /** As `./install` brings them about; what it did. `stop`: the power goes before this effect. */
  bring(stop?: number): Promise<Effect[]>;
  /** As undo goes back. */
  takeBack(to: ObjectState): Promise<Effect[]>;
}

/** `client`: kubectl with the administrator's kubeconfig. `root`: where the node's files lie; `folder`: private, of the test. */
export function rightsOf(rendered: Rendered, root: string, folder: string, client: readonly string[]): Rights {
  const path = join(root, rendered.objects.find(({ via }) => via === "grant")?.path ?? "");
  const key = join(root, rendered.files.find((file) => file.path.endsWith("/ca-key.pem"))?.path ?? "");
  const id: GrantId = {
    ...{ via: "grant", name: "administrators", path, digest: digestOf(readFileSync(path)), client },
    ...{ environment: { HOME: "/proc" }, scratch: join(folder, "object") },
    authority: { certificate: key.replace("-key.pem", ".pem"), key },
  };
  const host = createLocalHost({
    root: "/",
    contents: { stage: join(folder, "stage"), before: join(folder, "before") },
  });
  const look = async (): Promise<ObjectState | null> => {
    const now = await object.inspect(host, id);
    return isUnknown(now) ? null : now;
  };
  const go = async (to: (now: ObjectState) => ObjectState, stop = Number.POSITIVE_INFINITY): Promise<Effect[]> => {
    const now = await look();
    if (now === null) throw new Error("the API server does not answer");
    const effects = object.steps(id, now, to(now)).slice(0, stop);
    for (const effect of effects) await host.perform(effect);
    return effects;
  };
  return { id, look, bring: (stop) => go((now) => object.spec(id, now), stop), takeBack: (to) => go(() => to) };
}
