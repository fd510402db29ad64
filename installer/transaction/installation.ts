/** What a command begins with: this host, or the tree of `--root`, and what its journal says is installed there. */
import { ExpectedError } from "#cli/errors";
import type { Host } from "../host/host.ts";
import { createLocalHost } from "../host/local.ts";
import { currentTransactions } from "../journal/installed.ts";
import type { Header, JournalRecord } from "../journal/journal.ts";
import { type State, stateOf } from "../journal/state.ts";
import { type Transaction, transactions } from "../journal/transaction.ts";

export interface Installation {
  readonly root: string;
  readonly host: Host;
  readonly state: State;
  readonly records: readonly JournalRecord[];
  /** All transactions, oldest first. */
  readonly past: readonly Transaction[];
  /** Those that speak for the host. */
  readonly current: readonly Transaction[];
}

/** JOURNAL_INVALID, PATH_ESCAPES: see {@link stateOf}. */
export function openInstallation(root: string): Installation {
  const state = stateOf(root);
  const records = state.journal.read();
  const past = transactions(records);
  return { root, host: hostOf(root), state, records, past, current: currentTransactions(past) };
}

/** The same for what needs an installation, with the newest header that speaks for the host: NOT_INSTALLED. */
export function openInstalled(root: string): Installation & { readonly last: Header } {
  const found = openInstallation(root);
  const last = found.current.at(-1)?.header;
  if (last !== undefined) return { ...found, last };
  throw new ExpectedError("NOT_INSTALLED", "nothing is installed here", {
    where: root,
    hint: "./install --role ROLES --ip IP   or name the tree: --root DIR",
  });
}

/** LOCKED where another run wrote into the journal since it was read: what was planned is of another host. */
export function refuseChanged({ journal }: State, records: readonly JournalRecord[]): void {
  if (journal.read().length === records.length) return;
  const hint = "./install status, then run it again";
  throw new ExpectedError("LOCKED", "another installation changed this host in the meantime", { hint });
}

/** The host alone: its journal is not read. */
export function hostOf(root: string): Host {
  return createLocalHost({ root, contents: stateOf(root).contents });
}

/** Roles that are installed, each once. */
export function rolesOf(current: readonly Transaction[]): Transaction["header"]["roles"] {
  return [...new Set(current.flatMap(({ header }) => header.roles))];
}
