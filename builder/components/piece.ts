/** A file of one node, before what is the same on several nodes is gathered into one entry. */
import type { Origin, Role } from "#bundle";

export interface Piece {
  readonly path: string;
  readonly mode: string;
  readonly content: string;
  readonly sensitive: boolean;
  /** The node has it when one of these roles is installed. */
  readonly roles: readonly Role[];
  readonly origin: Origin;
}
