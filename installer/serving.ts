/** After an upgrade was taken back by itself: does what was there before serve again? */
import { isExpected, messageOf } from "#kit/errors";
import type { Context } from "./context.ts";
import { gate } from "./gate.ts";
import type { Host } from "./host/host.ts";
import { currentTransactions } from "./journal/installed.ts";
import type { State } from "./journal/state.ts";
import { transactions } from "./journal/transaction.ts";

/** Tells whether the installation that is left on the host is healthy; a bare host says nothing. */
export async function tellServing(host: Host, state: State, context: Context): Promise<void> {
  const { reporter } = context;
  const present = currentTransactions(transactions(state.journal.read()));
  if (!host.live || present.length === 0 || context.signal.aborted) return;
  for (const { header } of present) {
    try {
      await gate(
        host,
        header,
        context,
      )(
        "restored",
        header.checks.map(({ name }) => name),
      );
    } catch (error) {
      if (!isExpected(error)) throw error;
      reporter.warn(`what was installed before does not serve again: ${messageOf(error)}`);
      return;
    }
  }
  reporter.stage("restored", "what was installed before serves again");
}
