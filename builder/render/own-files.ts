/** The operator's own files (`files:` of cluster.yaml), on the nodes that they are for, byte for byte. */
import { digestOf } from "#bundle";
import { ExpectedError } from "#cli/errors";
import type { RenderInput } from "../components/context.ts";
import type { NodeFile, Rendered } from "./node-file.ts";
import { selectorFor, selects } from "./pieces.ts";

/** CONFIG_INVALID where one of `others` (or a directory of theirs) has its place on a node already. */
export function ownFiles(
  { topology, own }: RenderInput,
  { files: others, directories }: Pick<Rendered, "files" | "directories">,
): NodeFile[] {
  const { cluster, nodes } = topology;
  const taken: Pick<NodeFile, "path" | "for">[] = [...others, ...directories];
  return cluster.files.map(({ path, source, roles, nodes: names, mode, owner, secret }, index) => {
    const bytes = own.get(source);
    if (bytes === undefined) throw new Error(`${source} was not read`);
    const mine = nodes.filter(
      (node) => node.roles.some((role) => roles.includes(role)) && (names?.includes(node.name) ?? true),
    );
    const file: NodeFile = {
      path,
      mode: mode ?? (secret ? "0600" : "0644"),
      owner,
      content: { digest: digestOf(bytes), size: bytes.length, bytes },
      sensitive: secret,
      for: selectorFor(
        roles,
        mine.map(({ name }) => name),
        nodes,
        secret,
      ),
      origin: { from: "operator", name: source },
    };
    const other = taken.find((one) => one.path === path && mine.some((node) => selects(one.for, node)));
    if (other !== undefined) {
      throw new ExpectedError(
        "CONFIG_INVALID",
        `${path} is already placed there: by Kubeferry, or by another of files:`,
        {
          where: `files.${index}.path of cluster ${cluster.name}`,
          hint: "take another path; settings of daemons have options of their own: kubelet:, containerd:, docker:, flags:",
        },
      );
    }
    taken.push(file);
    return file;
  });
}
