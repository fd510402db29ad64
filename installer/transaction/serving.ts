/** After a change was taken back: does what was there before serve again? And what does a node still wait for? */
import { errorsIn, failing } from "#cli/finding";
import type { Reporter } from "#cli/reporter";
import { describeAwaited, stillAwaited } from "../checks/awaited.ts";
import type { Context } from "../context.ts";
import { healthOf } from "./gate.ts";
import type { Host, HostReader } from "../host/host.ts";
import { currentTransactions } from "../journal/installed.ts";
import type { Header } from "../journal/journal.ts";
import type { State } from "../journal/state.ts";
import { transactions } from "../journal/transaction.ts";

/** However many checks there are: what does not serve by then is not waited for any longer. */
const patience = 10 * 60 * 1000;

/**
 * Tells whether the installation that is left on the host is healthy, by the checks that apply waits for; a bare host
 * says nothing. Ends by itself after ten minutes, and at once with Ctrl-C.
 */
export async function reportHealth(host: Host, state: State, context: Context): Promise<void> {
  const { reporter } = context;
  // One that could not be taken back whole is not what was there before.
  const whole = transactions(state.journal.read()).filter((one) => one.state !== "undoing");
  const present = currentTransactions(whole);
  if (!host.live || present.length === 0 || context.signal.aborted) return;
  reporter.info("Waiting for what was installed before (Ctrl-C ends only the waiting).");
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(patience)]);
  const sick: string[] = [];
  for (const { header, phases } of present) {
    const gates = phases.flatMap((phase) => phase.gates);
    try {
      const findings = await healthOf(
        host,
        header,
        { phase: "restored", gates, excused: true },
        { ...context, signal },
      );
      if (errorsIn(findings).length > 0) sick.push(failing(findings));
      await tellAwaited(host, header, reporter);
    } catch (error) {
      if (!signal.aborted) throw error;
      const why = context.signal.aborted ? "stopped by a signal" : "it took more than ten minutes";
      return reporter.warn(`whether what was installed before serves is not known: ${why}; next: ./install status`);
    }
  }
  if (sick.length === 0) reporter.stage("restored", "what was installed before serves again");
  else reporter.warn(`what was installed before does not serve again: ${sick.join("; ")}`);
}

/** What comes about by itself once other hosts are installed or up again. */
export async function tellAwaited(host: HostReader, header: Pick<Header, "checks">, reporter: Reporter): Promise<void> {
  if (!host.live) return;
  for (const awaited of await stillAwaited(header.checks)) {
    reporter.record("awaited", { ...awaited });
    reporter.stage("waits", `for ${describeAwaited(awaited)} yet; this node goes on by itself when that is there`);
  }
}
