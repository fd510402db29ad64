/** Rules of netfilter in the kernel, by whichever of its three ways they came: iptables' two back ends, and nft itself. */
import type { Effect } from "../../host/effect.ts";
import type { HostReader } from "../../host/host.ts";
import { grown } from "./grown.ts";
import { parseSaved, type SavedTable } from "./iptables-save.ts";
import { changeOf, isOwnTable, type RulesOwner } from "./rules.ts";

export type NetfilterId = RulesOwner;

interface Backend {
  /** `iptables-nft`: with `-save` and `-restore` it is a program of the host. */
  readonly program: string;
  readonly family: "ip" | "ip6";
  readonly nft: boolean;
  readonly tables: readonly SavedTable[];
}

export interface NetfilterState {
  readonly backends: readonly Backend[];
  /** `ip kube-proxy`, as nft lists them; none where the host has no nft. */
  readonly tables: readonly string[];
  /** Names of sets of ipset. */
  readonly sets: readonly string[];
}

const setNames = /^(KUBE-|cali)/;
const outputLimit = 1 << 27;

export const netfilter = grown<NetfilterId, NetfilterState>({
  name: () => "rules of netfilter",
  async inspect(host) {
    if (!host.live) return { backends: [], tables: [], sets: [] };
    const nft = await isInKernel(host, "nf_tables");
    const listed = nft ? await host.query(["nft", "list", "tables"]) : null;
    const sets = (await isInKernel(host, "ip_set")) ? await host.query(["ipset", "list", "-name"]) : null;
    return {
      backends: await backendsOf(host, nft),
      tables: lines(listed).flatMap((line) => /^table (\S+ \S+)/.exec(line)?.[1] ?? []),
      sets: lines(sets),
    };
  },
  steps(owner, now, before) {
    const rules: Effect[] = [];
    const tables = now.tables.filter((table) => !before.tables.includes(table) && isOwnTable(table, owner));
    for (const { program, family, nft, tables: found } of now.backends) {
      const old = before.backends.find((one) => one.program === program)?.tables;
      const changes = found.map((table) =>
        changeOf(
          table,
          old?.find(({ name }) => name === table.name),
          owner,
        ),
      );
      const input = changes
        .filter((change) => change.lines.length > 0)
        .map((change) => [`*${change.table}`, ...change.lines, "COMMIT"].join("\n"));
      if (input.length > 0) {
        const argv = [`${program}-restore`, "--noflush"];
        rules.push({ do: "run", argv, input: `${input.join("\n")}\n`, timeoutSeconds: 600 });
      }
      // iptables makes a whole table when one rule of it is wanted; an empty one that was not there goes.
      const empty = changes.filter((change) => change.empty).map((change) => `${family} ${change.table}`);
      if (nft) tables.push(...empty.filter((table) => now.tables.includes(table) && !before.tables.includes(table)));
    }
    const gone = now.sets.filter((name) => setNames.test(name) && !before.sets.includes(name));
    return [
      ...rules,
      ...tables.map((table): Effect => ({
        do: "run",
        argv: ["nft", "delete", "table", ...table.split(" ")],
        forgive: "No such file or directory",
      })),
      ...gone.map((name): Effect => ({ do: "run", argv: ["ipset", "destroy", name], forgive: "does not exist" })),
    ];
  },
});

/**
 * Looking must not load what it looks at. What is built into a kernel without modules is there; /sys/module has most of the
 * rest, but not what takes no parameters and is built in.
 */
async function isInKernel(host: HostReader, module: string): Promise<boolean> {
  if ((await host.stat(`/sys/module/${module}`)) !== null) return true;
  const release = (await host.read("/proc/sys/kernel/osrelease"))?.trim() ?? "";
  const builtIn = await host.read(`/lib/modules/${release}/modules.builtin`);
  return builtIn === null || builtIn.split("\n").some((line) => line.endsWith(`/${module}.ko`));
}

/** Of each back end and family what its tables hold; a host may have one of them, both, or only the plain names. */
async function backendsOf(host: HostReader, nft: boolean): Promise<Backend[]> {
  const found: Backend[] = [];
  for (const [family, word, names] of [
    ["ip", "iptables", "/proc/net/ip_tables_names"],
    ["ip6", "ip6tables", "/proc/net/ip6_tables_names"],
  ] as const) {
    // It lists the tables that legacy iptables made, and is there only with its module.
    const legacy = ((await host.read(names)) ?? "").trim() !== "";
    if (!nft && !legacy) continue;
    const { code, stdout } = await host.query([word, "--version"]);
    const plain = code === 0 ? (stdout.includes("nf_tables") ? "nft" : "legacy") : null;
    for (const kind of ["nft", "legacy"] as const) {
      if (kind === "nft" ? !nft : !legacy) continue;
      const programs = [`${word}-${kind}`, ...(plain === kind ? [word] : [])];
      for (const program of programs) {
        const saved = await host.query([`${program}-save`], { outputLimit });
        if (saved.code !== 0) continue;
        found.push({ program, family, nft: kind === "nft", tables: parseSaved(saved.stdout) });
        break;
      }
    }
  }
  return found;
}

function lines(result: { code: number; stdout: string } | null): string[] {
  return result?.code === 0 ? result.stdout.split("\n").filter((line) => line !== "") : [];
}
