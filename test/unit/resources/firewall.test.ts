import assert from "node:assert/strict";
import { test } from "node:test";
import { firewall, type FirewallState } from "../../../installer/resources/firewall.ts";
import { bringing } from "../../fakes/states.ts";

const id = { ports: ["6443/tcp", "protocol 4", "from 172.30.0.0/16", "to 172.30.0.0/16"] };
const argv = (state: FirewallState): string[] =>
  bringing(firewall, id, state).map((effect) => (effect.do === "run" ? effect.argv.join(" ") : effect.do));

test("firewalld lets in ports and protocols, and trusts what pods send, now and after a boot", () => {
  assert.deepEqual(argv({ tool: "firewalld", open: [], permanent: ["6443/tcp"] }), [
    "firewall-cmd --permanent --add-protocol=4",
    "firewall-cmd --permanent --zone=trusted --add-source=172.30.0.0/16",
    "firewall-cmd --add-port=6443/tcp",
    "firewall-cmd --add-protocol=4",
    "firewall-cmd --zone=trusted --add-source=172.30.0.0/16",
  ]);
});

test("ufw is asked for ports only", () => {
  assert.deepEqual(argv({ tool: "ufw", open: [], permanent: [] }), ["ufw allow 6443/tcp"]);
});
