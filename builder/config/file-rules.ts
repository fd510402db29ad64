/** Rules of the operator's own files: for nodes that there are, sealed when they are secret, and not where others write. */
import { nested } from "./directory-rules.ts";
import { error, type Rule } from "./rule.ts";
import { workerProfile } from "./topology.ts";

/** Made anew at each boot, the kernel's own, or Kubeferry's journal. */
const refused = ["/dev", "/proc", "/run", "/sys", "/var/run", "/var/lib/kubeferry"];

const places: Rule = ({ files }) =>
  files.flatMap(({ path }, index) => {
    const taken = refused.find((folder) => nested(path, folder));
    return taken === undefined ? [] : [error(["files", index, "path"], `nothing of an operator's stays in ${taken}`)];
  });

const nodes: Rule = ({ files, nodes, workers }) => {
  const known = [...nodes.map(({ name }) => name), ...(workers === undefined ? [] : [workerProfile])];
  return files.flatMap(({ nodes = [] }, index) =>
    nodes.flatMap((name, at) =>
      known.includes(name)
        ? []
        : [error(["files", index, "nodes", at], `there is no node ${name}; there are ${known.join(", ")}`)],
    ),
  );
};

const sealed: Rule = ({ files }) =>
  files.flatMap(({ secret, mode }, index) =>
    secret && mode !== undefined && !mode.endsWith("00")
      ? [error(["files", index, "mode"], `a secret is for its owner alone: ${mode.slice(0, 2)}00`)]
      : [],
  );

export const fileRules: readonly Rule[] = [places, nodes, sealed];
