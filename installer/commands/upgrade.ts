/** `./install upgrade`: the same as applying a newer bundle, for the roles and the address that this host has. */
import { ExpectedError } from "#cli/errors";
import type { Context } from "../context.ts";
import { install, type InstallRequest } from "./install.ts";
import type { NodeRequest } from "../plan/select.ts";
import { openInstallation, rolesOf } from "../transaction/installation.ts";

/** What is not given on the command line is as it is installed. USAGE where nothing is. */
export async function upgrade(request: InstallRequest, context: Context): Promise<void> {
  await install({ ...request, node: asInstalled(request.root, request.node) }, context);
}

/** A wish with the rest as it is installed. */
export function asInstalled(root: string, request: NodeRequest): NodeRequest {
  const { current } = openInstallation(root);
  const last = current.at(-1)?.header;
  if (last === undefined) {
    throw new ExpectedError("USAGE", "nothing is installed here that could be upgraded", {
      where: root,
      hint: "./install --role ROLES --ip ADDRESS   installs it",
    });
  }
  const { name, ip, iface, profile } = last.node;
  return {
    role: request.role ?? rolesOf(current).join(","),
    ip: request.ip ?? ip,
    // A node that is in cluster.yaml has its name from there.
    name: request.name ?? (profile === name ? undefined : name),
    iface: request.iface ?? iface ?? undefined,
  };
}
