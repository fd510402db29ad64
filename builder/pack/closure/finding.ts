/** What the closure check tells: one thing that a node would lack. */

export type ClosureCheck = "executable" | "file" | "unit" | "image" | "interpreter" | "library" | "platform";

export interface ClosureFinding {
  readonly check: ClosureCheck;
  /** A warning does not stop the build: most hosts have the thing. */
  readonly severity: "error" | "warning";
  /** What is missing or wrong: a path, an image, a library. */
  readonly missing: string;
  /** The file, unit or check that needs it. */
  readonly neededBy: string;
  /** `n1 (linux/amd64)`: the first node that lacks it. */
  readonly node: string;
  readonly message: string;
  /** What to add, and where. */
  readonly hint: string;
}
