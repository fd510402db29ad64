/** The kernel of this machine, whose values an installation in a container sets where they belong to no namespace. */
import { once } from "node:events";
import { createServer } from "node:net";
import { kernelDefaults } from "../../builder/config/kernel-defaults.ts";
import { command } from "../../scripts/vm/command.ts";

const conntrack = "net.netfilter.nf_conntrack_max";
const inotify = ["fs.inotify.max_user_instances", "fs.inotify.max_user_watches"];
/** Kernel values that an installation sets and that belong to no namespace. */
const sharedValues: readonly string[] = [...kernelDefaults.keys(), ...inotify, conntrack];

/** One run of tests at a time: another would find its values changed. At the end, the kernel has those of before. */
export async function holdKernel(): Promise<AsyncDisposable> {
  // An abstract socket is nobody else's, and goes with its process.
  const held = createServer().listen("\0kubeferry-containers-with-pods").unref();
  await once(held, "listening").catch((cause: unknown) => {
    const why = "another run of tests has pods on this machine and sets its kernel's values: run this one after it";
    throw new Error(why, { cause });
  });
  const values = await command(["sysctl", ...sharedValues]);
  // Of these a container with a network of its own may write all but one.
  await command(["sysctl", "-q", `${conntrack}=1048576`]);
  return {
    async [Symbol.asyncDispose]() {
      await command(["sysctl", "-q", ...values.trim().replaceAll(" = ", "=").split("\n")]);
      held.close();
    },
  };
}
