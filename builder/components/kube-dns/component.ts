/** kube-dns, the DNS of clusters before CoreDNS. */
import { available } from "../check.ts";
import type { Component } from "../component.ts";
import { addon, neededImage } from "../context.ts";
import { dnsAnswers } from "../coredns/component.ts";

export const kubeDns: Component = {
  name: "kube-dns",
  roles: ["worker"],
  when: addon("kube-dns"),
  objects: [
    {
      name: "kube-dns.yaml",
      data: (c) => ({
        kubedns: neededImage(c, "k8s-dns-kube-dns"),
        dnsmasq: neededImage(c, "k8s-dns-dnsmasq-nanny"),
        sidecar: neededImage(c, "k8s-dns-sidecar"),
      }),
    },
  ],
  checks: [dnsAnswers, available("deployment", "kube-dns")],
};
