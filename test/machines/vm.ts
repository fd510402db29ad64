/** Machines for the tests in test/vm: a private copy of one that has just booted. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machine, type MachineOptions } from "../../scripts/vm/machine.ts";
import { NetworkSwitch } from "../../scripts/vm/network-switch.ts";
import { hostPackages } from "../../scripts/vm/packages.ts";
import { snapshot } from "../../scripts/vm/snapshot.ts";
import { requirePackages } from "../programs/packages.ts";

/** Makes image and snapshot the first time (a minute); restores in two seconds ever after. */
export async function restoreMachine(options: MachineOptions = {}): Promise<Machine> {
  requirePackages(...hostPackages);
  return Machine.restore(await snapshot(), options);
}

/** Machines `n1`, `n2` … at 10.0.0.11, 10.0.0.12 … on one switch, and a way to end them all. */
export async function restoreCluster(
  count: number,
): Promise<{ machines: Machine[]; network: NetworkSwitch } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-switch-"));
  const network = new NetworkSwitch(join(folder, "switch"));
  await network.listen();
  const numbers = Array.from({ length: count }, (_, position) => position + 1);
  const started = await Promise.allSettled(
    numbers.map((number) => restoreMachine({ name: `n${number}`, address: `10.0.0.${10 + number}/24`, network })),
  );
  const machines = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const dispose = async (): Promise<void> => {
    await Promise.all(machines.map((machine) => machine.stop()));
    network.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const failed = started.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await dispose();
    throw failed.reason;
  }
  return { machines, network, [Symbol.asyncDispose]: dispose };
}
