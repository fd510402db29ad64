/** SELinux contexts of what was installed, as the host's own policy wants them. Files put back by undo have theirs. */
import type { Kind } from "./operation.ts";

export interface LabelsSpec {
  readonly paths: readonly string[];
}

export interface LabelsBefore {
  /** Of `paths`: not there yet, or with another context than the policy's. */
  readonly wrong: readonly string[];
}

export const labels: Kind<LabelsSpec, LabelsBefore> = {
  resource: () => "SELinux contexts",
  describe: ({ paths }) => `SELinux contexts of ${paths.length} files`,
  async inspect(host, { paths }) {
    const present: string[] = [];
    for (const path of paths) if ((await host.stat(path)) !== null) present.push(path);
    const { stdout } = present.length === 0 ? { stdout: "" } : await host.query(["restorecon", "-n", "-v", ...present]);
    return { wrong: paths.filter((path) => !present.includes(path) || stdout.includes(` ${path} `)) };
  },
  forward: (_, { wrong }) => (wrong.length === 0 ? [] : [{ do: "run", argv: ["restorecon", ...wrong] }]),
  backward: () => [],
};
