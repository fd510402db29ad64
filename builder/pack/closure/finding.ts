/** What the closure check tells: one thing that a node would lack. */

export interface ClosureFinding {
  /** `executable`, `file`, `unit`, `image`, `interpreter`, `library`, `platform`. */
  readonly check: ClosureCheck;
  /** The thing that is missing or wrong: a path, an image, a library. */
  readonly missing: string;
  /** The file that needs it. */
  readonly neededBy: string;
  /** `n1 (linux/amd64)`, the first node that lacks it. */
  readonly node: string;
  readonly message: string;
  /** What to add, and where. */
  readonly hint: string;
}

export type ClosureCheck = "executable" | "file" | "unit" | "image" | "interpreter" | "library" | "platform";
