/** What people see: of a hostile name, of progress, on a terminal and in a log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExpectedError } from "#cli/errors";
import { createReporter, type ReporterOptions } from "#cli/reporter";

test("what a terminal would obey is shown instead, and only our own colours stay", () => {
  const written: string[] = [];
  const to = { write: (text: string) => written.push(text), isTTY: true };
  const reporter = createReporter({ colour: true, out: to, err: to });
  const name = "x\x1b[2K\x1b[1A\rverified\x9b2J\u202e";
  reporter.error(new ExpectedError("PATH_ESCAPES", "is not clean", { where: `b.tar: ${name}\nverify     every byte` }));
  reporter.info(name);
  reporter.warn(name);
  reporter.stage("open", name);
  const shown = String.raw`x\x1b[2K\x1b[1A\x0dverified\x9b2J\u202e`;
  assert.deepEqual(written, [
    `\x1b[31merror\x1b[0m PATH_ESCAPES: is not clean\n   where: b.tar: ${shown}\n          verify     every byte\n`,
    `${shown}\n`,
    `\x1b[33mwarning:\x1b[0m ${shown}\n`,
    `\x1b[1mopen      \x1b[0m ${shown}\n`,
  ]);
});

/** What each stream got of a stage, a warning and a download of 30 seconds. */
function written(terminals: { out: boolean; err: boolean }, more: Partial<ReporterOptions> = {}) {
  let [out, err, now] = ["", "", 0];
  const reporter = createReporter({
    colour: true,
    out: { write: (text) => (out += text), isTTY: terminals.out },
    err: { write: (text) => (err += text), isTTY: terminals.err, columns: 40 },
    now: () => now,
    ...more,
  });
  reporter.stage("fetch", "one artifact");
  reporter.warn("slow");
  for (; now <= 30_000; now += 1000) reporter.progress("kube-controller-manager 1.36.3", now * 1000, 60e6);
  reporter.progress("kube-controller-manager 1.36.3", 60e6, 60e6);
  return { out, err };
}

test("a log of stdout has no colours, whatever terminal stderr is, nor the other way round", () => {
  assert.equal(written({ out: false, err: true }).out, "fetch      one artifact\n");
  assert.match(written({ out: false, err: true }).err, /\x1b\[33mwarning/);
  const { out, err } = written({ out: true, err: false });
  assert.match(out, /\x1b\[1mfetch/);
  assert.doesNotMatch(err, /\x1b/);
});

test("on a narrow terminal progress is one line, drawn over, with the time that is left; then it is gone", () => {
  const { err } = written({ out: true, err: true });
  const lines = err.split("\r\x1b[K").slice(1);
  assert.equal(lines.length, 31);
  assert.equal(lines[19], "kube-...  20.0 MB of 60.0 MB  40 s left");
  assert.equal(lines.at(-1), "");
});

test("a log, and a terminal that only prints, get a line every ten seconds", () => {
  const beats = ["10.0 MB of 60.0 MB  50 s left  1.0 MB/s", "20.0 MB of 60.0 MB  40 s left  1.0 MB/s"];
  for (const { err } of [written({ out: false, err: false }), written({ out: true, err: true }, { dumb: true })]) {
    assert.doesNotMatch(err, /\x1b\[K|\r/);
    assert.deepEqual(
      err
        .split("\n")
        .slice(1, 3)
        .map((line) => line.replace("kube-controller-manager 1.36.3  ", "")),
      beats,
    );
  }
});

test("machines get it as records, as often", () => {
  const { out } = written({ out: false, err: true }, { json: true });
  const beats = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; done?: number })
    .flatMap(({ type, done }) => (type === "progress" ? done : []));
  assert.deepEqual(beats, [10e6, 20e6, 30e6]);
});
