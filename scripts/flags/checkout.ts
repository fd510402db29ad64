/** A checkout of upstream's sources at one revision, read through git: a clone, a bare one too, or a project that vendors them. */
import { spawnSync } from "node:child_process";

export interface Checkout {
  readonly folder: string;
  readonly revision: string;
}

/** Where `k8s.io/<repository>/<path>` lies: vendored, in Kubernetes' own tree, its staging folder, or a staging repository. */
const layouts: readonly ((path: string) => string)[] = [
  (path) => `vendor/${path}`,
  (path) => `vendor/k8s.io/kubernetes/staging/src/${path}`,
  (path) => `cluster-autoscaler/vendor/${path}`,
  (path) => `deps/github.com/openshift/kubernetes/${path.replace(/^k8s\.io\/kubernetes\//, "")}`,
  (path) => `deps/github.com/openshift/kubernetes/staging/src/${path}`,
  (path) => path.replace(/^k8s\.io\/kubernetes\//, ""),
  (path) => `staging/src/${path}`,
  (path) => path.replace(/^k8s\.io\/(?!kubernetes\/)[^/]+\//, ""),
];

/** `FOLDER@REVISION`, or `FOLDER` for its newest commit. */
export function parseCheckout(text: string): Checkout {
  const at = text.lastIndexOf("@");
  return at > 0 ? { folder: text.slice(0, at), revision: text.slice(at + 1) } : { folder: text, revision: "HEAD" };
}

/** Texts by path of everything below those of `paths` (`k8s.io/…`, or as it lies) that are in the checkout: two runs of git. */
export function readCheckout(checkout: Checkout, paths: readonly string[]): ReadonlyMap<string, string> {
  const places = [...new Set(paths.flatMap((path) => layouts.map((layout) => layout(path))))];
  const names = git(checkout, ["ls-tree", "-r", "--name-only", checkout.revision, ...places], "")
    .toString()
    .split("\n")
    .filter(isRead);
  const asked = names.map((name) => `${checkout.revision}:${name}\n`).join("");
  let rest = git(checkout, ["cat-file", "--batch"], asked);
  return new Map(
    names.map((name) => {
      const head = rest.indexOf("\n");
      const size = Number(rest.subarray(0, head).toString().split(" ").at(-1));
      const text = rest.subarray(head + 1, head + 1 + size).toString();
      rest = rest.subarray(head + size + 2);
      return [name, text];
    }),
  );
}

/** Of those texts the ones of one folder or file `k8s.io/…`, by the first layout that has it. */
export function within(texts: ReadonlyMap<string, string>, path: string): (readonly [string, string])[] {
  for (const layout of layouts) {
    const place = layout(path);
    const found = [...texts].filter(([name]) => name === place || name.slice(0, name.lastIndexOf("/")) === place);
    if (found.length > 0) return found;
  }
  return [];
}

function isRead(name: string): boolean {
  return name.endsWith(".md") || (name.endsWith(".go") && !/_(test|windows)\.go$/.test(name));
}

function git({ folder }: Checkout, words: readonly string[], input: string): Buffer {
  const { stdout, stderr, status } = spawnSync("git", ["-C", folder, ...words], { input, maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`git ${words[0]} in ${folder}: ${stderr.toString()}`);
  return stdout;
}
