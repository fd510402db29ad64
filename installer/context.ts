/** What a command of the installer gets from the process it runs in. */
import type { Reporter } from "#cli/reporter";

export interface Context {
  readonly reporter: Reporter;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** The command line, for the journal and for whoever is kept waiting by it. */
  readonly command: string;
  /** This installer as a file that can be kept; null when it runs from source. */
  readonly executable: string | null;
  /** The command line's words, for another installer that has to take over. */
  readonly argv: readonly string[];
  /** Asks on the terminal; null where there is none. */
  ask(question: string, hidden: boolean): Promise<string | null>;
}
