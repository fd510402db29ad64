/** What a journal's transactions add up to: what is installed now, and which of them still say how. Pure. */
import type { Role } from "#bundle";
import { goalsIn, nameOf } from "../resources/catalogue.ts";
import type { Goal } from "../resources/resource.ts";
import type { Header } from "./journal.ts";
import type { Transaction } from "./transaction.ts";

/**
 * What is installed, by name: of the transactions that speak for the host, and of renewals. What a bundle that was
 * replaced since wanted, but found there already, is the host's own again.
 */
export function installedGoals(all: readonly Transaction[]): Map<string, Goal> {
  const current = new Set(currentTransactions(all));
  return foldGoals(onHost(all).filter((one) => current.has(one) || one.header.action === "renew"));
}

/** By name, the newest goal. What a later transaction gave back is not in it. */
export function foldGoals(present: readonly Transaction[]): Map<string, Goal> {
  const result = new Map<string, Goal>();
  for (const goal of present.flatMap(goalsIn)) {
    if (goal.back === undefined) result.set(nameOf(goal), goal);
    else result.delete(nameOf(goal));
  }
  return result;
}

/**
 * The transactions that speak for the host, oldest first: those on it, without those whose roles were all installed
 * again from another bundle since, and without what brings no software: renewals, etcd's data.
 */
export function currentTransactions(all: readonly Transaction[]): Transaction[] {
  const present = onHost(all).filter(({ header }) => bringsSoftware(header));
  return present.filter((one, at) => {
    const later = present.slice(at + 1);
    return !later.some((newer) => isReplaced(one, newer.header.bundle.payload, rolesOf(later, newer)));
  });
}

export function bringsSoftware({ action }: Pick<Header, "action">): boolean {
  return action === undefined || action === "upgrade";
}

/** Transactions that were not taken back. */
export function onHost(all: readonly Transaction[]): Transaction[] {
  return all.filter(({ state }) => state !== "gone");
}

/** Whether installing `roles` of the bundle `payload` leaves nothing of `old` to speak for. */
export function isReplaced(old: Transaction, payload: string, roles: readonly Role[]): boolean {
  return old.header.bundle.payload !== payload && old.header.roles.every((role) => roles.includes(role));
}

/** The roles that `transactions` brought from the same bundle as `one`. */
function rolesOf(transactions: readonly Transaction[], one: Transaction): Role[] {
  return transactions
    .filter(({ header }) => header.bundle.payload === one.header.bundle.payload)
    .flatMap(({ header }) => header.roles);
}
