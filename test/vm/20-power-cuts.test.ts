/**
 * The power goes at many effects of install, undo, upgrade and rollback, for each role. After the reboot either
 * command completes, and the machine is exactly what it should be: as after an undisturbed run, or as before.
 *
 * 44 cuts: for each role six machines that are cut in install and then in undo, and five in upgrade and in rollback.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { buildBundle, type BuiltBundle, insert, insertLater, mountBundle } from "../machines/bundle.ts";
import { install, must, rollback, undo, upgrade } from "../machines/commands.ts";
import { countEffects, cutDuring, journalPosition } from "../machines/cut.ts";
import { captureState, differences, installedDifferences, type State } from "../machines/state.ts";
import { restoreMachine } from "../machines/vm.ts";

const cluster = `name: cuts
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
workers:
  subnet: 10.0.0.0/24
`;
/** Another unit file of etcd, other values and one more module of the kernel. */
const laterCluster = `${cluster}flags:
  etcd: { snapshot-count: "50000" }
host:
  sysctls: { vm.max_map_count: "262144", net.core.somaxconn: "8192", vm.swappiness: "1" }
  modules: [dummy]
`;
/** Milliseconds from an effect's announcement to the cut: before it, in it, after it, in the next one. */
const delays = [0, 40, 10, 120, 3] as const;

for (const role of ["etcd", "worker"] as const) {
  test(`power cuts of the role ${role}`, { concurrency: 2 }, async (t) => {
    const earlier = await buildBundle(cluster);
    const bundles = { earlier, later: await buildBundle(laterCluster, earlier) };
    const wanted = await undisturbed(bundles, role);
    const all: Promise<void>[] = [];

    for (const { number, first, second, again } of spread(6)) {
      const name = `${role}: install cut at ${percent(first)}, then ${again ? "install" : "undo"}; undo cut at ${percent(second)}`;
      const action = async (t: TestContext): Promise<void> => {
        const { machine, fresh } = await prepared(bundles, wanted.fresh);
        await using _ = machine;
        await cut(machine, install(role), first * wanted.effects.install, number, t);
        if (!again) {
          await must(machine, undo);
          assert.deepEqual(differences(fresh, await captureState(machine, fresh)), [], "undo of a cut installation");
        }
        await must(machine, install(role));
        assert.deepEqual(installedDifferences(wanted.installed, await captureState(machine, fresh)), []);

        await cut(machine, undo, second * wanted.effects.undo, number, t);
        await must(machine, undo);
        assert.deepEqual(differences(fresh, await captureState(machine, fresh)), [], "undo after a cut undo");
      };
      all.push(t.test(name, action));
    }

    for (const { number, first, second, again } of spread(5)) {
      const name = `${role}: upgrade cut at ${percent(first)}, then ${again ? "upgrade" : "rollback"}; rollback cut at ${percent(second)}`;
      const action = async (t: TestContext): Promise<void> => {
        const { machine, fresh } = await prepared(bundles, wanted.fresh);
        await using _ = machine;
        await must(machine, install(role));
        await cut(machine, upgrade, first * wanted.effects.upgrade, number, t);
        if (!again) {
          await must(machine, rollback);
          assert.deepEqual(installedDifferences(wanted.installed, await captureState(machine, fresh)), []);
        }
        await must(machine, upgrade);
        assert.deepEqual(installedDifferences(wanted.upgraded, await captureState(machine, fresh)), []);

        await cut(machine, rollback, second * wanted.effects.rollback, number, t);
        await must(machine, rollback);
        assert.deepEqual(installedDifferences(wanted.installed, await captureState(machine, fresh)), []);
        await must(machine, undo);
        assert.deepEqual(differences(fresh, await captureState(machine, fresh)), [], "undo of it all");
      };
      all.push(t.test(name, action));
    }
    await Promise.all(all);
  });
}

interface Bundles {
  readonly earlier: BuiltBundle;
  readonly later: BuiltBundle;
}

/** The states to arrive at, and how many effects each command has. */
interface Undisturbed {
  readonly fresh: State;
  readonly installed: State;
  readonly upgraded: State;
  readonly effects: Readonly<Record<"install" | "undo" | "upgrade" | "rollback", number>>;
}

async function undisturbed(bundles: Bundles, role: string): Promise<Undisturbed> {
  const { machine, fresh } = await prepared(bundles, null);
  await using _ = machine;
  const installEffects = await countEffects(machine, install(role));
  const installed = await captureState(machine, fresh);
  const upgradeEffects = await countEffects(machine, upgrade);
  const upgraded = await captureState(machine, fresh);
  const rollbackEffects = await countEffects(machine, rollback);
  assert.deepEqual(installedDifferences(installed, await captureState(machine, fresh)), [], "an undisturbed rollback");
  const undoEffects = await countEffects(machine, undo);
  assert.deepEqual(differences(fresh, await captureState(machine, fresh)), [], "an undisturbed undo");
  const effects = { install: installEffects, undo: undoEffects, upgrade: upgradeEffects, rollback: rollbackEffects };
  return { fresh, installed, upgraded, effects };
}

async function prepared(bundles: Bundles, since: State | null): Promise<{ machine: Machine; fresh: State }> {
  const machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundles.earlier, readFileSync(bundles.earlier.keys, "utf8"));
  await insertLater(machine, bundles.later);
  return { machine, fresh: await captureState(machine, since) };
}

/** Cuts the power at that effect, boots, and says in the test's report where the journal stands. */
async function cut(
  machine: Machine,
  argv: readonly [string, ...string[]],
  effect: number,
  number: number,
  t: { diagnostic(message: string): void },
): Promise<void> {
  const count = Math.max(1, Math.round(effect));
  await cutDuring(machine, argv, { type: "effect", count, delay: delays[number % delays.length] ?? 0 });
  await machine.powerOn();
  t.diagnostic(`${argv[1]} was cut at effect ${count}: ${await journalPosition(machine)}`);
  await mountBundle(machine);
}

/** From the first effects to the last, at other places for the first and the second cut. */
function spread(machines: number): { number: number; first: number; second: number; again: boolean }[] {
  return Array.from({ length: machines }, (_, number) => ({
    number,
    first: (number + 0.5) / machines,
    second: ((number * 2 + 1.3) / machines) % 1,
    again: number % 2 === 0,
  }));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
