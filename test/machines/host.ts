/** What a test asks of a host, be it a virtual machine or a container. */
import type { Machine } from "../../scripts/vm/machine.ts";

export type Host = Pick<Machine, "name" | "exec" | "run">;
