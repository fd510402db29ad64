/** Ways to change what is inside of a bundle's members, and to mix two bundles of one signer. Drawn by fast-check. */
import * as fc from "fast-check";
import { encodeHeader, paddingOf } from "#bundle";
import { membersOf, type Mutation, tarMutation } from "./mutate-tar.ts";

const block = 512;
/** The parts of a bundle that an attacker aims at, by their members' names. */
const parts: readonly (readonly [name: string, path: RegExp])[] = [
  ["signature", /^SHA256SUMS.*minisig$/],
  ["SHA256SUMS", /^SHA256SUMS$/],
  ["index", /^bundle\.json$/],
  ["frame", /^blobs\//],
  ["secrets", /^secrets\//],
  ["program", /^install$/],
];
const edits = ["flip", "cut", "swap", "insert", "overwrite"] as const;

const text = fc.oneof(
  fc.constantFrom("\n", "\r\n", "\0", " ", "  install\n", "untrusted comment: \n", '"', "{}", ",", "../", "\ufeff"),
  fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 24 }),
);
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

/** One part's content changed; its header made to fit, or at times left as it was. */
const memberEdit = fc
  .tuple(
    fc.constantFrom(...parts),
    fc.constantFrom(...edits),
    place,
    place,
    fc.integer({ min: 1, max: 255 }),
    text,
    fc.boolean(),
  )
  .map(([[part, path], edit, first, second, bits, more, fits]): Mutation => ({
    kind: part,
    name: `${part}: ${edit} at ${first}, ${second}, ^ ${bits}, ${JSON.stringify(more)}${fits ? "" : ", header as it was"}`,
    apply(bytes) {
      return withPart(bytes, path, fits, (content) => {
        const [from, to] = [Math.floor(first * content.length), Math.floor(second * content.length)];
        const copy = Buffer.from(content);
        const added = Buffer.from(more, "latin1");
        if (edit === "flip") copy[from] = (copy[from] ?? 0) ^ bits;
        if (edit === "overwrite") added.copy(copy, from);
        if (edit === "swap") [copy[from], copy[to]] = [copy[to] ?? 0, copy[from] ?? 0];
        if (edit === "cut") return copy.subarray(0, from);
        if (edit === "insert") return Buffer.concat([copy.subarray(0, from), added, copy.subarray(from)]);
        return copy;
      });
    },
  }));

/** One part of another bundle of the same signer in the place of this one's. */
function transplant(others: readonly Buffer[]): fc.Arbitrary<Mutation> {
  return fc.tuple(fc.constantFrom(...parts), fc.nat(), place, fc.boolean()).map(([[part, path], at, cut, whole]) => ({
    kind: "transplant",
    name: `${part} of bundle ${at % others.length}${whole ? "" : ` from ${cut} on`}`,
    apply(bytes) {
      const other = others[at % others.length] ?? bytes;
      const donor = membersOf(other).find((member) => path.test(nameOf(member)));
      if (donor === undefined) return bytes;
      const given = contentOf(donor);
      return withPart(bytes, path, true, (content) => {
        const from = whole ? 0 : Math.floor(cut * content.length);
        return Buffer.concat([content.subarray(0, from), given.subarray(from)]);
      });
    },
  }));
}

/** One mutation of a bundle, or two after each other; `others` are bundles of the same signer. */
export function mutations(others: readonly Buffer[]): fc.Arbitrary<Mutation[]> {
  const one = fc.oneof(
    { weight: 5, arbitrary: tarMutation },
    { weight: 4, arbitrary: memberEdit },
    { weight: 1, arbitrary: transplant(others) },
  );
  return fc.array(one, { minLength: 1, maxLength: 2 });
}

function withPart(bytes: Buffer, path: RegExp, fits: boolean, change: (content: Buffer) => Buffer): Buffer {
  const list = membersOf(bytes);
  const at = list.findIndex((member) => path.test(nameOf(member)));
  const member = list[at];
  if (member === undefined) return bytes;
  const content = change(contentOf(member));
  const mode = path.test("install") ? 0o755 : 0o644;
  const header = fits ? encodeHeader(nameOf(member), content.length, mode) : member.subarray(0, block);
  list.splice(at, 1, Buffer.concat([header, content, Buffer.alloc(paddingOf(content.length))]));
  return Buffer.concat([...list, Buffer.alloc(2 * block)]);
}

function nameOf(member: Buffer): string {
  const [name, prefix] = [member.toString("latin1", 0, 100), member.toString("latin1", 345, 500)].map(
    (field) => field.split("\0")[0],
  );
  return prefix === "" ? (name ?? "") : `${prefix}/${name}`;
}

function contentOf(member: Buffer): Buffer {
  const size = Number.parseInt(member.toString("latin1", 124, 135), 8);
  return member.subarray(block, block + (Number.isNaN(size) ? 0 : size));
}
