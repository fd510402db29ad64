/**
 * Every component. A new one is its folder and a line here. Units start and checks are made in the order of their numbers,
 * and in this one where these are equal, as objects are brought about in this order.
 */
import { admin } from "./admin/component.ts";
import { bootstrap } from "./bootstrap/component.ts";
import { calico } from "./calico/component.ts";
import type { Component } from "./component.ts";
import { containerd } from "./containerd/component.ts";
import { coredns } from "./coredns/component.ts";
import { dashboard } from "./dashboard/component.ts";
import { docker } from "./docker/component.ts";
import { etcd } from "./etcd/component.ts";
import { flannel } from "./flannel/component.ts";
import { balancerOfMasters, balancerOfNodes } from "./haproxy/component.ts";
import { heapster } from "./heapster/component.ts";
import { host } from "./host/component.ts";
import { apiserver } from "./kube-apiserver/component.ts";
import { controllerManager } from "./kube-controller-manager/component.ts";
import { kubeDns } from "./kube-dns/component.ts";
import { kubeProxy } from "./kube-proxy/component.ts";
import { scheduler } from "./kube-scheduler/component.ts";
import { kubectl } from "./kubectl/component.ts";
import { kubelet } from "./kubelet/component.ts";
import { metricsServer } from "./metrics-server/component.ts";
import { podSecurity } from "./pod-security/component.ts";
import { routes } from "./routes/component.ts";
import { smoke } from "./smoke/component.ts";
import { vip } from "./vip/component.ts";

export const components: readonly Component[] = [
  etcd,
  apiserver,
  admin,
  controllerManager,
  scheduler,
  bootstrap,
  balancerOfMasters,
  balancerOfNodes,
  vip,
  containerd,
  docker,
  routes,
  kubelet,
  kubeProxy,
  flannel,
  calico,
  podSecurity,
  coredns,
  kubeDns,
  metricsServer,
  dashboard,
  heapster,
  smoke,
  kubectl,
  host,
];
