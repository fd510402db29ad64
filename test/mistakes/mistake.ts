/** A mistake of an operator, and what they are to read then. */
import type { Desk } from "./desk.ts";

/** What a text must have; of several, all. */
export type Words = string | RegExp | readonly (string | RegExp)[];

/**
 * One row: what is typed at the desk (`./install` in the unpacked bundle), the exit code with the error's code, the place
 * that is named, and what is said to do next. Last, what was there or was done before.
 */
export type Mistake = readonly [typed: string, answer: string, place: Words, next: Words, given?: (desk: Desk) => void];
