/**
 * What a new operator does wrong, with the executables of `npm run build`: each mistake ends with its own exit code, says
 * what is wrong, where, and what to do, is never called a bug, and changes nothing.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ensureBuilt, kubeferry } from "../builders/dist.ts";
import { doubts, type Slip, slipped, slips } from "../mistakes/cluster-yaml.ts";
import { copyOf, type Desk, firstDesk, stateOf } from "../mistakes/desk.ts";
import { installMistakes } from "../mistakes/install.ts";
import { keyAndHostMistakes } from "../mistakes/keys-and-hosts.ts";
import { kubeferryMistakes } from "../mistakes/kubeferry.ts";
import type { Mistake, Words } from "../mistakes/mistake.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-mistakes-"));
const desks: Desk[] = [];
let first: Desk;

before(async () => {
  ensureBuilt();
  chmodSync(folder, 0o755);
  first = await firstDesk(folder);
});
after(() => {
  for (const desk of desks) desk.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs what is typed; at a terminal all that is said is in `err`. */
async function type(typed: string, desk: Desk): Promise<Said> {
  const [word = "", ...args] = typed.split(" ");
  const program = word === "kubeferry" ? kubeferry : word;
  const { pressed, user } = desk;
  const options = {
    cwd: word === "kubeferry" ? desk.folder : desk.path("bundle"),
    env: desk.base(),
    ...(user === null ? {} : { uid: user, gid: user }),
  };
  const child =
    pressed === null
      ? spawn(program, args, options)
      : spawn("script", ["-qefc", [program, ...args].join(" "), "/dev/null"], options);
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (pressed === null) out += text;
    else {
      if (!err.includes(pressed.at) && (err + text).includes(pressed.at)) child.stdin.write(pressed.keys);
      err += text.replaceAll("\r\n", "\n");
    }
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  if (pressed === null) child.stdin.end();
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  return { code, out, err };
}

let count = 0;
async function assertTold([typed, answer, place, next, given]: Mistake): Promise<void> {
  count += 1;
  const desk = copyOf(first, join(folder, `desk-${count}`));
  desks.push(desk);
  given?.(desk);
  const state = stateOf(desk.folder);
  const { code, out, err } = await type(typed, desk);
  const said = `$ ${typed}\n${out}${err}`;
  if (process.env["KUBEFERRY_SHOW"] !== undefined) console.log(said);
  const [exit, name = ""] = answer.split(" ");
  assert.equal(String(code), exit, said);
  assert.match(err, new RegExp(`^error ${name}: \\S`, "m"), said);
  assertSays(err, place, said);
  const advice = /^ +next: (.*)$/gm;
  assertSays([...err.matchAll(advice)].map(([, text]) => text).join("\n"), next, said);
  assert.doesNotMatch(err, /bug|^\s+at .*:\d+|\bundefined\b|\[object |\bNaN\b|ENOENT|EISDIR|ENOTDIR|EEXIST/m, said);
  // Only the stages that came before, and what they list.
  for (const line of out.split("\n").filter((one) => one !== "")) assert.match(line, /^[a-z]+ {2,}\S|^ {2}/, said);
  assert.deepEqual(differences(state, stateOf(desk.folder)), [], said);
  desk.close();
  desks.splice(desks.indexOf(desk), 1);
}

/** The names that are new, gone or written. */
function differences(before: Record<string, string>, now: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => before[name] !== now[name]);
}

function assertSays(text: string, wanted: Words, said: string): void {
  for (const one of Array.isArray(wanted) ? wanted : [wanted]) {
    if (one instanceof RegExp) assert.match(text, one, said);
    else assert.ok(text.includes(one), `it does not say ${one}:\n${said}`);
  }
}

/** What the slip in cluster.yaml is told as. */
function ofSlip(slip: Slip, option = ""): Mistake {
  const [, , place, says, code = "CONFIG_INVALID"] = slip;
  const next = code === "RELEASE_UNKNOWN" ? "kubeferry releases" : "correct these places";
  const typed = `kubeferry build cluster.yaml -o new.tar${option}`;
  const given = (desk: Desk): void => desk.write("cluster.yaml", slipped(slip));
  return [typed, `3 ${code}`, [`cluster.yaml:${place}`, says], next, given];
}

describe("mistakes", { concurrency: availableParallelism() }, () => {
  for (const mistake of [...kubeferryMistakes, ...keyAndHostMistakes, ...installMistakes])
    test(`${mistake[0]}: ${mistake[1]}, ${String(mistake[2])}`, async () => await assertTold(mistake));
  for (const slip of slips) test(`cluster.yaml: ${slip[0].trim()}`, async () => await assertTold(ofSlip(slip)));
  for (const doubt of doubts)
    test(`cluster.yaml, --strict: ${doubt[0].trim()}`, async () => await assertTold(ofSlip(doubt, " --strict")));
});
