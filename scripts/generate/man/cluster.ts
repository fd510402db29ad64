/** kubeferry-cluster.yaml(5): every field of cluster.yaml, from its schema. */
import { clusterFields } from "../cluster-fields.ts";
import { clusterExample } from "../cluster-reference.ts";
import { bold, page, prose, section, tagged, verbatim } from "./roff.ts";

export function clusterPage(): string {
  const fields = clusterFields().flatMap(({ path, kind, isRequired, preset, description }) => {
    const notes = [kind, ...(isRequired ? ["required"] : []), ...(preset === null ? [] : [`default: ${preset}`])];
    return tagged(`${bold(path)}  (${prose(notes.join("; "))})`, prose(description));
  });
  return page({ name: "kubeferry-cluster.yaml", section: 5, summary: "a cluster that kubeferry builds a bundle of" }, [
    ...section("DESCRIPTION", [
      prose(
        "A YAML file. `kubeferry init` writes one in which every field stands with its meaning; `kubeferry lock` names each that is wrong with its line.",
      ),
      ".PP",
      prose("`nodes[].ip` is the field `ip` of each item of `nodes`."),
    ]),
    ...section("FIELDS", fields),
    ...section("EXAMPLES", verbatim(clusterExample.trimEnd().split("\n"))),
    ...section("SEE ALSO", [`${bold("kubeferry")}(1)`]),
  ]);
}
