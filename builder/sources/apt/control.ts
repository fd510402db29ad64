/** Stanzas of Debian's control format: `Packages` indexes, dpkg's status, the output of apt-cache show. */

export type Stanza = ReadonlyMap<string, string>;

/** Stanzas in order; field names in lower case; continued lines joined by line feeds. */
export function parseStanzas(text: string): Stanza[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => {
      const fields = new Map<string, string>();
      let last = "";
      for (const line of block.split("\n")) {
        if (/^[ \t]/.test(line)) fields.set(last, `${fields.get(last) ?? ""}\n${line.slice(1)}`);
        const colon = line.indexOf(":");
        if (colon <= 0 || /^[ \t#]/.test(line)) continue;
        last = line.slice(0, colon).toLowerCase();
        fields.set(last, line.slice(colon + 1).trim());
      }
      return fields;
    })
    .filter((fields) => fields.size > 0);
}
