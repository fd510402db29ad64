/** A network for machines that a test boots one by one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NetworkSwitch } from "../../scripts/vm/network-switch.ts";

/** Ends with the `await using` that holds it. */
export async function openSwitch(): Promise<NetworkSwitch & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-switch-"));
  const network = new NetworkSwitch(join(folder, "switch"));
  await network.listen();
  return Object.assign(network, {
    async [Symbol.asyncDispose](): Promise<void> {
      network.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}
