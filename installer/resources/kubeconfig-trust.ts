/** A kubeconfig that a program wrote, and whose CA is that of a file of ours: the kubelet keeps the one that it was first given. */
import { type Edit, edited, editSteps, equalText, inspectText, type TextState } from "./edit.ts";
import type { Resource } from "./resource.ts";

export interface KubeconfigTrustId {
  readonly path: string;
  /** PEM of the CAs to trust. */
  readonly authority: string;
}

/** A file that is not there, or has no CA in it, stays so: its program writes it when it needs it. */
export const kubeconfigTrust: Resource<KubeconfigTrustId, TextState> = {
  name: ({ path }) => path,
  describe: ({ path, authority }) => `CAs of ${authority} in ${path}`,
  inspect: (host, { path }) => inspectText(host, path),
  spec: ({ authority }, now) => edited(now, trustEdit(authority)),
  equal: equalText,
  steps: ({ path, authority }, from, to) => editSteps(path, from, to, trustEdit(authority)),
};

const line = /^(\s*(?:- )?)certificate-authority(?:-data)?: .*$/m;

function trustEdit(authority: string): Edit {
  const ours = (text: string): string =>
    text.replace(line, (_, indent: string) => `${indent}certificate-authority: ${authority}`);
  return {
    apply: (text) => (text === null ? null : ours(text)),
    lines(before) {
      const old = line.exec(before ?? "")?.[0];
      return old === undefined ? [] : [{ from: ours(old), to: old }];
    },
  };
}
