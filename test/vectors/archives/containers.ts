/** ar, and a .deb of it, as an attacker would write them. */

export interface Part {
  readonly name: string;
  readonly content: Buffer;
  /** What the header says instead of the content's length. */
  readonly size?: number;
}

export function ar(parts: readonly Part[]): Buffer {
  const members = parts.map(({ name, content, size }) => {
    const header = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}${String(size ?? content.length).padEnd(10)}\`\n`;
    return Buffer.concat([Buffer.from(header), content, Buffer.alloc(content.length % 2, "\n")]);
  });
  return Buffer.concat([Buffer.from("!<arch>\n"), ...members]);
}

export function deb(data: Buffer, name = "data.tar"): Buffer {
  return ar([
    { name: "debian-binary", content: Buffer.from("2.0\n") },
    { name: "control.tar", content: Buffer.alloc(1024) },
    { name, content: data },
  ]);
}
