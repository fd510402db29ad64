/** CoreDNS, the DNS of the cluster. */
import { familyOf } from "#formats/address";
import { available, onApi, script } from "../check.ts";
import type { CheckRow, Component } from "../component.ts";
import { addon, isAtLeast, neededImage } from "../context.ts";

export const dnsAnswers: CheckRow = {
  name: "the cluster's DNS answers",
  at: 80,
  argv: ({ topology: { network } }) => {
    const words = [network.dnsService, network.domain, network.apiService];
    return familyOf(network.apiService) === "ipv4"
      ? script(["coredns/question.sh", "coredns/resolves.sh"], ...words, "01")
      : script(["ipv6-digits.sh", "coredns/question.sh", "coredns/resolves-ipv6.sh"], ...words, "1c");
  },
  timeoutSeconds: 10,
  ...onApi,
  hint: "on a master: kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide",
};

export const coredns: Component = {
  name: "coredns",
  roles: ["worker"],
  when: addon("coredns"),
  objects: [
    { name: "coredns.yaml", data: (c) => ({ image: neededImage(c, "coredns"), old: !isAtLeast(c, "1.5", "coredns") }) },
  ],
  checks: [dnsAnswers, available("deployment", "coredns")],
};
