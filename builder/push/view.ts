/** What people see while many hosts are at work: lines that stay, and on a terminal below them one row for each host at work. */
import { visible, type Writer } from "#cli/reporter";
import type { Surroundings } from "#cli/run";

export interface View {
  /** The same surroundings; what is written to them appears above the rows. */
  readonly surroundings: Surroundings;
  /** What a host does just now; null: nothing any more. */
  show(label: string, text: string | null): void;
  close(): void;
}

/** Milliseconds between two drawings, and between two signs of life in a log. */
const redraw = 100;
const heartbeat = 10_000;

/** Rows are drawn on stderr where that is a terminal that can go up a line; a log gets a line a host every 10 seconds. */
export function createView(surroundings: Surroundings, labels: readonly string[], quiet: boolean): View {
  const { err } = surroundings;
  const drawn = err.isTTY === true && surroundings.environment["TERM"] !== "dumb" && !quiet;
  const width = Math.max(0, ...labels.map((label) => label.length));
  const rows = new Map<string, string>();
  let lines = 0;

  const clear = (): void => {
    if (lines > 0) err.write(`\x1b[${lines}A\x1b[J`);
    lines = 0;
  };
  const draw = (): void => {
    clear();
    const all = rowsOf(rows, width, (err.columns ?? 80) - 1, (err.rows ?? 24) - 2);
    for (const row of all) err.write(`${row}\n`);
    lines = all.length;
  };
  const tell = (): void => {
    for (const [label, text] of rows) err.write(`${visible(`${label.padEnd(width)}  ${text}`)}\n`);
  };
  const timer = setInterval(drawn ? draw : quiet ? () => undefined : tell, drawn ? redraw : heartbeat);
  timer.unref();
  const above = (writer: Writer): Writer => ({
    write(text: string) {
      clear();
      return writer.write(text);
    },
    isTTY: writer.isTTY,
    columns: writer.columns,
  });
  return {
    surroundings: drawn ? { ...surroundings, out: above(surroundings.out), err: above(err) } : surroundings,
    show(label, text) {
      if (text === null) rows.delete(label);
      else rows.set(label, text);
    },
    close() {
      clearInterval(timer);
      clear();
    },
  };
}

/** At most `height` rows, each no wider than the terminal; the last says how many more there are. */
export function rowsOf(rows: ReadonlyMap<string, string>, width: number, columns: number, height: number): string[] {
  const all = [...rows].map(([label, text]) => visible(`${label.padEnd(width)}  ${text}`).slice(0, columns));
  const most = Math.max(height, 1);
  if (all.length <= most) return all;
  return [...all.slice(0, most - 1), `and ${all.length - most + 1} more`.slice(0, columns)];
}
