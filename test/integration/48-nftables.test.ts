/** Ports opened among an administrator's own rules of nftables: real nft, in a namespace of its own, and packets that ask. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { Effect } from "../../installer/host/effect.ts";
import { makeHosts } from "../servers/namespaces.ts";
import { requirePackages } from "../programs/packages.ts";

requirePackages("nftables");
const folder = mkdtempSync(join(tmpdir(), "kubeferry-nftables-"));
const hosts = makeHosts("kf48", { wall: "10.48.0.1/24", peer: "10.48.0.2/24", pod: "10.48.0.3/24" });
after(() => {
  hosts.remove();
  rmSync(folder, { recursive: true });
});

/** Two walls that drop, one that does not, iptables' own table, IPv6, and a chain that is no wall. */
const rules = `#!/usr/sbin/nft -f
flush ruleset
define office = 10.48.9.0/24
table inet filter {
	set friends {
		type ipv4_addr
		elements = { 10.48.9.1 }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ip saddr @friends tcp dport 22 accept comment "kept by hand"
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}
include "/etc/nftables.d/*.nft"
table ip watch {
	chain inp {
		type filter hook input priority -20; policy accept;
		tcp dport 1 accept
	}
}
table ip filter {
	chain INPUT {
		type filter hook input priority 5; policy accept;
	}
}
table ip6 six {
	chain input {
		type filter hook input priority 0; policy drop;
	}
}`;
const second = `table ip late {
	chain wall {
		type filter hook input priority 10
		ip saddr 10.48.9.0/24 accept
		drop
	}
}
`;
const ports = ["6443/tcp", "30000-32767/tcp", "8472/udp"];
const etc = join(folder, "etc");
const config = join(etc, "nftables.conf");

beforeEach(() => {
  for (const name of ["etc", "state"]) rmSync(join(folder, name), { recursive: true, force: true });
  for (const name of ["etc/nftables.d", "etc/systemd/system/sysinit.target.wants", "state/stage", "state/before"]) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  for (const name of ["passwd", "protocols", "services", "ld.so.cache"]) cpSync(`/etc/${name}`, join(etc, name));
  writeFileSync(config, rules, { mode: 0o755 });
  utimesSync(config, 1e9, 1e9);
  writeFileSync(join(etc, "nftables.d/late.nft"), second);
  symlinkSync(
    "/usr/lib/systemd/system/nftables.service",
    join(etc, "systemd/system/sysinit.target.wants/nftables.service"),
  );
  inside("nft", "-f", "/etc/nftables.conf");
});

/** On the host behind the wall, with this test's /etc. */
function inside(...argv: string[]): string {
  const mount = ["unshare", "--mount", "/bin/sh", "-c", `mount --bind ${etc} /etc && exec "$@"`, "sh"];
  const [program = "", ...args] = hosts.on("wall", [...mount, ...argv]);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.ok(status === 0 || status === 3, `${argv.join(" ")}: ${status} ${stderr}`);
  return stdout;
}

function node(what: string, wanted: readonly string[] = ports): Effect[] {
  const script = join(import.meta.dirname, "../programs/nftables-node.ts");
  const said = inside(process.execPath, script, join(folder, "state"), what, ...wanted);
  return said === "" ? [] : (JSON.parse(said) as Effect[]);
}

const ruleset = (): string => inside("nft", "list", "ruleset");

/** A port at which nobody listens is refused where it is open, and silent behind a wall. */
function isOpen(port: number, address = "10.48.0.1"): boolean {
  const code = `require("net").connect(${port}, "${address}").on("error", (e) => process.exit(e.code === "ECONNREFUSED" ? 0 : 2)); setTimeout(() => process.exit(1), 700)`;
  const [program = "", ...args] = hosts.on("peer", [process.execPath, "-e", code]);
  return spawnSync(program, args).status === 0;
}

const picture = (): unknown[] => {
  const { mode, mtimeMs } = statSync(config);
  return [ruleset(), readFileSync(config, "utf8"), mode, mtimeMs];
};

test("ports open in every wall that drops, stay open when the rules are loaded again, and undo leaves no trace", () => {
  const before = picture();
  assert.equal(isOpen(6443), false);
  const effects = node("apply");
  assert.deepEqual(
    effects.filter((effect) => effect.do === "nft").map(({ family, table, chain }) => `${family} ${table} ${chain}`),
    ["inet filter input", "ip late wall"],
  );
  assert.ok(isOpen(6443) && isOpen(30000) && isOpen(32767));
  assert.ok(!isOpen(6444) && !isOpen(22));
  const opened = ruleset();
  assert.equal(opened.match(/comment "kubeferry"/g)?.length, 6);

  assert.deepEqual(node("apply"), [], "a second time there is nothing to do");
  inside("nft", "-f", "/etc/nftables.conf");
  assert.equal(ruleset(), opened, "loading the file again gives the very same rules");
  assert.deepEqual(node("apply"), []);

  node("undo");
  assert.deepEqual(picture(), before);
  assert.equal(isOpen(6443), false);
});

test("whenever it is cut off, it can be gone on with, and taken back", () => {
  const before = picture();
  const count = node("apply").length;
  const whole = ruleset();
  node("undo");
  for (let cut = 0; cut < count; cut += 1) {
    node(String(cut));
    node("undo");
    assert.deepEqual(picture(), before, `undone after ${cut} effects`);
    node(String(cut));
    node("apply");
    assert.equal(ruleset(), whole, `gone on with after ${cut} effects`);
    node("undo");
    assert.deepEqual(picture(), before);
  }
});

