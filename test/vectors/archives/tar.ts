/** Tar archives as an attacker would write them: nothing is checked, every field can be set. */

export interface TarEntry {
  readonly name: string;
  readonly content?: string | Buffer;
  /** Type flag; `0` is a file. */
  readonly type?: string;
  readonly target?: string;
  /** What the header says instead of the content's length. */
  readonly size?: number;
  readonly wrongChecksum?: boolean;
}

/** Entries, and the two empty blocks at the end unless `end` is false. */
export function tar(entries: readonly TarEntry[], end = true): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(end ? 1024 : 0)]);
}

export function tarEntry(entry: TarEntry): Buffer {
  const content = Buffer.from(entry.content ?? "");
  const header = Buffer.alloc(512);
  const field = (offset: number, text: string): number => header.write(text, offset, "latin1");
  header.write(entry.name, 0, 100, "utf8");
  field(100, "0000755\0");
  field(108, "0000000\0");
  field(116, "0000000\0");
  field(124, `${(entry.size ?? content.length).toString(8).padStart(11, "0")}\0`);
  field(136, "00000000000\0");
  field(148, "        ");
  field(156, entry.type ?? "0");
  header.write(entry.target ?? "", 157, 100, "utf8");
  field(257, "ustar\x0000");
  const sum = header.reduce((total, byte) => total + byte, entry.wrongChecksum === true ? 1 : 0);
  field(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** A pax extended header (`x`), or a global one (`g`), for what follows. */
export function pax(records: Readonly<Record<string, string>>, type = "x"): TarEntry {
  const content = Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      let length = rest.length + 1;
      while (`${length}${rest}`.length !== length) length += 1;
      return `${length}${rest}`;
    })
    .join("");
  return { name: "PaxHeader", content, type };
}
