import assert from "node:assert/strict";
import { test } from "node:test";
import { isExpected } from "#cli/errors";
import { listManifests, listTemplates, readSource } from "../../../builder/config/manifests.ts";
import { installLinks } from "../../../builder/render/units.ts";
import { openTemplates } from "../../../builder/render/template.ts";

const templates = openTemplates((path) =>
  new Map([
    ["good.ejs", "--name=<%= name %> @NODE_IP@ <&>\n"],
    ["undefined.ejs", "one\ntwo <%= nobody %>\n"],
    ["absent.ejs", "one\n\n<%= node.ip %>\n"],
    ["object.ejs", "<%= node %>\n"],
    ["broken.ejs", "<% if (true) { %>\n"],
  ]).get(path),
);

function refused(path: string, where: RegExp, message: RegExp): void {
  assert.throws(
    () => templates.render(path, { node: {} }),
    (error) => {
      assert.ok(isExpected(error, "TEMPLATE_INVALID"), String(error));
      assert.match(error.where ?? "", where);
      assert.match(error.message, message);
      return true;
    },
  );
}

test("values go in as they are, and the installer's tokens pass through", () => {
  assert.equal(templates.render("good.ejs", { name: "a&b" }), "--name=a&b @NODE_IP@ <&>\n");
});

test("an undefined name, an absent value and an object are errors with file and line", () => {
  refused("undefined.ejs", /^undefined\.ejs:2$/, /nobody is not defined/);
  refused("absent.ejs", /^absent\.ejs:3$/, /a value is not defined/);
  refused("object.ejs", /^object\.ejs:1$/, /a value is not a text/);
});

test("a template that does not compile or is not there is named", () => {
  refused("broken.ejs", /^broken\.ejs/, /cannot be rendered/);
  refused("none.ejs", /^none\.ejs$/, /there is no such template/);
});

test("no template uses the tag that goes past the check of values", () => {
  const kubeconfigs = listManifests("kubeconfigs").map((path) => `manifests/${path}`);
  const paths = [...listTemplates(), ...kubeconfigs];
  assert.ok(paths.length > 30);
  assert.deepEqual(
    paths.filter((path) => readSource(path)?.includes("<%-")),
    [],
  );
});

test("links that enable a unit come from its [Install] section only", () => {
  const unit = "[Unit]\nWantedBy=nobody.target\n[Install]\nWantedBy=a.target b.target\nRequiredBy=docker.service\n";
  assert.deepEqual(installLinks("x.service", unit), [
    "a.target.wants/x.service",
    "b.target.wants/x.service",
    "docker.service.requires/x.service",
  ]);
});