test("pods are reached through walls that forward nothing else, and protocols without ports are let in", () => {
  const on = (name: string, ...argv: string[]): void => {
    const [program = "", ...args] = hosts.on(name, argv);
    const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
    assert.equal(status, 0, `${argv.join(" ")}: ${stderr}`);
  };
  // The wall is the node of a pod, which answers by way of it.
  on("wall", "/bin/sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  on("wall", "ip", "route", "replace", "10.200.1.0/24", "via", "10.48.0.3");
  on("peer", "ip", "route", "replace", "10.200.0.0/16", "via", "10.48.0.1");
  on("pod", "ip", "address", "replace", "10.200.1.2/32", "dev", "lo");
  on("pod", "ip", "route", "replace", "10.48.0.2/32", "via", "10.48.0.1");
  const before = picture();
  assert.equal(isOpen(80, "10.200.1.2"), false);

  const wanted = [...ports, "protocol 4", "protocol 112", "from 10.200.0.0/16", "to 10.200.0.0/16"];
  node("apply", wanted);
  assert.ok(isOpen(80, "10.200.1.2"));
  const opened = ruleset();
  assert.match(opened, /chain wall {[^}]*meta l4proto ipencap accept comment "kubeferry"/);
  assert.match(opened, /chain forward {[^}]*ip daddr 10\.200\.0\.0\/16 accept comment "kubeferry"/);
  assert.doesNotMatch(/chain forward {[^}]*}/.exec(opened)?.[0] ?? "", /dport|l4proto/);
  assert.deepEqual(node("apply", wanted), [], "a second time there is nothing to do");
  inside("nft", "-f", "/etc/nftables.conf");
  assert.equal(ruleset(), opened, "loading the file again gives the very same rules");
  node("undo");
  assert.deepEqual(picture(), before);
  assert.equal(isOpen(80, "10.200.1.2"), false);
});

test("in dual stack walls of IPv6 open too, and each takes the pods of its family", () => {
  const walls = `table ip four { chain through { type filter hook forward priority 1; policy drop; }; }
add chain ip6 six through { type filter hook forward priority 1; policy drop; }`;
  inside("nft", walls);
  const before = picture();
  const [four, six] = ["10.200.0.0/16", "fd00:200::/56"];
  const wanted = [...ports, `from ${four}`, `to ${four}`, `from ${six}`, `to ${six}`];
  node("apply", wanted);
  const chain = (family: string, table: string, name: string): string =>
    inside("nft", "list", "chain", family, table, name);
  assert.match(chain("ip6", "six", "input"), /tcp dport 6443 accept comment "kubeferry"/);
  assert.match(chain("ip6", "six", "through"), /ip6 saddr fd00:200::\/56 accept comment "kubeferry"/);
  assert.match(chain("ip", "four", "through"), /ip daddr 10\.200\.0\.0\/16 accept comment "kubeferry"/);
  assert.doesNotMatch(chain("ip6", "six", "through") + chain("ip", "four", "through"), /dport|ip6? [sd]addr \S+ drop/);
  assert.equal(chain("inet", "filter", "forward").match(/ip6? [sd]addr \S+ accept/g)?.length, 4);
  assert.equal(chain("ip", "four", "through").includes("ip6"), false);
  assert.deepEqual(node("apply", wanted), [], "a second time there is nothing to do");
  node("undo");
  assert.deepEqual(picture(), before);
});

test("with IPv6 alone walls of IPv6 open, and those of IPv4 stay as they are", () => {
  const before = picture();
  const wanted = ["ipv6", ...ports];
  const effects = node("apply", wanted);
  assert.deepEqual(
    effects.filter((effect) => effect.do === "nft").map(({ family, table, chain }) => `${family} ${table} ${chain}`),
    ["inet filter input", "ip6 six input"],
  );
  assert.match(inside("nft", "list", "chain", "ip6", "six", "input"), /tcp dport 6443 accept comment "kubeferry"/);
  assert.deepEqual(node("apply", wanted), [], "a second time there is nothing to do");
  node("undo");
  assert.deepEqual(picture(), before);
});

test("what an administrator adds meanwhile stays, and other ports of a later bundle take the place of the earlier", () => {
  node("apply");
  inside("nft", "add rule inet filter input tcp dport 25 accept");
  writeFileSync(config, `${readFileSync(config, "utf8")}# mine\n`, { mode: 0o755 });
  node("apply", ["6443/tcp", "10250/tcp"]);
  assert.ok(isOpen(6443) && isOpen(10250) && !isOpen(30000));
  node("undo");
  assert.doesNotMatch(ruleset(), /kubeferry/);
  assert.match(ruleset(), /tcp dport 25 accept/);
  assert.equal(readFileSync(config, "utf8"), `${rules}\n# mine\n`);
});

test("rules that no file makes are opened until they are made anew, and a file that nobody loads is left alone", () => {
  inside("nft", "add table ip extra; add chain ip extra wall { type filter hook input priority 20; policy drop; }");
  node("apply");
  assert.ok(isOpen(6443));
  assert.doesNotMatch(readFileSync(config, "utf8"), /ip extra wall/);
  inside("nft", "-f", "/etc/nftables.conf");
  node("undo");
  assert.equal(readFileSync(config, "utf8"), rules);

  rmSync(join(etc, "systemd/system/sysinit.target.wants/nftables.service"));
  node("apply");
  assert.equal(readFileSync(config, "utf8"), rules);
  assert.ok(isOpen(6443));
});
