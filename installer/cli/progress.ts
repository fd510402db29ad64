/** Progress of what takes long: on a terminal one line that is drawn over, elsewhere a line now and then. */
import { english, type Language } from "./language/language.ts";
import { formatBytes, formatSeconds } from "./quantities.ts";

export interface Progressed {
  readonly task: string;
  readonly done: number;
  /** Null when unknown. */
  readonly total: number | null;
  readonly unit: "bytes" | "items";
}

export interface ProgressOptions {
  /** Where one line can be drawn over; null in a log, and on a terminal that only prints. */
  readonly terminal: { write(text: string): unknown; readonly columns?: number | undefined } | null;
  /** Called at most every ten seconds, and never for what takes less. */
  readonly heartbeat: (progressed: Progressed, text: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
  readonly language?: Language;
}

export interface Progress {
  report(progressed: Progressed): void;
  /** Takes the drawn line away, before anything else is written. */
  clear(): void;
}

const drawEvery = 100;
const beatEvery = 10_000;

export function createProgress({ terminal, heartbeat, now, language = english }: ProgressOptions): Progress {
  const started = new Map<string, { at: number; from: number }>();
  let isDrawn = false;
  let [drawn, beaten] = [-Infinity, -Infinity];

  function clear(): void {
    if (isDrawn) terminal?.write("\r\x1b[K");
    isDrawn = false;
  }

  function report(progressed: Progressed): void {
    const { task, done, total } = progressed;
    const at = now();
    const start = started.get(task) ?? { at, from: done };
    started.set(task, start);
    if (total !== null && done >= total) {
      started.delete(task);
      clear();
      return;
    }
    const figures = figuresOf(progressed, (done - start.from) / Math.max((at - start.at) / 1000, 0.001), language);
    if (at - Math.max(beaten, start.at) >= beatEvery) {
      beaten = at;
      heartbeat(progressed, `${task}${figures}`);
    }
    if (terminal === null || at - drawn < drawEvery) return;
    drawn = at;
    clear();
    isDrawn = true;
    terminal.write(fit(task, figures, (terminal.columns ?? 80) - 1, language));
  }

  return { report, clear };
}

/** On a narrow terminal the name is cut, and the time that is left is seen. */
function fit(task: string, figures: string, width: number, { columnsOf }: Language): string {
  const room = Math.max(width - columnsOf(figures), 8);
  const name = task.length <= room ? task : `${task.slice(0, room - 3)}...`;
  return `${name}${figures}`.slice(0, width);
}

function figuresOf({ done, total, unit }: Progressed, rate: number, { say }: Language): string {
  const show = unit === "bytes" ? formatBytes : (count: number) => String(Math.round(count));
  const parts = [total === null ? show(done) : `${show(done)}${say(" of ")}${show(total)}`];
  if (total !== null && rate > 0) parts.push(`${formatSeconds((total - done) / rate)}${say(" left")}`);
  if (unit === "bytes") parts.push(`${show(rate)}/s`);
  return parts.map((part) => `  ${part}`).join("");
}
