/** Every man page by its file's name. */
import { clusterPage } from "./cluster.ts";
import { programPages } from "./programs.ts";

export function manPages(): Record<string, string> {
  return { ...programPages(), "kubeferry-cluster.yaml.5": clusterPage() };
}
