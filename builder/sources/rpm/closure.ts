/** All that wanted rpm packages need beyond a base. Pure: the same lists give the same packages in the same order. */
import { ExpectedError } from "#cli/errors";
import type { RpmPackage } from "./metadata.ts";
import { type Capability, compareEvr, formatEvr, parseEvr, satisfies } from "./version.ts";

export interface RpmQuestion {
  readonly available: readonly RpmPackage[];
  /** Names of the wanted packages. */
  readonly names: readonly string[];
  /** Name → EVR of what a host has. */
  readonly base: ReadonlyMap<string, string>;
  /** rpm's name of the architecture: `x86_64`. */
  readonly arch: string;
  readonly where: string;
}

/** The packages to carry, those that others need first. PACKAGE_UNAVAILABLE names what nothing provides, and who wants it. */
export function rpmClosure(question: RpmQuestion): RpmPackage[] {
  const { base, arch, where } = question;
  const usable = question.available.filter((one) => one.arch === arch || one.arch === "noarch");
  const providers = indexOf(usable);
  const baseHas = baseCapabilities(usable, base);
  const chosen = new Map<string, RpmPackage>();
  const order: RpmPackage[] = [];

  const isMet = (wanted: Capability): boolean =>
    wanted.name.startsWith("rpmlib(") ||
    baseHas(wanted) ||
    candidates(providers, wanted).some((one) => chosen.get(one.name) === one);

  const take = (found: RpmPackage): void => {
    const before = chosen.get(found.name);
    if (before === found) return;
    if (before !== undefined) throw conflict(found, before, where);
    chosen.set(found.name, found);
    for (const wanted of found.requires) need(wanted, found.name);
    order.push(found);
  };
  const need = (wanted: Capability, by: string): void => {
    if (wanted.name.startsWith("(")) return rich(wanted, by);
    if (isMet(wanted)) return;
    const best = pick(candidates(providers, wanted), wanted);
    if (best === undefined) throw missing(wanted, by, where);
    take(best);
  };
  /** `(a or b)`, `(a and b)`, `(a if b)`: those are the ones that distributions' packages use. */
  const rich = (wanted: Capability, by: string): void => {
    const [, left = "", word, right = ""] = /^\((.+?) (or|and|if) (.+)\)$/.exec(wanted.name) ?? [];
    if (/[()]/.test(`${left}${right}`.replaceAll(/\w\([^)]*\)(\([^)]*\))?/g, "")) || word === undefined) {
      throw missing(wanted, by, where, "this kind of dependency is not understood");
    }
    if (word === "if") {
      // A condition on what no wanted package brings is a condition on the host: then it has what it needs.
      if (isMet(parseCapability(right))) need(parseCapability(left), by);
    } else if (word === "and") {
      need(parseCapability(left), by);
      need(parseCapability(right), by);
    } else if (!isMet(parseCapability(left)) && !isMet(parseCapability(right))) {
      const first = parseCapability(candidates(providers, parseCapability(left)).length > 0 ? left : right);
      need(first, by);
    }
  };

  for (const name of question.names) {
    const named = usable.filter((one) => one.name === name);
    const best = newest(named);
    if (best === undefined) throw missing({ name, flags: null, evr: null }, "packages: in cluster.yaml", where);
    const had = base.get(name);
    if (had === undefined || (had !== "" && compareEvr(parseEvr(had), best.evr) < 0)) take(best);
  }
  return order;
}

type Providers = ReadonlyMap<string, readonly { readonly from: RpmPackage; readonly capability: Capability }[]>;

function indexOf(packages: readonly RpmPackage[]): Providers {
  const index = new Map<string, { from: RpmPackage; capability: Capability }[]>();
  const add = (from: RpmPackage, capability: Capability): void => {
    const list = index.get(capability.name);
    if (list === undefined) index.set(capability.name, [{ from, capability }]);
    else list.push({ from, capability });
  };
  for (const one of packages) {
    for (const capability of one.provides) add(one, capability);
    for (const path of one.files) add(one, { name: path, flags: null, evr: null });
  }
  return index;
}

function candidates(providers: Providers, wanted: Capability): RpmPackage[] {
  const list = providers.get(wanted.name) ?? [];
  return [...new Set(list.filter(({ capability }) => satisfies(capability, wanted)).map(({ from }) => from))];
}

/** What the base's packages provide; of a base package that the repository does not list, at least its own name. */
function baseCapabilities(packages: readonly RpmPackage[], base: ReadonlyMap<string, string>) {
  const provided = new Map<string, Capability[]>();
  const add = (capability: Capability): void => {
    provided.set(capability.name, [...(provided.get(capability.name) ?? []), capability]);
  };
  for (const [name, evr] of base) {
    add({ name, flags: evr === "" ? null : "EQ", evr: evr === "" ? null : parseEvr(evr) });
    const listed = packages.filter((one) => one.name === name);
    const same = listed.find((one) => evr !== "" && formatEvr(one.evr) === formatEvr(parseEvr(evr))) ?? newest(listed);
    for (const capability of same?.provides ?? []) if (capability.name !== name) add(capability);
    for (const path of same?.files ?? []) add({ name: path, flags: null, evr: null });
  }
  return (wanted: Capability): boolean => (provided.get(wanted.name) ?? []).some((one) => satisfies(one, wanted));
}

/** The package of that very name before others, then the newest, then by name. */
function pick(found: readonly RpmPackage[], wanted: Capability): RpmPackage | undefined {
  const named = found.filter((one) => one.name === wanted.name);
  return newest(named.length > 0 ? named : found);
}

function newest(packages: readonly RpmPackage[]): RpmPackage | undefined {
  const order = (a: RpmPackage, b: RpmPackage): number => (a.name < b.name ? -1 : Number(a.name > b.name));
  return packages.toSorted((a, b) => (a.name === b.name ? compareEvr(b.evr, a.evr) : order(a, b)))[0];
}

/** `foo >= 1.0`, `foo`. */
function parseCapability(text: string): Capability {
  const [, name = text.trim(), sign, evr = ""] = /^\s*(\S+)\s+(<=|>=|<|>|=)\s+(\S+)\s*$/.exec(text) ?? [];
  const flags = { "<=": "LE", ">=": "GE", "<": "LT", ">": "GT", "=": "EQ" } as const;
  if (sign === undefined || !(sign in flags)) return { name, flags: null, evr: null };
  return { name, flags: flags[sign as keyof typeof flags], evr: parseEvr(evr) };
}

function missing(
  wanted: Capability,
  by: string,
  where: string,
  why = "no repository and not the base has it",
): ExpectedError {
  const range = wanted.flags === null || wanted.evr === null ? "" : ` ${wanted.flags} ${formatEvr(wanted.evr)}`;
  return new ExpectedError("PACKAGE_UNAVAILABLE", `${wanted.name}${range}, which ${by} wants: ${why}`, {
    where,
    hint: "name one more repository (a distribution's AppStream beside its BaseOS), or add it to the base",
  });
}

function conflict(found: RpmPackage, before: RpmPackage, where: string): ExpectedError {
  return new ExpectedError("PACKAGE_UNAVAILABLE", `two versions of ${found.name} are wanted at once`, {
    where,
    expected: formatEvr(found.evr),
    found: formatEvr(before.evr),
  });
}
