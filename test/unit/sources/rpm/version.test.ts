import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Capability,
  compareEvr,
  compareVersions,
  parseEvr,
  satisfies,
} from "../../../../builder/sources/rpm/version.ts";

test("versions compare as rpm's own table of cases says", () => {
  const rows = [
    ["1.0", "1.0", 0],
    ["1.0", "2.0", -1],
    ["2.0.1", "2.0.1a", -1],
    ["5.5p1", "5.5p2", -1],
    ["5.5p10", "5.5p1", 1],
    ["10xyz", "10.1xyz", -1],
    ["xyz10", "xyz10.1", -1],
    ["xyz.4", "8", -1],
    ["5.6p1", "6.5p1", -1],
    ["6.0.rc1", "6.0", 1],
    ["10b2", "10a1", 1],
    ["1.0a", "1.0aa", -1],
    ["10.0001", "10.1", 0],
    ["4.999.9", "5.0", -1],
    ["20101121", "20101122", -1],
    ["2_0", "2.0", 0],
    ["a", "a+", 0],
    ["1.0~rc1", "1.0", -1],
    ["1.0~rc1", "1.0~rc2", -1],
    ["1.0~rc1~git123", "1.0~rc1", -1],
    ["1.0^", "1.0", 1],
    ["1.0^git1", "1.0^git2", -1],
    ["1.0^git1", "1.01", -1],
    ["1.0~rc1^git1", "1.0~rc1", 1],
    ["1.0^git1~pre", "1.0^git1", -1],
  ] as const;
  for (const [a, b, wanted] of rows) {
    assert.equal(Math.sign(compareVersions(a, b)), wanted, `${a} ${b}`);
    assert.equal(Math.sign(compareVersions(b, a)), wanted === 0 ? 0 : -wanted, `${b} ${a}`);
  }
});

test("an epoch goes before everything, and a missing release equals any", () => {
  assert.ok(compareEvr(parseEvr("1:0.1-1"), parseEvr("99-1")) > 0);
  assert.equal(compareEvr(parseEvr("2.0"), parseEvr("2.0-7.el9")), 0);
  assert.ok(compareEvr(parseEvr("2.0-6"), parseEvr("2.0-7")) < 0);
});

test("a range is met where the two overlap", () => {
  const of = (flags: Capability["flags"], evr: string): Capability => ({ name: "x", flags, evr: parseEvr(evr) });
  const any: Capability = { name: "x", flags: null, evr: null };
  assert.ok(satisfies(of("EQ", "2-1"), of("GE", "2")));
  assert.ok(satisfies(of("EQ", "2-1"), of("EQ", "2")));
  assert.ok(!satisfies(of("EQ", "2-1"), of("GT", "2-1")));
  assert.ok(!satisfies(of("EQ", "1-1"), of("GE", "2")));
  assert.ok(satisfies(of("EQ", "1-1"), of("LT", "2")));
  assert.ok(satisfies(of("GE", "1"), of("EQ", "5")));
  assert.ok(satisfies(any, of("GE", "9")));
  assert.ok(satisfies(of("EQ", "1"), any));
  assert.ok(!satisfies({ ...any, name: "y" }, any));
});
