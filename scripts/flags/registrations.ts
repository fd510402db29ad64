/** Which flags a Go source registers with pflag or flag, read by the shape of the calls; nothing of it is run. */

export interface Registration {
  readonly flag: string;
  /** From 1. */
  readonly line: number;
  /** The method or function that registers it: `RequestHeaderAuthenticationOptions.AddFlags`. */
  readonly within: string;
  readonly deprecated: boolean;
}

/** A name may have `%s` in it. `fs.StringVar(&o.X, "name", …)`, `fs.Var(v, "name", …)`, `fs.VarP(v, "name", "n", …)`, `fs.StringP("name", …)`, `register(global, local, "name")`, `sets.FlagSet("generic").IntVar(&o.X, "name", …)`. */
const call =
  /(?:\b\w+|\))\.(?:\w*VarPF?|\w*Var)\(|\b(?:p?flag|fs)\.(?:Int64|Int|Bool|String|Duration)\(|\b(?:register|registerDeprecated|pflagRegister|addGoFlag|globalflag\.Register)\(/g;
const name = /^[a-z][\w%-]*$/;

/** The registrations of one file. */
export function registrationsOf(text: string): Registration[] {
  const constants = new Map(
    [...text.matchAll(/^\s*(?:const\s+)?(\w+)\s*(?:string\s*)?=\s*"([^"]*)"/gm)].map(([, key = "", value = ""]) => [
      key,
      value,
    ]),
  );
  const gone = new Set([...text.matchAll(/Mark(?:Deprecated|Hidden)\(\s*"([^"]+)"/g)].map(([, flag = ""]) => flag));
  return [...text.matchAll(call)].flatMap((match) => {
    const line = text.slice(0, match.index).split("\n").length;
    const here = text.split("\n")[line - 1] ?? "";
    if (/^\s*(\/\/|func )/.test(here)) return [];
    const found = words(text, match.index + match[0].length)
      .slice(0, 3)
      .map(
        (word) =>
          /^(?:fmt\.Sprintf\()?"([^"]*)"/.exec(word)?.[1] ?? constants.get(word.slice(word.lastIndexOf(".") + 1)),
      )
      .find((word) => word !== undefined && name.test(word));
    if (found === undefined) return [];
    const usage = text.slice(match.index, match.index + 600).split("\n\t")[0] ?? "";
    const deprecated = gone.has(found) || match[0].startsWith("registerDeprecated") || /DEPRECATED/.test(usage);
    // Libraries write _ where pflag's normalisation makes it -.
    return [{ flag: found.replaceAll("_", "-"), line, within: enclosing(text.slice(0, match.index)), deprecated }];
  });
}

/** The arguments of a call up to its closing parenthesis, at most four. */
function words(text: string, start: number): string[] {
  const found: string[] = [];
  let [depth, from, quoted] = [0, start, false];
  for (let at = start; at < text.length && found.length < 4; at++) {
    const sign = text[at] ?? "";
    if (quoted) {
      if (sign === "\\") at++;
      else if (sign === '"') quoted = false;
    } else if (sign === '"') quoted = true;
    else if ("([{".includes(sign)) depth++;
    else if (depth === 0 && (sign === "," || sign === ")")) {
      found.push(text.slice(from, at).trim());
      from = at + 1;
      if (sign === ")") break;
    } else if (")]}".includes(sign)) depth--;
  }
  return found;
}

function enclosing(before: string): string {
  const [, receiver, own = ""] = [...before.matchAll(/^func (?:\(\w* ?\*?(\w+)\) )?(\w+)/gm)].at(-1) ?? [];
  return receiver === undefined ? own : `${receiver}.${own}`;
}
