/** What kubectl and etcdctl see and change through a fake host: objects, labels of nodes, keys. Strict about what is not there. */
import { identitiesIn, keyOf } from "../../installer/resources/manifest.ts";

interface Stored {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly content: string;
}

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The object that gives an administrator his rights. */
const rights = "ClusterRoleBinding.rbac.authorization.k8s.io default/administrators";
const refused = "The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?";

export class FakeCluster {
  readonly objects = new Map<string, Stored>();
  readonly labels = new Map<string, string>();
  readonly keys = new Map<string, string>();
  readonly folders = new Set<string>();
  /** Who asks is nobody that it would tell anything, until he is given rights. */
  refuses = false;

  picture(): Record<string, string> {
    const sorted = (map: ReadonlyMap<string, unknown>): string => JSON.stringify([...map].toSorted(byKey));
    return {
      "objects of the cluster": JSON.stringify(
        [...this.objects]
          .map(([key, { content, metadata }]) => [key, content, metadata.annotations ?? {}] as const)
          .toSorted(byKey),
      ),
      "labels of n1": sorted(this.labels),
      "keys of etcd": sorted(this.keys),
      "folders of etcd": [...this.folders].toSorted().join(" "),
    };
  }

  /** `running`: whether anything answers; `files`: texts of the host; `stdin`: what the program is given to read. */
  run(argv: readonly string[], running: boolean, files: (path: string) => string | null, stdin = ""): Said {
    const [program, ...words] = argv;
    // A kubeconfig that was signed for the moment is of somebody who may everything.
    const mayAll = files(/^--kubeconfig=(.+)$/.exec(words[0] ?? "")?.[1] ?? "") === "kubeconfig";
    if (running && this.refuses && !mayAll && !this.objects.has(rights))
      return no(1, "Error from server (Forbidden): things is forbidden");
    if (program === "etcdctl" && !running) return no(4, "Error:  client: etcd cluster is unavailable or misconfigured");
    if (program === "etcdctl") return this.#etcd2(words);
    if (program === "etcdctl3" && !running) return no(1, "Error: context deadline exceeded");
    if (program === "etcdctl3") return this.#etcd3(words, stdin);
    if (!running) return no(1, refused);
    const [verb = "", what = ""] = words.filter((word) => !word.startsWith("--"));
    if (what === "node") return this.#node(verb, words);
    return this.#kubectl(verb, words, files(words[words.indexOf("-f") + 1] ?? "") ?? "");
  }

