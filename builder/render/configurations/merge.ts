/** What an operator says of a configuration file, put over what Kubeferry says. */

/** Mappings are merged, field by field; anything else, lists too, takes the place of ours. */
export function merged(
  ours: Readonly<Record<string, unknown>>,
  theirs: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result: Record<string, unknown> = { ...ours };
  for (const [name, value] of Object.entries(theirs)) {
    const own = ours[name];
    result[name] = isMapping(own) && isMapping(value) ? merged(own, value) : value;
  }
  return result;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
