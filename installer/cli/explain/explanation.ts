/** One error code or check in words. */
export interface Explanation {
  /** One sentence. */
  readonly meaning: string;
  readonly causes: readonly string[];
  readonly remedies: readonly string[];
}
