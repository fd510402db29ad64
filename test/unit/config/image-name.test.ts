import assert from "node:assert/strict";
import { test } from "node:test";
import { isExpected } from "#cli/errors";
import { formatReference, nameInRuntime, parseReference } from "../../../builder/config/image-name.ts";

const digest = `sha256:${"ab".repeat(32)}`;

test("names get docker's defaults, as docker and containerd fill them in", () => {
  const full = {
    nginx: "docker.io/library/nginx:latest",
    "nginx:1.27": "docker.io/library/nginx:1.27",
    "coredns/coredns:1.11.1": "docker.io/coredns/coredns:1.11.1",
    "index.docker.io/a/b": "docker.io/a/b:latest",
    "registry.k8s.io/pause:3.10.2": "registry.k8s.io/pause:3.10.2",
    "registry.k8s.io/coredns/coredns:v1.14.2": "registry.k8s.io/coredns/coredns:v1.14.2",
    "localhost/x:1": "localhost/x:1",
    "localhost:5000/x": "localhost:5000/x:latest",
    "10.0.0.1:5000/a/b/c:t": "10.0.0.1:5000/a/b/c:t",
    "[::1]:5000/a:t": "[::1]:5000/a:t",
    "Example.org/a:t": "example.org/a:t",
    [`nginx@${digest}`]: `docker.io/library/nginx@${digest}`,
    [`nginx:1@${digest}`]: `docker.io/library/nginx:1@${digest}`,
  };
  for (const [name, wanted] of Object.entries(full)) assert.equal(formatReference(parseReference(name)), wanted);
});

test("a runtime keeps an image under its tag, or under its digest where it has no tag", () => {
  assert.equal(nameInRuntime(`nginx:1@${digest}`), "docker.io/library/nginx:1");
  assert.equal(nameInRuntime(`nginx@${digest}`), `docker.io/library/nginx@${digest}`);
});

test("what is no image's name is refused with its reason", () => {
  const wrong = [
    "",
    "a b",
    "Nginx",
    "nginx:",
    "nginx:-x",
    "nginx@sha256:abc",
    "nginx@md5:00",
    "-x.io/a",
    "a//b",
    "a/../b",
    "https://registry.k8s.io/pause",
    "registry.k8s.io/",
    `a/${"b".repeat(300)}`,
    "x.io/a\nb",
  ];
  for (const name of wrong)
    assert.throws(
      () => parseReference(name),
      (error) => isExpected(error, "CONFIG_INVALID"),
      name,
    );
});
