/** Completion as real shells do it: bash and fish asked for their candidates, zsh by a TAB on a terminal of its own. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runInstall, runKubeferry } from "../programs/command.ts";
import { requirePackages } from "../programs/packages.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-completion-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function scriptOf(program: "kubeferry" | "./install", shell: string): Promise<string> {
  const run = program === "kubeferry" ? runKubeferry : runInstall;
  const { code, out, err } = await run(["completion", shell]);
  assert.equal(code, 0, err);
  const path = join(folder, `${program.replaceAll(/\W/g, "")}.${shell}`);
  writeFileSync(path, out);
  return path;
}

/** What each line is completed to, by its last word: of both programs, and of coreutils' install nothing. */
const lines: readonly [typed: string, candidates: readonly string[]][] = [
  ["kubeferry bu", ["build"]],
  ["kubeferry store g", ["gc"]],
  ["kubeferry build x.yaml --off", ["--offline"]],
  ["kubeferry store gc --old", ["--older-than"]],
  ["kubeferry completion z", ["zsh"]],
  ["kubeferry --vers", ["--version"]],
  ["./install aud", ["audit"]],
  ["./install --no-res", ["--no-restore"]],
  ["./install undo --del", ["--delete-data"]],
  ["/var/lib/kubeferry/install stat", ["status"]],
];

const programOf = (typed: string): "kubeferry" | "./install" =>
  typed.startsWith("kubeferry") ? "kubeferry" : "./install";

for (const [typed, candidates] of lines) {
  test(`bash completes ${typed}`, async () => {
    const words = typed.split(" ").map((word) => `'${word}'`);
    const script = `source ${await scriptOf(programOf(typed), "bash")}
      spec=$(complete -p ${words[0]}) || exit 3
      COMP_WORDS=(${words.join(" ")}) COMP_CWORD=${words.length - 1}
      name=\${spec##*-F }; name=\${name%% *}; $name
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync("bash", ["-c", script], { encoding: "utf8", cwd: folder });
    assert.deepEqual(out.trim().split("\n"), candidates);
  });

  test(`fish completes ${typed}`, async () => {
    requirePackages("fish");
    const script = `source ${await scriptOf(programOf(typed), "fish")}; complete -C '${typed}'`;
    const out = execFileSync("fish", ["--no-config", "-c", script], { encoding: "utf8", cwd: folder });
    assert.deepEqual(
      out
        .trim()
        .split("\n")
        .map((line) => line.split("\t")[0]),
      candidates,
    );
  });

  test(`a TAB in zsh completes ${typed}`, async () => {
    requirePackages("zsh");
    const [first = "", ...rest] = typed.split(" ");
    const path = await scriptOf(programOf(typed), "zsh");
    writeFileSync(join(folder, "install"), '#!/bin/sh\necho "RAN:$*:END"\n', { mode: 0o755 });
    // The line is run after its TAB; what it ran with is what it was completed to.
    const inner = `PS1= PROMPT_EOL_MARK= ; autoload -Uz compinit; compinit -u -D; source ${path}
      kubeferry() { print "RAN:$*:END" }; function /var/lib/kubeferry/install { print "RAN:$*:END" }; print REA""DY`;
    const script = `zmodload zsh/zpty; cd ${folder}; zpty -b z zsh -f -i
      zpty -w z '${inner}'
      zpty -r -m z begun '*READY*' || exit 3
      zpty -w z $'${typed}\\t'
      zpty -r -m z out '*RAN:*END*' || exit 4
      print -r -- "$out"; zpty -d z`;
    const out = execFileSync("zsh", ["-f", "-c", script], { encoding: "utf8", timeout: 30_000 });
    const ran = /RAN:([^\r\n]*):END/.exec(out)?.[1]?.trim();
    assert.equal(ran, [...rest.slice(0, -1), ...candidates].join(" "), `${first}: ${out}`);
  });
}

test("coreutils' install is not completed as ours", async () => {
  const bash = `source ${await scriptOf("./install", "bash")}; complete -p install`;
  assert.throws(() => execFileSync("bash", ["-c", bash], { stdio: "ignore" }));
  requirePackages("fish");
  const fish = `source ${await scriptOf("./install", "fish")}; complete -C 'install aud'`;
  assert.equal(execFileSync("fish", ["--no-config", "-c", fish], { encoding: "utf8", cwd: folder }).trim(), "");
});
