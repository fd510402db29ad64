/** The reader of upstream's flags: what it finds in Go, and what it makes of minors that were read and minors that were not. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readFlagTable } from "../../../builder/config/flag-table.ts";
import { differencesOf } from "../../../scripts/flags/compare.ts";
import { evidenceOf, parseReading } from "../../../scripts/flags/evidence.ts";
import { registrationsOf } from "../../../scripts/flags/registrations.ts";
import { rowOf } from "../../../scripts/flags/rows.ts";
import { sample } from "../../../scripts/flags/sample.ts";

const go = (...flags: string[]): string => `package options

const colour = "colour-of-it"

// fs.StringVar(&o.Old, "in-a-comment", "", "")
func (o *Options) AddFlags(fs *pflag.FlagSet) {
${flags.map((flag) => `\tfs.StringVar(&o.X[f("a, b")], "${flag}", o.X, "usage, with a \\"word\\"")`).join("\n")}
\tfs.Var(cliflag.New(&o.M, nil), colour, "")
}

func (o *Other) AddFlags(fs *pflag.FlagSet) {
\tfs.IntVarP(
\t\t&o.N, "of-another", "o",
\t\to.N, "")
\tfs.MarkDeprecated("of-another", "gone soon")
\tregister(global, local, "under_score")
\tglobalflag.Register(fs, "of-a-library")
\tsets.FlagSet("generic").DurationVar(&o.T, "behind-a-call", o.T, "")
}
`;

test("flags are read by the shape of calls, with line, method and deprecation", () => {
  const found = registrationsOf(go("plain"));
  assert.deepEqual(
    found.map(({ flag, line, within, deprecated }) => [flag, line, within, deprecated]),
    [
      ["plain", 7, "Options.AddFlags", false],
      ["colour-of-it", 8, "Options.AddFlags", false],
      ["of-another", 12, "Other.AddFlags", true],
      ["under-score", 16, "Other.AddFlags", false],
      ["of-a-library", 17, "Other.AddFlags", false],
      ["behind-a-call", 18, "Other.AddFlags", false],
    ],
  );
});

test("what the sources of two minors and a page between them say becomes a row, and differs from a wrong one", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "kubeferry-flags-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const git = (...words: string[]): string => {
    const argv = ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@t", ...words];
    const { status, stdout, stderr } = spawnSync("git", argv, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };
  git("init", "-q");
  const commit = (path: string, text: string): string => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    git("add", "-A");
    git("commit", "-q", "-m", path);
    return git("rev-parse", "HEAD");
  };
  const options = "cmd/kubelet/app/options/options.go";
  const page = "content/en/docs/reference/command-line-tools-reference/kubelet.md";
  const before = commit(options, go("old"));
  const between = commit(page, '<td colspan="2">--old string</td>\n<td colspan="2">--new string</td>\n');
  const after = commit(options, go("new"));
  const words = [`1.18=${folder}@${before}`, `1.19=pages:${folder}@${between}`, `1.20=${folder}@${after}`];
  const evidence = evidenceOf(words.map(parseReading)).get("kubelet");
  assert.ok(evidence !== undefined);
  assert.deepEqual([...evidence.whole], ["1.18", "1.20"]);
  assert.deepEqual(rowOf("old", evidence), { removed: "1.20" });
  assert.deepEqual(rowOf("new", evidence), { added: "1.19" });
  const wrong = {
    old: { removed: "1.18" },
    new: {},
    "colour-of-it": {},
    "of-another": {},
    "under-score": {},
    "of-a-library": {},
    "behind-a-call": {},
  };
  assert.deepEqual(
    differencesOf("kubelet", wrong, evidence).map(({ flag, kind, minors }) => [flag, kind, ...minors]),
    [
      ["old", "denied", "1.18", "1.19"],
      ["new", "gone", "1.18"],
      ["colour-of-it", "unseen", "1.19"],
      ["of-another", "unseen", "1.19"],
      ["under-score", "unseen", "1.19"],
      ["of-a-library", "unseen", "1.19"],
      ["behind-a-call", "unseen", "1.19"],
    ],
  );
});

test("a seed chooses the same rows each time", () => {
  const table = readFlagTable();
  assert.deepEqual(sample(table, "a", 60), sample(table, "a", 60));
  assert.notDeepEqual(sample(table, "a", 60), sample(table, "b", 60));
  assert.equal(new Set(sample(table, "a", 60)).size, 60);
});
