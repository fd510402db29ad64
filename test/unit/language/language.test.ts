/** Who is told in Chinese, how a text finds its translation, and where a Chinese line may end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eastAsianWidth } from "get-east-asian-width";
import * as fc from "fast-check";
import { translator } from "#cli/language/catalogue";
import { chinese } from "#cli/language/chinese";
import { wantsChinese } from "#cli/language/language";
import { runInstall, runKubeferry } from "../../programs/command.ts";

test("the first of LC_ALL, LC_MESSAGES and LANG that is set decides", () => {
  for (const [environment, expected] of [
    [{}, false],
    [{ LANG: "zh_CN.UTF-8" }, true],
    [{ LANG: "zh_CN" }, true],
    [{ LANG: "zh_TW.utf8" }, true],
    [{ LANG: "C" }, false],
    [{ LANG: "en_US.UTF-8" }, false],
    [{ LANG: "zhx" }, false],
    [{ LANG: "zh_CN.UTF-8", LC_ALL: "C" }, false],
    [{ LANG: "zh_CN.UTF-8", LC_ALL: "" }, true],
    [{ LANG: "C", LC_MESSAGES: "zh_CN.UTF-8" }, true],
    [{ LANG: "zh_CN.UTF-8", LC_MESSAGES: "C.UTF-8" }, false],
    [{ LC_ALL: "zh_CN.UTF-8", LC_MESSAGES: "C" }, true],
    [{ LANGUAGE: "zh_CN", LC_CTYPE: "zh_CN.UTF-8" }, false],
  ] as const) {
    assert.equal(wantsChinese(environment), expected, JSON.stringify(environment));
  }
});

test("what could not show Chinese stays English: other charsets, the kernel's console, terminals that only print", () => {
  for (const locale of ["zh_CN.GB18030", "zh_CN.gbk", "zh_TW.Big5"]) assert.ok(!wantsChinese({ LANG: locale }), locale);
  for (const terminal of ["linux", "dumb", "vt220", "vt100-am", "linux-16color"])
    assert.ok(!wantsChinese({ LANG: "zh_CN.UTF-8", TERM: terminal }), terminal);
  for (const terminal of ["xterm-256color", "screen", "tmux", "linuxfoo", "vte"])
    assert.ok(wantsChinese({ LANG: "zh_CN.UTF-8", TERM: terminal }), terminal);
});

test("a text is found by itself, or by the key that says most of it; another stays English", () => {
  const say = translator({
    whole: "整个",
    "port {1}/{2} is taken by {3}": "端口 {1}/{2} 被 {3*} 占用",
    "port {1}": "端口 {1}",
    "the unit {1}": "单元 {1}",
    "{1} of (all?)": "(全部?)中的 {1}",
  });
  assert.equal(say("whole"), "整个");
  assert.equal(say("port 22/tcp is taken by the unit ssh"), "端口 22/tcp 被单元 ssh 占用");
  assert.equal(say("port 22/tcp is taken by nginx"), "端口 22/tcp 被 nginx 占用");
  assert.equal(say("port 22\n23"), "端口 22\n23");
  assert.equal(say("port $& {1}"), "端口 $& {1}");
  assert.equal(say("1 of (all?)"), "(全部?)中的 1");
  for (const other of ["no such text", "the port 22", "toString", ""]) assert.equal(say(other), other);
});

test("what a text is filled in with is kept as it is, and no word of ours within it is translated", () => {
  const say = translator({ "no such file {1}: {2}": "没有文件 {1}：{2}", disk: "磁盘" });
  assert.equal(say("no such file disk: disk"), "没有文件 disk：disk");
});

test("a text around others of ours is found by these; of several lines each is", () => {
  const say = translator({
    "no answer from {1}": "{1} 没有应答",
    "is full": "已满",
    "{1}; tried {2}": "{1*}；尝试过 {2}",
    "{1}: {2}": "{1}: {2*}",
    "the disk {1}": "磁盘 {1*} 了",
  });
  assert.equal(say("no answer from a; tried a, b and c"), "a 没有应答；尝试过 a, b and c");
  assert.equal(say("cluster.yaml:1:2: is full"), "cluster.yaml:1:2: 已满");
  assert.equal(say("/var: is full\nother\nis full"), "/var: 已满\nother\n已满");
  assert.equal(say("the disk is full"), "磁盘已满了");
  assert.equal(say("the disk sda"), "磁盘 sda 了");
  for (const other of ["docker: run", "two words: is full", "a; b"]) assert.equal(say(other), other);
});

const { columnsOf, piecesOf } = chinese({});

test("a Chinese sign takes two columns, a colour none", () => {
  assert.equal(columnsOf("节点 m1，ok"), 11);
  assert.equal(columnsOf("\x1b[31m错误\x1b[0m"), 4);
});

test("a line may end after each sign, but not within a word, nor so that a mark stands alone", () => {
  assert.deepEqual(piecesOf("用 kubeferry push（见 README.md）传送。"), [
    ..."用| kubeferry| push|（见| README.md）|传|送。".split("|"),
  ]);
  const text = fc.string({ unit: fc.constantFrom(...Array.from("ab 1-中文，。（）、")), maxLength: 40 });
  fc.assert(
    fc.property(text, (line) => {
      const pieces = piecesOf(line);
      assert.equal(pieces.join(""), line);
      for (const piece of pieces.slice(1)) assert.doesNotMatch(piece, /^[，。）、]/);
      for (const piece of pieces.slice(0, -1)) assert.doesNotMatch(piece, /（$/);
    }),
  );
});

const zh = { LANG: "zh_CN.UTF-8" };

test("a wrong call is told in the user's language; machines read English", async () => {
  const calls: [readonly string[], RegExp, RegExp][] = [
    [
      ["buidl"],
      /^error USAGE: unknown command 'buidl'\n +where: kubeferry\n +expected: build\n +next: kubeferry --help/,
      /^错误 USAGE[^\n]*：未知命令 'buidl'\n[^]*build\n[^]*kubeferry --help/,
    ],
    [
      ["build", "--ofline"],
      /unknown option '--ofline'\n +where: kubeferry build\n +expected: --offline/,
      /：未知选项 '--ofline'\n[^]*--offline/,
    ],
    [["build"], /missing required argument/, /：缺少必需的参数 'cluster.yaml'/],
    [["inspect", "a", "b"], /too many arguments/, /：'inspect' 的参数过多。应有 1 个，实际有 2 个：a, b。/],
    [["build", "-o"], /argument missing/, /：选项 '-o, --output <file>' 缺少参数/],
    [["completion", "csh"], /Allowed choices are/, /：参数 'shell' 的值 'csh' 无效。可选的值：bash, zsh, fish。/],
    [["split", "a"], /required option/, /：没有给出必需的选项 '--size/],
    [["push", "--parallel", "x"], /A number of hosts/, /'x' 无效。应为从 1 开始的整数（单位：台主机）。/],
  ];
  for (const [argv, expected, translated] of calls) {
    const one = await runKubeferry(argv, { environment: { LANG: "C" } });
    const other = await runKubeferry(argv, { environment: zh });
    assert.match(one.err, expected);
    assert.match(other.err, translated);
    assert.deepEqual([one.code, other.code], [2, 2]);
  }
  const json = await runInstall(["audit", "--json", "--nonsense"], { environment: zh });
  assert.match(json.err, /：未知选项 '--nonsense'/);
  assert.match(json.out, /"message":"unknown option '--nonsense'"/);
});

test("explain speaks Chinese, the name stays as it is", async () => {
  const { out } = await runInstall(["explain", "digest-mismatch"], { environment: zh });
  assert.match(
    out,
    /^DIGEST_MISMATCH 摘要不符（退出码 5）\n\n内容与签名、锁定或公布的不符：SHA-256 不同。\n\n常见原因：\n {2}- 拷贝损坏/,
  );
  assert.match(out, /\n\n处理办法：\n {2}- 从构建处重新拷贝离线包/);
  assert.match((await runKubeferry(["explain", "swap"], { environment: zh })).out, /^swap（检查项）\n\n交换分区已关闭/);
  const list = (await runInstall(["explain"], { environment: zh })).out;
  assert.match(list, /^错误代码：\n {2}USAGE +命令的写法不被接受/);
  assert.doesNotMatch(list.replaceAll(/^ {2}\S+ +/gm, ""), /^[^\p{Script=Han}]+$/mu);
});

test("an error is told with its name, its places and what to do in Chinese; its record is English", async () => {
  const argv = ["--bundle", "/nonexistent.tar", "--role", "boss", "--ip", "10.0.0.1", "--json"];
  const { out, err, code } = await runInstall(argv, { environment: zh });
  assert.equal(code, 3);
  assert.match(err, /^错误 ROLE_UNKNOWN 没有该角色：没有角色 "boss"\n/);
  assert.match(err, /\n {4}期望：etcd, master, worker\n/);
  const absent = await runKubeferry(["inspect", "/nonexistent.tar"], { environment: zh });
  assert.match(absent.err, /^错误 USAGE 命令用法有误：没有这个离线包\n {4}位置：\/nonexistent\.tar\n/);
  assert.match(out, /"type":"error","code":"ROLE_UNKNOWN","message":"[ -~]+"/);
  const odd = await runKubeferry(["build", "/nonexistent.yaml", "--json"], { environment: zh });
  assert.match(odd.err, /^错误 CONFIG_UNREADABLE 配置文件无法读取：没有文件 \/nonexistent\.yaml\n/);
  assert.match(odd.out, /"message":"there is no file \/nonexistent\.yaml"/);
});

test("no line of Chinese help is wider than its terminal, and none is left in English", async () => {
  const { out } = await runInstall(["undo", "--help"], { environment: zh, columns: 40 });
  const widths = out
    .split("\n")
    .map((line) => Array.from(line).reduce((sum, one) => sum + eastAsianWidth(one.codePointAt(0) ?? 0), 0));
  assert.ok(Math.max(...widths) <= 40, out);
  assert.match(out, /^用法： \.\/install undo \[options\]\n\n让主机恢复原样\n\n选项：\n/);
  assert.match(out, /\n\n示例：\n {2}\$ \.\/install undo --dry-run\n/);
});
