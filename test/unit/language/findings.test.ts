/** Findings on a Chinese terminal: what a host is told, in columns; machines are told in English. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { error, type Finding, ok, reportFindings, warning } from "#cli/finding";
import { chinese } from "#cli/language/chinese";
import { english } from "#cli/language/language";
import { texts } from "#cli/language/zh/chinese";
import { createReporter } from "#cli/reporter";
import { writeNodeBundle } from "../../builders/node-bundle.ts";
import { runInstall } from "../../programs/command.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeferry-chinese-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function told(findings: readonly Finding[], language = english): string {
  let out = "";
  const writer = { write: (text: string) => (out += text) };
  reportFindings(findings, createReporter({ out: writer, err: writer, language }), true);
  return out;
}

const findings = [
  ok("root", "runs as root"),
  warning("memory", "little memory for these roles", { expected: "2.0 GB", found: "1.0 GB" }),
  error("ports", "port 6443/tcp is taken by the kernel, for the interface wg0", { hint: "ss -lnp | grep ':6443 '" }),
  error("changed", "/etc/my file is gone", { hint: "run the same ./install again" }),
];

test("findings in English are what they were", () => {
  assert.equal(
    told(findings),
    `  ok       root     runs as root
  warning  memory   little memory for these roles (expected 2.0 GB, found 1.0 GB)
  error    ports    port 6443/tcp is taken by the kernel, for the interface wg0
                    next: ss -lnp | grep ':6443 '
  error    changed  /etc/my file is gone
                    next: run the same ./install again
`,
  );
});

test("in Chinese they stand in the same columns; commands and names stay as they are", () => {
  // A path of two words is no file that a bundle has; what is not sure is not translated.
  assert.equal(
    told(findings, chinese(texts)),
    `  正常     root     以 root 运行
  警告     memory   对这些角色来说内存偏小（期望 2.0 GB，实际 1.0 GB）
  错误     ports    端口 6443/tcp 被内核为接口 wg0 占用
                    下一步：ss -lnp | grep ':6443 '
  错误     changed  /etc/my file is gone
                    下一步：再次运行同一条 ./install 命令
`,
  );
});

test("a health check is called in Chinese, in its columns", () => {
  const checks = [
    ok("etcd is healthy", "healthy"),
    error("kubelet is healthy", "ended with code 1", { hint: "on a master: ./install approve" }),
  ];
  assert.equal(
    told(checks, chinese(texts)),
    `  正常     etcd 健康     健康
  错误     kubelet 健康  结束时的退出码为 1
                         下一步：在 master 上：./install approve
`,
  );
});

test("what is told while a command works is in Chinese, and a list is told as it is", () => {
  let [out, err] = ["", ""];
  const reporter = createReporter({
    json: true,
    language: chinese(texts),
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
  });
  reporter.stage("plan", "3 changes in 4 steps");
  reporter.info("Nothing is installed here; nothing to undo.");
  reporter.info("  run       taken back");
  assert.equal(err, "plan       3 处改变，共 4 步\n这里没有安装任何内容；没有可撤回的。\n  run       taken back\n");
  assert.equal(out, '{"type":"stage","name":"plan","what":"3 changes in 4 steps"}\n');
});

test("preflight of a host is told in Chinese, and machines read the same as ever", async () => {
  const root = join(folder, "root");
  mkdirSync(root);
  const bundle = await writeNodeBundle(join(folder, "bundle.tar"));
  const argv = ["preflight", "--bundle", bundle, "--role", "worker", "--ip", "10.0.0.9", "--root", root];
  const environment = { LC_ALL: "zh_CN.UTF-8" };
  const { code, out } = await runInstall(argv, { environment });
  assert.equal(code, 0, out);
  assert.match(out, /\n {2}正常 +cluster +主机不属于 Kubeferry 的其他集群\n/);
  assert.match(out, /\n {2}正常 +disk-space +\S+ 有空间存放 \d/);
  assert.match(out, /\n {2}正常 +inodes +足够\n/);
  const lines = out.split("\n").filter((line) => /^ {2}(正常|警告|错误) /.test(line));
  assert.ok(lines.length > 5, out);
  const ours = (text: string): string => text.replaceAll(/\d[\d.]* [kMG]?B/g, "SIZE");
  const [one, other] = [
    await runInstall([...argv, "--json"], { environment }),
    await runInstall([...argv, "--json"], { environment: { LC_ALL: "C" } }),
  ];
  assert.equal(ours(one.out), ours(other.out));
  assert.match(one.err, /正常/);
});
