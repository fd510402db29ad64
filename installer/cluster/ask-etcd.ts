/** How a member asks etcd: the bundle's etcdctl with the member's own certificate, as the installed health check has it. */
import { dirname, join } from "node:path";
import { ExpectedError } from "#cli/errors";
import type { HostReader } from "../host/host.ts";
import type { Transaction } from "../journal/transaction.ts";
import { etcdClient } from "../plan/upgrade.ts";
import { answerOf } from "../resources/object-answer.ts";
import type { EtcdWords } from "../resources/resource.ts";

/** The client of the member that is installed here. USAGE on any other host. */
export function ownEtcd(past: readonly Transaction[]): EtcdWords {
  const client = etcdClient(past);
  if (client !== null) return client;
  throw new ExpectedError("USAGE", "there is no member of etcd on this host", {
    hint: "run it on a node with the role etcd: ./install status says what a host is",
  });
}

/** From etcd 3.5 on a program of its own reads snapshots; etcdctl itself before, and where the bundle has only that. */
export async function snapshotTool(host: HostReader, { argv: [etcdctl = "etcdctl"] }: EtcdWords): Promise<string> {
  const etcdutl = join(dirname(etcdctl), "etcdutl");
  return (await host.stat(etcdutl)) === null ? etcdctl : etcdutl;
}

export interface SnapshotStatus {
  /** Of the store: the next write has a higher one. */
  readonly revision: number;
  readonly totalKey: number;
  /** Bytes. */
  readonly totalSize: number;
}

/** What a snapshot holds, by the tool that would restore it. SECRETS_INVALID where it is none, or cut. */
export async function snapshotStatus(
  host: HostReader,
  tool: string,
  path: string,
  environment: EtcdWords["environment"],
): Promise<SnapshotStatus> {
  const argv = [tool, "snapshot", "status", path, "-w", "json"];
  const { code, stdout, said } = await answerOf(host, argv, environment);
  if (code === 0) return JSON.parse(stdout) as SnapshotStatus;
  throw new ExpectedError("SECRETS_INVALID", `this is no whole snapshot of etcd: ${said}`, {
    where: path,
    hint: "take an older one",
  });
}
