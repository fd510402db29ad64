/** What a bundle's own health checks are called, and what to run where one fails: the builder writes them into the bundle. */
import type { Catalogue } from "../catalogue.ts";

export const health: Catalogue = {
  "{1} is available": "{1} 可用",
  "{1} is running": "{1} 正在运行",
  "a {1} leads": "有一个 {1} 担任领导者",
  "on each master: {1}": "在每个 master 上：{1}",
  "haproxy answers on the API's port": "haproxy 在 API 端口上有应答",
  "the API's address answers": "API 的地址有应答",
  "{1}; on each master: ip -4 address show to {2}": "{1}；在每个 master 上：ip -4 address show to {2}",
  "{1}; on each master: ip -6 address show to {2}": "{1}；在每个 master 上：ip -6 address show to {2}",
  "the API's address is held by one master": "API 的地址由一个 master 持有",
  "on each master: ip -4 address show to {1}; is VRRP (protocol 112) let through between them?":
    "在每个 master 上：ip -4 address show to {1}；它们之间是否放行 VRRP（协议 112）？",
  "on each master: ip -6 address show to {1}; is VRRP (protocol 112) let through between them?":
    "在每个 master 上：ip -6 address show to {1}；它们之间是否放行 VRRP（协议 112）？",
  "the metrics API answers": "指标 API 有应答",
  "the API is reached": "可以访问 API",
  "on a master: ./install status; and is its port open from here?":
    "在 master 上：./install status；从这里能否访问它的端口？",
  "kubelet is healthy": "kubelet 健康",
  "{1}; on a master: kubectl get csr": "{1}；在 master 上：kubectl get csr",
  "the kubelet has its client certificate": "kubelet 已有客户端证书",
  "on a master: kubectl get csr; ./install approve; here: {1}":
    "在 master 上：kubectl get csr; ./install approve；在这里：{1}",
  "the kubelet has its serving certificate": "kubelet 已有服务端证书",
  "on a master: ./install approve": "在 master 上：./install approve",
  "the pods' network is configured": "Pod 网络已配置",
  "on a master: kubectl get pods --all-namespaces -o wide; the network's own pod on this node writes it":
    "在 master 上：kubectl get pods --all-namespaces -o wide；由本节点上网络插件的 Pod 写入配置",
  "the node is Ready": "节点处于 Ready 状态",
  "every node is Ready": "每个节点都处于 Ready 状态",
  "kubectl get nodes; on that node: ./install status; {1}": "kubectl get nodes；在该节点上：./install status；{1}",
  "kube-proxy is healthy": "kube-proxy 健康",
  "kube-proxy forwards the API service": "kube-proxy 转发 API 的 Service",
  "kube-apiserver is ready": "kube-apiserver 就绪",
  "flannel's network is in etcd": "flannel 的网络已写入 etcd",
  "on the first member: ./install --role etcd --ip IP; it puts the key":
    "在第一个成员上：./install --role etcd --ip IP；它会写入该键",
  "every worker has a subnet of flannel's in etcd": "每个 worker 在 etcd 中都有 flannel 子网",
  "on that worker: {1}; wanted there: Lease acquired": "在该 worker 上：{1}；其中应有 Lease acquired",
  "flannel has a subnet": "flannel 已有子网",
  "{1}; wanted there: Lease acquired": "{1}；其中应有 Lease acquired",
  "flannel's interface is in its subnet": "flannel 的接口位于其子网",
  "docker is in flannel's subnet": "docker 位于 flannel 的子网",
  "systemctl restart docker; it takes its subnet from /run/flannel/docker":
    "systemctl restart docker；它从 /run/flannel/docker 取得子网",
  "etcd is healthy": "etcd 健康",
  "etcd has one leader over all members": "etcd 的所有成员有同一个领导者",
  "on the member that does not answer: {1}": "在没有应答的成员上：{1}",
  "docker answers": "docker 有应答",
  "the cluster's DNS answers": "集群的 DNS 有应答",
  "on a master: kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide":
    "在 master 上：kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide",
  "containerd answers": "containerd 有应答",
  "the sandbox image is there": "沙箱镜像存在",
  "kubelets may ask for certificates": "kubelet 可以申请证书",
  "no kubelet waits for a certificate": "没有 kubelet 在等待证书",
};
