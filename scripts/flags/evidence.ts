/** What upstream says of a flag in each minor: its sources, and the reference pages that it generates from them. */
import { says } from "./compare.ts";
import { type Checkout, parseCheckout, readCheckout, within } from "./checkout.ts";
import { daemons, type Place } from "./daemons.ts";
import { registrationsOf } from "./registrations.ts";

/** Something that was read of one minor. Pages hide what is deprecated: only sources tell that a flag is not there. */
export interface Reading extends Checkout {
  readonly minor: string;
  readonly kind: "sources" | "pages";
}

export interface Sighting {
  readonly minor: string;
  readonly kind: Reading["kind"];
  /** `repository@revision:path:line` */
  readonly cited: string;
  readonly deprecated: boolean;
}

export interface Evidence {
  /** By flag. */
  readonly sightings: ReadonlyMap<string, readonly Sighting[]>;
  /** Minors whose sources were read whole. */
  readonly whole: ReadonlySet<string>;
  /** Minors of which anything was read. */
  readonly read: ReadonlySet<string>;
}

/** `1.28=FOLDER@REVISION`, or `1.28=pages:FOLDER@REVISION`. */
export function parseReading(text: string): Reading {
  const [, minor = "", pages, rest = ""] = /^(1\.\d+)=(pages:)?(.+)$/.exec(text) ?? [];
  if (rest === "") throw new Error(`${text} is not MINOR=FOLDER@REVISION`);
  return { minor, kind: pages === undefined ? "sources" : "pages", ...parseCheckout(rest) };
}

const pageOf = (daemon: string): string => `content/en/docs/reference/command-line-tools-reference/${daemon}.md`;
const paths = [
  ...Object.values(daemons)
    .flat()
    .map(({ path }) => path),
  ...Object.keys(daemons).map(pageOf),
];

/** Everything that the readings say, by daemon. */
export function evidenceOf(readings: readonly Reading[]): ReadonlyMap<string, Evidence> {
  const read = readings.map((reading) => ({ reading, texts: readCheckout(reading, paths) }));
  return new Map(
    Object.entries(daemons).map(([daemon, places]) => {
      const found = read.flatMap(({ reading, texts }) =>
        reading.kind === "pages" ? onPage(pageOf(daemon), reading, texts) : inSources(places, reading, texts),
      );
      const minors = (of: readonly Found[]): ReadonlySet<string> => new Set(of.map(({ minor }) => minor));
      return [
        daemon,
        {
          sightings: Map.groupBy(found, ({ flag }) => flag),
          whole: minors(found.filter(({ kind }) => kind === "sources")),
          read: minors(found),
        },
      ];
    }),
  );
}

type Texts = ReadonlyMap<string, string>;
type Found = Sighting & { readonly flag: string };

function inSources(places: readonly Place[], reading: Reading, texts: Texts): Found[] {
  const { minor, kind } = reading;
  if (places.some(({ main, path }) => main && within(texts, path).length === 0)) return [];
  return places
    .filter(({ since, until }) => says({ added: since, removed: until }, minor))
    .flatMap((place) =>
      within(texts, place.path).flatMap(([path, text]) =>
        registrationsOf(text)
          .filter(({ flag }) => place.flags?.includes(flag) ?? true)
          .filter((one) => place.only?.some((name) => one.within === name || one.within.startsWith(`${name}.`)) ?? true)
          .flatMap(({ flag, line, deprecated }) =>
            (flag.includes("%s") ? (place.formatted ?? []) : [""]).map((word) => {
              return { flag: flag.replace("%s", word), minor, kind, deprecated, cited: cite(reading, path, line) };
            }),
          ),
      ),
    );
}

/** kube-proxy's page has flags of other programs that are built into upstream's generator, as 1.28's own sources show. */
const polluted = ["kube-proxy"];

function onPage(path: string, reading: Reading, texts: Texts): Found[] {
  const { minor, kind } = reading;
  if (polluted.some((daemon) => path === pageOf(daemon))) return [];
  return (texts.get(path) ?? "").split("\n").flatMap((text, index) => {
    const flag = /^\s*<td colspan="2">(?:-\w, )?--([\w-]+)/.exec(text)?.[1];
    if (flag === undefined) return [];
    return [{ flag: flag.replaceAll("_", "-"), minor, kind, deprecated: false, cited: cite(reading, path, index + 1) }];
  });
}

function cite({ folder, revision }: Checkout, path: string, line: number): string {
  const repository = folder
    .split("/")
    .filter((part) => part !== "repo" && part !== "")
    .at(-1);
  return `${repository}@${revision.slice(0, 40)}:${path}:${line}`;
}
