/** What an auditor years later must be told: every kind of change to a node, one by one, and nothing on a clean one. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { Machine } from "../../scripts/vm/machine.ts";
import { buildBundle, insert, installer, mountBundle } from "../machines/bundle.ts";
import { install, must } from "../machines/commands.ts";
import { restoreMachine } from "../machines/vm.ts";

const cluster = `name: audited
release: distro
nodes:
  - { name: n1, ip: 10.0.0.11, roles: [etcd, worker] }
workers:
  subnet: 10.0.0.0/24
`;
const audit = [installer, "audit"] as const;

interface Tampering {
  readonly what: string;
  readonly change: string;
  readonly revert: string;
  /** What the audit says of it; one finding each. */
  readonly told: readonly RegExp[];
}

const etcd = "/usr/local/bin/etcd";
const unit = "/etc/systemd/system/containerd.service";
const tamperings: readonly Tampering[] = [
  {
    what: "one changed byte in a binary, of the same length and with its old time",
    change: `cp -a ${etcd} /run/etcd && cp -a ${etcd} ${etcd}.new && printf X | dd of=${etcd}.new bs=1 seek=1000000 conv=notrunc status=none && touch -r /run/etcd ${etcd}.new && mv ${etcd}.new ${etcd}`,
    revert: `cp -a /run/etcd ${etcd}.new && mv ${etcd}.new ${etcd}`,
    told: [/changed: \/usr\/local\/bin\/etcd is not what was installed/],
  },
  {
    what: "a changed mode",
    change: "chmod 0644 /etc/kubernetes/pki/etcd/etcd-key.pem",
    revert: "chmod 0600 /etc/kubernetes/pki/etcd/etcd-key.pem",
    told: [/mode: \/etc\/kubernetes\/pki\/etcd\/etcd-key\.pem has another mode/],
  },
  {
    what: "a changed owner",
    change: `chown 33:33 ${unit}`,
    revert: `chown 0:0 ${unit}`,
    told: [/owner: \/etc\/systemd\/system\/containerd\.service has another owner/],
  },
  {
    what: "a removed unit, which goes on running",
    change: `mv ${unit} /run/kept.service`,
    revert: `mv /run/kept.service ${unit}`,
    told: [/missing: \/etc\/systemd\/system\/containerd\.service is gone/],
  },
  {
    what: "an extra file among the certificates",
    change: "cp /etc/hostname /etc/kubernetes/pki/etcd/other-ca.pem",
    revert: "rm /etc/kubernetes/pki/etcd/other-ca.pem",
    told: [/extra: \/etc\/kubernetes\/pki\/etcd\/other-ca\.pem/],
  },
  {
    what: "a running binary that was replaced, with the right file put back",
    change: `cp -a ${etcd} /run/etcd && cp -a ${etcd} ${etcd}.other && printf X >> ${etcd}.other && mv ${etcd}.other ${etcd} && systemctl restart etcd && cp -a /run/etcd ${etcd}.new && mv ${etcd}.new ${etcd}`,
    revert: "systemctl restart etcd",
    told: [/running: etcd\.service runs another \/usr\/local\/bin\/etcd than the one that was installed/],
  },
  {
    what: "another program than the unit's, with the unit put back",
    change: `cp -a ${etcd} /usr/local/sbin/strange && sed -i.kept 's,^ExecStart=/usr/local/bin/etcd,ExecStart=/usr/local/sbin/strange,' /etc/systemd/system/etcd.service && systemctl daemon-reload && systemctl restart etcd && mv /etc/systemd/system/etcd.service.kept /etc/systemd/system/etcd.service && systemctl daemon-reload`,
    revert: "systemctl restart etcd && rm /usr/local/sbin/strange",
    told: [/running: etcd\.service runs a program that was not installed/],
  },
  {
    what: "a kernel value, and a drop-in",
    change:
      "sysctl -q -w net.ipv4.ip_forward=0 && mkdir /etc/systemd/system/etcd.service.d && printf '[Service]\\nNice=1\\n' > /etc/systemd/system/etcd.service.d/a.conf",
    revert: "sysctl -q -w net.ipv4.ip_forward=1 && rm -r /etc/systemd/system/etcd.service.d",
    told: [/setting: .*net\.ipv4\.ip_forward/, /extra: \/etc\/systemd\/system\/etcd\.service\.d\/a\.conf/],
  },
];

test("an audit tells every change to a node, and nothing of a clean one after a reboot", async (t) => {
  const bundle = await buildBundle(cluster);
  await using machine = await restoreMachine({ name: "n1", address: "10.0.0.11/24" });
  await insert(machine, bundle, readFileSync(bundle.keys, "utf8"));
  await must(machine, install("etcd,worker"));
  await must(machine, audit);
  await machine.reboot();
  await mountBundle(machine);
  t.diagnostic((await must(machine, audit)).split("\n").find((line) => line.startsWith("audit")) ?? "");

  for (const { what, change, revert, told } of tamperings) {
    await t.test(what, async () => {
      await machine.run(change);
      const found = await differencesToldBy(machine);
      for (const pattern of told) {
        assert.ok(
          found.some((line) => pattern.test(line)),
          `${String(pattern)} is not told in\n${found.join("\n")}`,
        );
      }
      await machine.run(`${revert}; for i in $(seq 50); do systemctl is-active --quiet etcd && break; sleep 0.2; done`);
      await must(machine, audit);
    });
  }
});

/** `check: message` of every error. */
async function differencesToldBy(machine: Machine): Promise<string[]> {
  const { code, stdout } = await machine.exec([...audit, "--json"]);
  assert.equal(code, 9, stdout);
  const records = stdout.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Finding] : []));
  const errors = records.filter(({ type, severity }) => type === "finding" && severity === "error");
  return errors.map(({ check, message }) => `${check}: ${message}`);
}

interface Finding {
  readonly type: string;
  readonly check: string;
  readonly severity: string;
  readonly message: string;
}
