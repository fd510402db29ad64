/**
 * The power goes at many points of install, undo and rollback, for each role. After the reboot either command
 * completes, and the machine is exactly what it should be: as after an undisturbed installation, or as before it.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { buildBundle, type BuiltBundle, insert, mountBundle } from "../support/vm-bundle.ts";
import { install, must, undo } from "../support/vm-commands.ts";
import { countEffects, cutDuring, journalPosition } from "../support/vm-cut.ts";
import { captureState, differences, installedDifferences, type State } from "../support/vm-state.ts";
import { restoreMachine } from "../support/vm.ts";

const cluster = `name: cuts
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
workers:
  subnet: 10.0.0.0/24
`;
const roles = ["etcd", "worker"] as const;
const delays = [0, 40, 10, 120, 3] as const;
/** For each role so many times an installation is cut, and then the undo of the same machine. */
const cutsEach = 10;

interface Reference {
  /** Shared by all copies of the machine: what need not be read again. */
  readonly fresh: State;
  readonly installed: State;
  readonly installEffects: number;
  readonly undoEffects: number;
}

for (const role of roles) {
  describe(`power cuts of the role ${role}`, { concurrency: 2 }, () => {
    let bundle: BuiltBundle;
    let reference: Reference;
    before(async () => {
      bundle = await buildBundle(cluster);
      reference = await undisturbed(bundle, role);
    });
    for (let number = 0; number < cutsEach; number += 1) {
      // From the first effect to the last, at other places for install and undo.
      const installAt = (number + 0.5) / cutsEach;
      const undoAt = ((number * 3 + 1.5) / cutsEach) % 1;
      const again = number % 2 === 0;
      const name = `${role}: install cut at ${percent(installAt)}, then ${again ? "install" : "undo"}; undo cut at ${percent(undoAt)}`;
      test(name, async (t) => {
        await using machine = await prepared(bundle);
        const fresh = await captureState(machine, reference.fresh);
        const delay = delays[number % delays.length] ?? 0;

        await cutDuring(machine, install(role), {
          type: "effect",
          count: atLeastOne(installAt * reference.installEffects),
          delay,
        });
        await machine.powerOn();
        t.diagnostic(`install was cut: ${await journalPosition(machine)}`);
        await mountBundle(machine);
        if (!again) {
          await must(machine, undo);
          assert.deepEqual(differences(fresh, await captureState(machine, fresh)), [], "undo after a cut installation");
        }
        await must(machine, install(role));
        assert.deepEqual(installedDifferences(reference.installed, await captureState(machine, fresh)), []);

        await cutDuring(machine, undo, { type: "effect", count: atLeastOne(undoAt * reference.undoEffects), delay });
        await machine.powerOn();
        t.diagnostic(`undo was cut: ${await journalPosition(machine)}`);
        await mountBundle(machine);
        await must(machine, undo);
        assert.deepEqual(differences(fresh, await captureState(machine, fresh)), [], "undo after a cut undo");
      });
    }
  });
}

async function prepared(bundle: BuiltBundle): Promise<Machine> {
  const machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  return machine;
}

async function undisturbed(bundle: BuiltBundle, role: string): Promise<Reference> {
  await using machine = await prepared(bundle);
  const fresh = await captureState(machine);
  const installEffects = await countEffects(machine, install(role));
  const installed = await captureState(machine, fresh);
  const undoEffects = await countEffects(machine, undo);
  assert.deepEqual(differences(fresh, await captureState(machine, fresh)), []);
  return { fresh, installed, installEffects, undoEffects };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function atLeastOne(count: number): number {
  return Math.max(1, Math.round(count));
}