  #node(verb: string, words: readonly string[]): Said {
    if (verb === "get") return yes(JSON.stringify({ metadata: { labels: Object.fromEntries(this.labels) } }));
    const word = words.filter((text) => !text.startsWith("--")).at(-1) ?? "";
    const [, key = "", value] = /^([^=]+?)(?:-|=(.*))$/.exec(word) ?? [];
    if (value === undefined) this.labels.delete(key);
    else this.labels.set(key, value);
    return yes("");
  }

  #kubectl(verb: string, words: readonly string[], text: string): Said {
    if (verb === "apply" || verb === "annotate" || verb === "get") {
      if (verb === "get" && !words.includes("-f")) return this.#one(words.slice(-2));
      const identities = identitiesIn(text) ?? [];
      const missing = identities.filter((one) => !this.objects.has(keyOf(one)));
      const lines = missing.map(({ name }) => `Error from server (NotFound): things "${name}" not found`).join("\n");
      if (verb === "get") {
        const items = identities.flatMap((one) => this.objects.get(keyOf(one)) ?? []);
        return yes(JSON.stringify({ items }));
      }
      if (verb === "annotate" && missing.length > 0) return no(1, lines);
      const [name = "", value = ""] = (words.at(-1) ?? "").split("=");
      for (const { apiVersion, kind, namespace, name: own } of identities) {
        const key = keyOf({ apiVersion, kind, namespace, name: own });
        const metadata = { name: own, ...(namespace === null ? {} : { namespace }) };
        const old: Stored = this.objects.get(key) ?? { apiVersion, kind, metadata, content: text };
        const annotations = { ...old.metadata.annotations, [name]: value };
        const marked = verb === "annotate" ? { ...old, metadata: { ...old.metadata, annotations } } : old;
        this.objects.set(key, verb === "apply" ? { ...old, content: text } : marked);
      }
      return yes("");
    }
    const { items } = JSON.parse(text) as { items: Stored[] };
    for (const item of items) {
      const key = keyOf({ ...item, namespace: item.metadata.namespace ?? null, name: item.metadata.name });
      if (verb === "delete") this.objects.delete(key);
      else if (verb === "create" && this.objects.has(key)) return no(1, "Error from server (AlreadyExists)");
      else if (verb === "create" || this.objects.has(key)) this.objects.set(key, item);
      else return no(1, `Error from server (NotFound): things "${item.metadata.name}" not found`);
    }
    return yes("");
  }

  /** `configmap a`, of the default namespace. */
  #one([kind, name]: readonly string[]): Said {
    const found = [...this.objects.values()].find(
      (one) => one.kind.toLowerCase() === kind && one.metadata.name === name,
    );
    return found === undefined
      ? no(1, `Error from server (NotFound): "${name}" not found`)
      : yes(JSON.stringify(found));
  }

  #etcd2([verb = "", ...rest]: readonly string[]): Said {
    const path = rest.find((word) => word.startsWith("/")) ?? "";
    const value = rest.at(verb === "rm" ? 1 : -1) ?? "";
    const found = this.keys.get(path);
    if (verb === "ls") return this.folders.has(path) ? yes("") : no(4, "Error:  100: Key not found");
    if (verb === "get") return found === undefined ? no(4, "Error:  100: Key not found") : yes(`${found}\n`);
    if (verb === "mk") {
      if (found !== undefined) return no(4, "Error:  105: Key already exists");
      const parts = path.split("/").slice(1, -1);
      for (const [index] of parts.entries()) this.folders.add(`/${parts.slice(0, index + 1).join("/")}`);
      this.keys.set(path, value);
      return yes(`${value}\n`);
    }
    if (verb === "rm") {
      if (found === undefined) return no(4, "Error:  100: Key not found");
      if (found !== value) return no(4, "Error:  101: Compare failed");
      this.keys.delete(path);
      return yes("");
    }
    if (!this.folders.has(path)) return no(4, "Error:  100: Key not found");
    const used = [...this.keys.keys(), ...this.folders].some((name) => name.startsWith(`${path}/`));
    if (used) return no(4, "Error:  108: Directory not empty");
    this.folders.delete(path);
    return yes("");
  }

  #etcd3([verb, key = ""]: readonly string[], stdin: string): Said {
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    if (verb === "get") {
      const value = this.keys.get(`v3 ${key}`);
      return yes(JSON.stringify(value === undefined ? {} : { kvs: [{ key: base64(key), value: base64(value) }] }));
    }
    const [condition = "", action = ""] = stdin.split("\n\n");
    const [, what, name = "", wanted = ""] = /^(create|value)\("(.*?)"\) = "(.*)"$/.exec(condition) ?? [];
    const found = this.keys.get(`v3 ${name}`);
    if (what === "create" ? found !== undefined : found !== wanted) return yes("FAILURE\n");
    const [, put, value = ""] = /^put "(.*?)" "(.*)"$/.exec(action) ?? [];
    if (put === undefined) this.keys.delete(`v3 ${name}`);
    else this.keys.set(`v3 ${put}`, value);
    return yes("SUCCESS\n");
  }
}

function byKey([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return a < b ? -1 : 1;
}

function yes(stdout: string): Said {
  return { code: 0, stdout, stderr: "" };
}

function no(code: number, stderr: string): Said {
  return { code, stdout: "", stderr };
}
