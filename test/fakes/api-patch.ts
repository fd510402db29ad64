/** Patches as an API server applies them, as far as kubectl sends them in the tests. */

type Fields = Record<string, unknown>;

/** RFC 7386: null takes a field away, objects are merged, everything else is replaced. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, false);
}

/** The same, with lists of named things merged by their names; a `$patch: delete` among them takes one away. */
export function strategicPatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, true);
}

function merge(target: unknown, patch: unknown, strategic: boolean): unknown {
  if (strategic && Array.isArray(target) && Array.isArray(patch) && patch.every(isNamed))
    return mergeLists(target, patch);
  if (!isFields(patch)) return patch;
  const result: Fields = isFields(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith("$")) continue;
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value, strategic);
  }
  return result;
}

function mergeLists(target: readonly unknown[], patch: readonly Fields[]): unknown[] {
  const result = [...target];
  for (const item of patch) {
    const at = result.findIndex((one) => isFields(one) && one["name"] === item["name"]);
    if (item["$patch"] === "delete") result.splice(at, at < 0 ? 0 : 1);
    else if (at < 0) result.push(item);
    else result[at] = merge(result[at], item, true);
  }
  return result;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNamed(value: unknown): value is Fields {
  return isFields(value) && typeof value["name"] === "string";
}
