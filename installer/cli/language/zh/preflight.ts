/** What preflight finds, also before an upgrade. */
import type { Catalogue } from "../catalogue.ts";

export const preflight: Catalogue = {
  "{1} days": "{1} 天",
  "the software in this bundle is old; it lacks what was fixed since": "离线包中的软件已旧，缺少此后的修补",
  "on the online side: kubeferry lock --update, then build": "在联网一侧执行 kubeferry lock --update，然后构建",
  "this host's clock is before the certificates were made": "本机时钟早于证书的生成时间",
  "{1} or later": "{1} 或更晚",
  "within the certificates' validity": "在证书有效期内",
  "certificates are for {1}": "证书适用于 {1}",
  "{1} is not for this address": "{1} 不适用于该地址",
  "correct the node's ip in cluster.yaml and build again": "在 cluster.yaml 中改正该节点的 ip，然后重新构建",
  "the bundle's packages are for another distribution": "离线包中的软件包适用于另一个发行版",
  "name this one under packages: in cluster.yaml and build again":
    "在 cluster.yaml 的 packages: 下写出本机的发行版，然后重新构建",
  "{1} has expired": "{1} 已过期",
  "{1} will expire soon": "{1} 即将到期",
  "on the online side: build again with newer certificates; or a wrong clock: date":
    "在联网一侧用更新的证书重新构建；或者是时钟有误：date",
  "its own data": "它自己的数据",
  "data of an earlier installation of {1} in this cluster are here, and etcd goes on with them":
    "这里有 {1} 在本集群中以前安装时的数据，etcd 将继续使用",
  "to begin anew instead: mv {1} {2}.before": "如果要从头开始：mv {1} {2}.before",
  "data of another etcd are here, and etcd would take them for its own":
    "这里有另一个 etcd 的数据，etcd 会把它当成自己的",
  "no data of an earlier etcd": "没有以前的 etcd 数据",
  "the host belongs to no other cluster of Kubeferry": "主机不属于 Kubeferry 的其他集群",
  "the host already belongs to another cluster": "主机已属于另一个集群",
  "what is here is ours": "这里的都是我们自己的",
  "another tool has installed Kubernetes here": "另一个工具在这里安装了 Kubernetes",
  "take it away with the tool that made it": "用安装它的工具移除",
  "no Kubernetes of another tool": "没有其他工具的 Kubernetes",
  "{1} of this host runs; it is replaced by ours until undo, and what it runs is restarted":
    "主机自己的 {1} 正在运行；undo 之前由我们的代替，它运行的内容会重启",
  "{1} of this host runs beside ours": "主机自己的 {1} 与我们的同时运行",
  "no runtime of the host's own": "主机自己没有容器运行时",
  "runs as root": "以 root 运行",
  "only root can change this host": "只有 root 能改变这台主机",
  "systemd runs this host": "本机由 systemd 管理",
  "systemd does not run this host": "本机不由 systemd 管理",
  "install into a tree instead: ./install … --root DIR": "改为安装到目录树中：./install … --root DIR",
  "the kernel is too old": "内核过旧",
  "3.10 or newer": "3.10 或更新",
  "boot a newer kernel of the distribution": "启动到发行版提供的较新内核",
  "cgroup v2 of this kernel is not usable": "该内核的 cgroup v2 不可用",
  "4.5 or newer": "4.5 或更新",
  "kube-proxy in mode nftables does not start with this kernel": "nftables 模式的 kube-proxy 在该内核上无法启动",
  "5.13 or newer": "5.13 或更新",
  "kube-proxy {1} finds no nf_conntrack_ipv4 in this kernel and does not work in mode ipvs":
    "kube-proxy {1} 在该内核中找不到 nf_conntrack_ipv4，ipvs 模式无法工作",
  "4.18 or older": "4.18 或更旧",
  "network: { proxyMode: iptables } in cluster.yaml": "在 cluster.yaml 中写 network: { proxyMode: iptables }",
  "runc before 1.0.0-rc94, which releases of {1} carry, starts no container with a memory limit":
    "{1} 的各发行版带有 1.0.0-rc94 之前的 runc，它无法启动有内存限制的容器",
  "5.15 or older": "5.15 或更旧",
  "take a newer runc: alternatives: [newer-runc] where `kubeferry releases` has it; or a kernel before 5.16":
    "改用较新的 runc：在 `kubeferry releases` 有此项时写 alternatives: [newer-runc]；或使用 5.16 之前的内核",
  "this kernel leaks the memory of containers and may hang when they end": "该内核会泄漏容器的内存，容器结束时可能挂起",
  "4.4 or newer": "4.4 或更新",
  "Kubernetes {1} wants cgroup v2": "Kubernetes {1} 需要 cgroup v2",
  "boot with systemd.unified_cgroup_hierarchy=1": "启动时带 systemd.unified_cgroup_hierarchy=1",
  "Kubernetes {1} does not know cgroup v2": "Kubernetes {1} 不认识 cgroup v2",
  "boot with systemd.unified_cgroup_hierarchy=0": "启动时带 systemd.unified_cgroup_hierarchy=0",
  "cgroup controllers are missing: {1}": "缺少 cgroup 控制器：{1}",
  "little memory for these roles": "对这些角色来说内存偏小",
  "a master wants two processors": "master 需要两个处理器",
  "not a name of its own for this host": "这不是主机自己的名称",
  "hostnamectl set-hostname NAME, or hostname: true in cluster.yaml":
    "hostnamectl set-hostname NAME，或在 cluster.yaml 中写 hostname: true",
  "{1} asks {2}": "{1} 向 {2} 校时",
  "nothing here could be pointed at {1} yet; the bundle brings {2}":
    "目前这里没有可以指向 {1} 的程序；离线包会带来 {2}",
  "neither chrony nor systemd-timesyncd": "既没有 chrony，也没有 systemd-timesyncd",
  "run the same ./install once more afterwards": "之后再运行一次同一条 ./install 命令",
  "nothing here could be pointed at {1}": "这里没有可以指向 {1} 的程序",
  "name chrony under packages: in cluster.yaml, or timeSync: keep":
    "在 cluster.yaml 的 packages: 下写 chrony，或写 timeSync: keep",
  "the clock is synchronized": "时钟已同步",
  "{1} has not set the clock right yet; nodes whose clocks differ refuse each other's certificates":
    "{1} 还没有校准时钟；时钟不一致的节点会拒绝彼此的证书",
  "nothing keeps the clock right; nodes whose clocks differ refuse each other's certificates":
    "没有程序校准时钟；时钟不一致的节点会拒绝彼此的证书",
  "timeSync: [SERVER] under host: in cluster.yaml, or systemctl enable --now chrony":
    "在 cluster.yaml 的 host: 下写 timeSync: [SERVER]，或执行 systemctl enable --now chrony",
  "what daemons call is there": "守护进程调用的程序都在",
  "{1} is missing": "缺少 {1}",
  "name its package under packages: in cluster.yaml, or install it from this system's media":
    "在 cluster.yaml 的 packages: 下写出它的软件包，或从系统自己的介质安装",
  "the kernel has no module {1}": "内核没有模块 {1}",
  "modinfo {1}; uname -r   # a reboot after a kernel update is often all it takes":
    "modinfo {1}; uname -r   # 内核更新之后，往往重启即可",
  "{1} are there": "{1} 都在",
  "{1} keys are there": "{1} 个参数都在",
  "this kernel lacks keys, which are left out: {1}": "该内核没有这些参数，它们会被略过：{1}",
  off: "已关闭",
  "is on and will be turned off: {1}": "已启用，将会关闭：{1}",
  none: "没有",
  "enforcing; contexts are restored by restorecon": "enforcing；由 restorecon 恢复上下文",
  "SELinux is enforcing, and restorecon is not here to label what is installed":
    "SELinux 处于 enforcing 模式，而这里没有 restorecon 为安装的内容打标签",
  "install policycoreutils, or selinux: permissive in cluster.yaml":
    "安装 policycoreutils，或在 cluster.yaml 中写 selinux: permissive",
  "swap is on and cluster.yaml keeps it": "交换分区已启用，而 cluster.yaml 要求保留它",
  "swap: off in cluster.yaml, or failSwapOn: false for the kubelet":
    "在 cluster.yaml 中写 swap: off，或为 kubelet 写 failSwapOn: false",
  "the node's IPv6 address is on another interface than its IPv4 address: flannel wants both on one":
    "节点的 IPv6 地址与 IPv4 地址不在同一个网卡上：flannel 要求两者在同一个网卡上",
  "{1} has its IPv6 routes from routers, and the kernel no longer listens to them when this node forwards":
    "{1} 的 IPv6 路由来自路由器，而本节点开始转发后，内核不再理会它们",
  "sysctls: { net.ipv6.conf.{1}.accept_ra: 2 } under host: in cluster.yaml, or static routes":
    "在 cluster.yaml 的 host: 下写 sysctls: { net.ipv6.conf.{1}.accept_ra: 2 }，或使用静态路由",
  "this host does not have the node's address": "主机没有该节点的地址",
  "{1} on {2}": "{1} 在 {2} 上",
  "the address is on another interface": "地址在另一个接口上",
  "{1} is inside a network that belongs to the cluster": "{1} 在属于集群的网段之内",
  "choose other networks in cluster.yaml: network.pods, network.services":
    "在 cluster.yaml 中改用其他网段：network.pods、network.services",
  "{1} and {2} are free here": "{1} 和 {2} 在这里没有被使用",
  "port {1}/{2} is taken": "端口 {1}/{2} 被占用",
  "port {1}/{2} is taken by {3}": "端口 {1}/{2} 被 {3} 占用",
  "port {1}/{2} is taken by the kernel": "端口 {1}/{2} 被内核占用",
  "port {1}/{2} is taken by the kernel, for the interface {3}": "端口 {1}/{2} 被内核为接口 {3} 占用",
  "{1} are free or ours": "{1} 个空闲或由我们自己占用",
  "ufw opens ports only, and the nodes need {1} as well": "ufw 只能打开端口，而节点还需要 {1}",
  "in /etc/ufw/before.rules, before COMMIT: {1}": "在 /etc/ufw/before.rules 的 COMMIT 之前加入：{1}",
  "firewalld runs: {1}": "firewalld 正在运行：{1}",
  "ufw runs: {1}": "ufw 正在运行：{1}",
  "firewalld runs and cluster.yaml keeps it; the nodes need {1}":
    "firewalld 正在运行，而 cluster.yaml 要求保留它；节点需要 {1}",
  "ufw runs and cluster.yaml keeps it; the nodes need {1}": "ufw 正在运行，而 cluster.yaml 要求保留它；节点需要 {1}",
  "firewall: open-ports in cluster.yaml": "在 cluster.yaml 中写 firewall: open-ports",
  "nftables drops in {1}, and cluster.yaml keeps it; the nodes need {2}":
    "nftables 在 {1} 中丢弃，而 cluster.yaml 要求保留它；节点需要 {2}",
  "{1} does not make {2}: the nodes' ports are open there until it is made anew":
    "{1} 不会建立 {2}：在它重建之前，节点的端口在那里是打开的",
  "nftables drops in {1}: {2}": "nftables 在 {1} 中丢弃：{2}",
  "none that drops": "没有在丢弃的",
  "{1} drops, and its rules are the administrator's; the nodes need {2}":
    "{1} 在丢弃，其规则归管理员所有；节点需要 {2}",
  "{1} has room for {2}": "{1} 有空间存放 {2}",
  "the file system of {1} is too small": "{1} 所在的文件系统过小",
  enough: "足够",
  "the file system of {1} has too few free inodes": "{1} 所在的文件系统空闲 inode 过少",
  "{1} is mounted read-only, and {2} is to be written there": "{1} 以只读方式挂载，而 {2} 要写到那里",
  "{1} is mounted noexec, and the program {2} is to be there": "{1} 以 noexec 方式挂载，而程序 {2} 要放在那里",
  "targets can be written and run": "目标位置可写、可执行",
  "{1} is a link to {2}; it is used as it is": "{1} 是指向 {2} 的链接，将照原样使用",
  "{1} is an XFS without ftype, on which container layers cannot lie": "{1} 是没有 ftype 的 XFS，不能存放容器的层",
  "make it anew: mkfs.xfs -n ftype=1": "重新创建：mkfs.xfs -n ftype=1",
  "plain directories": "都是普通目录",
  "this bundle is of another cluster than the one that this host is a node of": "离线包所属的集群不是本机所在的集群",
  "take the bundle of this cluster; to make the host a node of the other one: ./install undo first":
    "使用本集群的离线包；要让主机成为另一个集群的节点，先执行 ./install undo",
  "this bundle is older than the installed one: it may bring back what was fixed since":
    "离线包比已安装的旧：可能带回此后已修补的问题",
  "is it the bundle that was meant? kubeferry diff OLD NEW shows what would change":
    "确实是要用的那个离线包吗？kubeferry diff OLD NEW 显示会有哪些变化",
  "the bundle takes components back: {1}": "离线包使组件倒退：{1}",
  "the bundle has other keys of the cluster than those installed: {1}": "离线包中的集群密钥与已安装的不同：{1}",
  "build it beside the .pki folder that the installed bundle was built with":
    "在构建已安装离线包时所用的 .pki 目录旁构建",
  "the bundle is at the step {1}, and this host is not at the one beside it: nodes would refuse each other":
    "离线包处于 {1} 这一步，而本机不在相邻的一步：节点会互相拒绝",
  "upgrade every host to the bundle of each step: trust, reissue, drop; docs/day-2-rotation.md":
    "让每台主机依次升级到每一步的离线包：trust、reissue、drop；见 docs/day-2-rotation.md",
  "the kubelet still uses a certificate of the CA that this bundle drops: {1}":
    "kubelet 仍在使用该离线包将停用的 CA 的证书：{1}",
  "Kubernetes would change its major version": "Kubernetes 的主版本会改变",
  "Kubernetes would go back by a minor version; its data may not be readable then":
    "Kubernetes 会倒退一个次版本；届时可能无法读取它的数据",
  "Kubernetes would skip a minor version": "Kubernetes 会跳过一个次版本",
  "etcd would change its major version": "etcd 的主版本会改变",
  "etcd would go back by a minor version; its data may not be readable then":
    "etcd 会倒退一个次版本；届时可能无法读取它的数据",
  "etcd 3.6 may bring members back that this 3.5 has removed, or take away their votes":
    "etcd 3.6 可能使这个 3.5 已移除的成员重新出现，或取消成员的投票权",
  "3.5.26 or newer": "3.5.26 或更新",
  "upgrade with a bundle of etcd 3.5.26 or a later 3.5 first, until every member is healthy":
    "先用 etcd 3.5.26 或更新的 3.5 的离线包升级，直到每个成员都健康",
  "etcd would skip a minor version": "etcd 会跳过一个次版本",
  "{1}.{2} or newer": "{1}.{2} 或更新",
  "read the release notes, and take a backup first": "阅读发布说明，并先做备份",
  "./install rollback   takes the last upgrade back": "./install rollback   撤回最近一次升级",
  "Kubernetes goes back from {1} to {2}": "Kubernetes 从 {1} 倒退到 {2}",
  "etcd goes back from {1} to {2}": "etcd 从 {1} 倒退到 {2}",
  "use the newer bundle, if this is not meant": "如果并非有意，请使用较新的离线包",
  "the API server does not say its version, and a kubelet must not be newer than it":
    "API 服务器没有给出版本，而 kubelet 不得比它新",
  "Kubernetes {1} on the masters": "各 master 上的 Kubernetes 为 {1}",
  "upgrade every master first; if that is done: --skip-preflight kubelet-skew":
    "先升级每个 master；如果已经完成：--skip-preflight kubelet-skew",
  "the kubelet would be newer than the API server": "kubelet 会比 API 服务器新",
  "{1} or newer": "{1} 或更新",
  "the API server is of {1}": "API 服务器的版本为 {1}",
  "certificates that were renewed on {1} give way to those of the bundle": "{1} 更新过的证书让位给离线包中的证书",
  "./install renew   afterwards, if the bundle's end sooner":
    "./install renew   在此之后执行，如果离线包中的证书到期更早",
  "a cluster does not go to IPv6 or to dual stack, or back, by an upgrade: its nodes keep the ranges that they were given":
    "集群不能通过升级变成 IPv6 或双栈，也不能变回来：节点保留它们得到的地址段",
  "keep network.pods in cluster.yaml as it was; or ./install undo on every node, and install the cluster anew":
    "cluster.yaml 中的 network.pods 保持原样；或在每个节点上执行 ./install undo，再重新安装集群",
  "this host is another node of the cluster": "这台主机是集群的另一个节点",
  "./install upgrade --ip {1}; to make it another node: ./install undo first":
    "./install upgrade --ip {1}；要改为另一个节点，先执行 ./install undo",
  "this host stays {1} of the older bundle": "这台主机的 {1} 会停留在旧的离线包上",
  "./install upgrade --role {1}   upgrades all of it at once": "./install upgrade --role {1}   一次全部升级",
  "until the other masters are upgraded, this kubelet is newer than their API servers":
    "在其他 master 升级之前，这个 kubelet 比它们的 API 服务器新",
  "upgrade --role etcd,master on every master first, then --role worker everywhere":
    "先在每个 master 上执行 upgrade --role etcd,master，然后在各处执行 --role worker",
  "every member of etcd is healthy": "etcd 的每个成员都健康",
  "a member of etcd is not healthy, and this one would be away while it restarts":
    "有一个 etcd 成员不健康，而本成员重启期间也不可用",
  "code {1}": "退出码 {1}",
};
