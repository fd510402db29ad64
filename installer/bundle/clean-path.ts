/** Paths that may stand in a bundle: absolute, normalized, and with nothing that a terminal or a shell would mistake. */
export function isCleanAbsolute(path: string): boolean {
  return (
    path.startsWith("/") &&
    !/[\x00-\x1f\x7f\\]/.test(path) &&
    path
      .slice(1)
      .split("/")
      .every((part) => part !== "" && part !== "." && part !== "..")
  );
}
