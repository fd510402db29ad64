/** What is wrong with cluster.yaml, hosts.yaml or a release manifest: each place of it, and errors of reading them. */
import type { Catalogue } from "#cli/language/catalogue";

export const configurationProblems: Catalogue = {
  "1 problem in {1}": "{1} 中有 1 处问题",
  "{1} problems in {2}": "{2} 中有 {1} 处问题",
  "correct these places and run it again": "改正这些位置后重新运行",
  "take another folder, or remove this file and the bundles beside it: they are made anew":
    "选择其他文件夹，或删除该文件和旁边的离线包：会重新生成",
  "docs/push.md shows one": "docs/zh/push.md 中有示例",
  "correct these places and run it again; docs/push.md shows a whole file":
    "改正这些位置后重新运行；docs/zh/push.md 中有完整的示例",
  "there is no file {1}": "没有文件 {1}",
  "not YAML: {1}": "不是 YAML：{1}",
  "this key is already there": "该键已存在",
  "a tab cannot indent; use spaces": "不能用制表符缩进；请用空格",
  "only one document is wanted: a second --- begins here": "只应有一个文档：这里开始第二个 ---",
  "the alias *{1} is not taken; write it out": "不接受别名 *{1}；请完整写出",
  "the merge key << is not taken; write it out": "不接受合并键 <<；请完整写出",
  "unknown key `{1}`": "未知的键 `{1}`",
  "unknown key `{1}`; did you mean `{2}`?": "未知的键 `{1}`；是否想写 `{2}`？",
  "in `{1}`: unknown key `{2}`": "`{1}` 中：未知的键 `{2}`",
  "in `{1}`: unknown key `{2}`; did you mean `{3}`?": "`{1}` 中：未知的键 `{2}`；是否想写 `{3}`？",
  "the key `{1}` {2}": "键 `{1}` {2*}",
  "`{1}` is missing": "缺少 `{1}`",
  "`{1}` wants text, in quotes, found {2}": "`{1}` 应是加引号的文本，实际是 {2}",
  "`{1}` wants {2}, found {3}": "`{1}` 应是 {2*}，实际是 {3}",
  "`{1}` wants {2}, found {3}; did you mean `{4}`?": "`{1}` 应是 {2}，实际是 {3}；是否想写 `{4}`？",
  "`{1}` wants one of {2}, found {3}": "`{1}` 应是 {2} 之一，实际是 {3}",
  "`{1}` wants one of {2}, found {3}; did you mean `{4}`?": "`{1}` 应是 {2} 之一，实际是 {3}；是否想写 `{4}`？",
  "`{1}` {2}, found {3}": "`{1}` {2*}，实际是 {3}",
  "`{1}` wants at least {2} entry, found {3}": "`{1}` 至少应有 {2} 项，实际是 {3}",
  "`{1}` wants at least {2} entries, found {3}": "`{1}` 至少应有 {2} 项，实际是 {3}",
  "`{1}` wants {2} or more, found {3}": "`{1}` 至少应是 {2}，实际是 {3}",
  "`{1}` wants {2} or less, found {3}": "`{1}` 至多应是 {2}，实际是 {3}",
  text: "文本",
  "a whole number": "整数",
  "true or false": "true 或 false",
  "a list": "列表",
  "a mapping": "映射",
  "wants an IPv4 or IPv6 address": "应是 IPv4 或 IPv6 地址",
  "wants an IPv4 or IPv6 network such as 10.0.0.0/16": "应是 IPv4 或 IPv6 网段，例如 10.0.0.0/16",
  "wants an absolute path, without . and .. in it": "应是绝对路径，其中没有 . 和 ..",
  "wants a flag's name, without the dashes before it": "应是参数的名称，前面不带短横线",
  "wants a field's name": "应是字段的名称",
  "wants FIRST-LAST": "应写作 FIRST-LAST",
  'wants four octal digits, "0644"': '应是四位八进制数字，如 "0644"',
  'wants numbers, "0:0" (uid:gid)': '应是数字，如 "0:0"（uid:gid）',
  "wants letters, digits and : . _ @ -, and no system: before": "应由字母、数字和 : . _ @ - 组成，前面没有 system:",
  "wants oci:DIRECTORY, docker-archive:FILE or dir:DIRECTORY":
    "应写作 oci:DIRECTORY、docker-archive:FILE 或 dir:DIRECTORY",
  'wants ID and VERSION_ID of os-release, "debian 12"': '应是 os-release 的 ID 和 VERSION_ID，如 "debian 12"',
  "a time of systemd, as in 6h": "应是 systemd 的时间写法，例如 6h",
  "wants HOST or HOST:PORT, or *": "应写作 HOST、HOST:PORT 或 *",
  "wants a text, a number, true or false": "应是文本、数字、true 或 false",
  "wants keep, or a list of time servers' names or addresses": "应是 keep，或时间服务器名称或地址的列表",
  "wants https://HOST[:PORT][/PATH]": "应写作 https://HOST[:PORT][/PATH]",
  "wants a lower-case RFC 1123 name": "应是小写的 RFC 1123 名称",
  "wants 63 characters at most, as the label kubernetes.io/hostname does":
    "最多 63 个字符，因为标签 kubernetes.io/hostname 如此",
  "wants a lower-case RFC 1123 name, such as n1 or n1.example.org":
    "应是小写的 RFC 1123 名称，例如 n1 或 n1.example.org",
  "must not be localhost: every host is that to itself": "不能是 localhost：每台主机都这样称呼自己",
  "wants 253 characters at most": "最多 253 个字符",
  "wants a lower-case DNS domain with no dot at its end": "应是小写的 DNS 域名，末尾没有点号",
  "wants a label's key: [PREFIX/]NAME of letters, digits, - _ and .":
    "应是标签的键：[PREFIX/]NAME，由字母、数字、- _ 和 . 组成",
  "wants a label's value: at most 63 letters, digits, - _ and .": "应是标签的值：最多 63 个字母、数字、- _ 和 .",
  "wants KEY=VALUE:EFFECT, with NoSchedule, PreferNoSchedule or NoExecute":
    "应写作 KEY=VALUE:EFFECT，其中 EFFECT 是 NoSchedule、PreferNoSchedule 或 NoExecute",
  "wants the name of one network interface, such as eth0": "应是一个网络接口的名称，例如 eth0",
  "wants a kernel setting, such as vm.max_map_count": "应是内核参数，例如 vm.max_map_count",
  "wants the name of a kernel module": "应是内核模块的名称",
  "wants the name of a systemd unit": "应是 systemd 单元的名称",
  "wants the name of a package": "应是软件包的名称",
  "wants an absolute path, or a library's soname": "应是绝对路径，或库的 soname",
  "wants a URL: https://… or file:///…": "应是 URL：https://… 或 file:///…",
  "wants a DNS name or an IP address": "应是 DNS 名称或 IP 地址",
  "wants an IPv4 or IPv6 address, or a list: [10.0.0.11, fd00::11]":
    "应是 IPv4 或 IPv6 地址，或列表：[10.0.0.11, fd00::11]",
  "wants an IPv4 or IPv6 network such as 172.30.0.0/16, or a list: [172.30.0.0/16, fd00:172:30::/56]":
    "应是 IPv4 或 IPv6 网段（例如 172.30.0.0/16），或列表：[172.30.0.0/16, fd00:172:30::/56]",
  "wants a number or one line of text": "应是数字或一行文本",
  "wants sha256:<64 hex digits> or sha512:<128 hex digits>":
    "应写作 sha256:<64 个十六进制数字> 或 sha512:<128 个十六进制数字>",
  "wants a fingerprint: 40 hex digits, in capitals": "应是指纹：40 个大写的十六进制数字",
  "no `signers` has the name {1}": "`signers` 中没有 {1}",
  "wants the list that is signed, as `checksum` or `published`": "应以 `checksum` 或 `published` 写明被签名的列表",
  "a node's name, {1}, is already that of nodes.{2}": "节点名称 {1} 已用于 nodes.{2}",
  "a node's address, {1}, is already that of nodes.{2}": "节点地址 {1} 已用于 nodes.{2}",
  "with `workers` the name worker stands for any worker; choose another":
    "有 `workers` 时，名称 worker 代表任意工作节点；请改用其他名称",
  "a role is named twice": "同一个角色写了两次",
  "a platform is named twice": "同一个平台写了两次",
  "{1} etcd members tolerate no failures; use {2} or {3}": "{1} 个 etcd 成员不能容忍任何故障；请用 {2} 个或 {3} 个",
  "{1} etcd members tolerate no more failures than {2}, {3}; use {4} or {5}":
    "{1} 个 etcd 成员能容忍的故障数不比 {2} 个成员多，都是 {3}；请用 {4} 个或 {5} 个",
  "a master needs etcd: give at least one node the role etcd": "master 需要 etcd：至少给一个节点 etcd 角色",
  "no node has the role worker and there is no `workers.subnet`: no pod will run":
    "没有节点有 worker 角色，也没有 `workers.subnet`：不会运行任何 Pod",
  "{1} is no range of ports from 1 to 65535": "{1} 不是 1 到 65535 之间的端口范围",
  "{1} contains {2} of {3}": "{1} 包含 {3*} 的端口 {2}",
  "{1} contains {2}-{3} of {4}": "{1} 包含 {4*} 的端口 {2}-{3}",
  "api.vip is not used while api.endpoint is {1}": "api.endpoint 是 {1} 时不使用 api.vip",
  "vip needs `api.vip` with address and interface": "vip 需要 `api.vip`，写明地址和接口",
  "{1} is already node {2}'s own address": "{1} 已是节点 {2} 自己的地址",
  "{1} is no port": "{1} 不是端口",
  "6443 is the API server's own port on the same hosts; take 8443":
    "6443 是同一批主机上 API 服务器自己的端口；请用 8443",
  "first-master leaves {1} of {2} masters unused by nodes; take vip or local-proxy":
    "使用 first-master 时，{2} 个 master 中有 {1} 个不被节点使用；请用 vip 或 local-proxy",
  "{1} is already listed": "{1} 已经列出",
  "no certificate outlives its CA, which ends after {1}": "证书的有效期不能超过其 CA，CA 在 {1} 天后到期",
  "{1} is an address inside a network; wants {2}/{3}": "{1} 是网段内的一个地址；应写 {2}/{3}",
  "{1} has a shorter spelling, the usual one: write {2}": "{1} 有更短的通用写法：请写 {2}",
  "{1}: the API server takes service networks of IPv6 from /{2} to /{3}":
    "{1}：API 服务器只接受 /{2} 到 /{3} 的 IPv6 Service 网段",
  "{1}: the API server takes service networks from /{2} to /{3}": "{1}：API 服务器只接受 /{2} 到 /{3} 的 Service 网段",
  "{1}: the controller manager takes networks of IPv6 pods from /{2} on":
    "{1}：控制器管理器只接受 /{2} 及更小的 IPv6 Pod 网段",
  "{1} has no room for a /{2} for each of two nodes": "{1} 容不下两个节点各一个 /{2}",
  "{1} has no room for a /{2} for each of {3} nodes": "{1} 容不下 {3} 个节点各一个 /{2}",
  "with static-routes a worker that is not under `nodes` would have no network for its pods; name each, or take flannel":
    "使用 static-routes 时，没有列在 `nodes` 下的 worker 没有 Pod 网络；请逐一列出，或使用 flannel",
  "{1} overlaps {2} {3}": "{1} 与 {2} {3} 重叠",
  "{1} is inside {2} {3}": "{1} 在 {2} {3} 之内",
  "{1} {2}: other nodes cannot reach it": "{1} {2*}：其他节点无法访问它",
  "{1} overlaps {2}, which no cluster can use": "{1} 与 {2} 重叠，而任何集群都不能使用后者",
  "{1} is the network address of {2}": "{1} 是 {2} 的网络地址",
  "{1} is the broadcast address of {2}": "{1} 是 {2} 的广播地址",
  "{1} is the address of any router of {2}, and of no host": "{1} 是 {2} 中任一路由器的地址，不属于任何主机",
  "{1} is not in the /{2} of any master ({3}): it must be in the masters' own network":
    "{1} 不在任何 master（{3}）的 /{2} 中：它必须位于 master 自己的网络",
  "{1} and {2} {3} are one in the other": "{1} 与 {2} {3} 互相包含",
  "{1} holds more than this; take a directory of its own in it": "{1} 中还有其他内容；请使用其中的一个专用目录",
  "{1} is the host's own, no place for a daemon's data": "{1} 属于主机自身，不能存放守护进程的数据",
  "network.{1} is of {2} and network.{3} of {4}: wants {5}": "network.{1} 是{2*}，而 network.{3} 是{4*}：应写 {5}",
  "network.{1} is of {2} and network.{3} of {4}: wants [{5}, {6}]":
    "network.{1} 是{2*}，而 network.{3} 是{4*}：应写 [{5}, {6}]",
  "both families": "双栈",
  "IPv4 alone": "只有 IPv4",
  "IPv6 alone": "只有 IPv6",
  "{1} has an {2} address, and pods and services have none: wants its {3} address alone, or ranges of its families in network.pods and network.services":
    "{1} 有 {2} 地址，而 Pod 和 Service 没有：应只写它的 {3} 地址，或在 network.pods 和 network.services 中写它的地址族的网段",
  "{1} has no IPv4 address: wants [its IPv4 address, {2}]": "{1} 没有 IPv4 地址：应写 [它的 IPv4 地址，{2}]",
  "{1} has no {2} addresses, and pods and services have no others: wants an {3} network":
    "{1} 没有 {2} 地址，而 Pod 和 Service 只有这种地址：应写 {3} 网段",
  "{1} is no {2} address, and by these the nodes talk to each other": "{1} 不是 {2} 地址，而节点之间用这种地址通信",
  "{1} runs pods of both families: wants [{2}, its IPv6 address]":
    "{1} 运行两个地址族的 Pod：应写 [{2}, 它的 IPv6 地址]",
  "in dual stack a worker needs an address of each family: name each under `nodes`":
    "双栈中 worker 需要每个地址族各一个地址：请在 `nodes` 下逐一列出",
  "Kubernetes {1} has no dual stack yet: it came with 1.23; write the IPv4 range alone, or take a later release":
    "Kubernetes {1} 还没有双栈：从 1.23 开始才有；请只写 IPv4 网段，或使用更新的发行版",
  "Kubernetes {1} is not set up for IPv6 alone: 1.23 and later are; write IPv4 ranges, or take a later release":
    "Kubernetes {1} 不能只用 IPv6：从 1.23 开始才可以；请写 IPv4 网段，或使用更新的发行版",
  "{1} is rendered for IPv4 alone: with IPv6 take {2}": "{1} 只支持 IPv4：使用 IPv6 时请用 {2}",
  "docker is set up for IPv4: with IPv6 alone write `runtime: containerd`":
    "docker 按 IPv4 设置：只有 IPv6 时请写 `runtime: containerd`",
  "docker runs here only with `runtime: docker`": "只有 `runtime: docker` 时才运行 docker",
  "docker starts a containerd of its own here, with a file of its own":
    "这里由 docker 启动自己的 containerd，使用自己的配置文件",
  "release {1} has no {2}": "发行版 {1} 没有 {2}",
  "{1} {2} is given no configuration file; write it under flags.{3}": "{1} {2} 不使用配置文件；请写在 flags.{3} 下",
  "a field of containerd cannot be empty (null)": "containerd 的字段不能为空（null）",
  "{1} of {2} follows from {3}": "{2} 的 {1} 由 {3*} 决定",
  "nothing of an operator's stays in {1}": "运维人员的文件不能放在 {1} 中",
  "there is no node {1}; there are {2}": "没有节点 {1}；有 {2}",
  "a secret is for its owner alone: {1}00": "机密文件只能由属主访问：{1}00",
  "there is no daemon {1}{2}; there are {3}": "没有守护进程 {1}{2*}；有 {3}",
  "{1} {2} has no flag --{3} yet: it came with {4}": "{1} {2} 还没有参数 --{3}：从 {4} 开始才有",
  "{1} {2} has no flag --{3} any more: it went with {4}": "{1} {2} 已没有参数 --{3}：在 {4} 中移除",
  "{1} {2} has no flag --{3} any more: it went with {4}; write {5}":
    "{1} {2} 已没有参数 --{3}：在 {4} 中移除；请写 {5}",
  "{1} {2}: --{3} is in no table of Kubeferry's and is given as it is{4}":
    "{1} {2}：Kubeferry 的表中没有 --{3}，将原样传给它{4*}",
  "another file is called {1} already": "已有另一个文件名为 {1}",
  "release {1} has no API server that takes objects": "发行版 {1} 没有可以接收对象的 API 服务器",
  "no node has the role master, which would apply them": "没有节点有 master 角色来应用它们",
  "{1}: {2} has no tag of its own, and the kubelet asks a registry for it at each start; name one":
    "{1}：{2} 没有自己的标签，kubelet 每次启动都会询问镜像仓库；请写明标签",
  "{1} has {2}, and a file here may have {3}": "{1} 的大小为 {2}，而这里的文件不能超过 {3}",
  "Kubernetes {1} and {2} {3} do not go together: {4}": "Kubernetes {1} 与 {2} {3} 不能配套：{4*}",
  "flannel-etcd gives each worker a key to all of etcd, Kubernetes' own data included; see docs/threat-model.md":
    "flannel-etcd 使每个 worker 都有打开整个 etcd 的密钥，包括 Kubernetes 自己的数据；见 docs/zh/threat-model.md",
  "kube-proxy {1} has mode ipvs only on kernels before 4.19, and works as iptables on others":
    "kube-proxy {1} 只在 4.19 之前的内核上有 ipvs 模式，在其他内核上按 iptables 工作",
  "kube-proxy {1} has no proxy mode nftables yet: it came with 1.31; write iptables":
    "kube-proxy {1} 还没有 nftables 代理模式：从 1.31 开始才有；请写 iptables",
  "release {1} has no Kubernetes to harden": "发行版 {1} 没有可以加固的 Kubernetes",
  "cis is for Kubernetes 1.16 and later, and {1} is {2}": "cis 用于 Kubernetes 1.16 及更新的版本，而 {1} 是 {2}",
  "profile cis asks for {1}; remove this line, or the profile": "profile cis 要求 {1}；请删除这一行，或去掉该 profile",
  "with profile cis the kubelet does not start unless {1} is {2}":
    "使用 profile cis 时，除非 {1} 是 {2}，否则 kubelet 不启动",
  "{1} holds no certificate in PEM": "{1} 中没有 PEM 格式的证书",
  "{1} wants one line, user:password": "{1} 应只有一行 user:password",
  "docker knows mirrors of docker.io only": "docker 只支持 docker.io 的镜像站",
  "docker takes no mirror with a path": "docker 不接受带路径的镜像站",
  "docker without a kubelet takes them by docker login": "没有 kubelet 时，docker 通过 docker login 取得凭据",
  "* is any registry: it has mirrors, and each of them an entry of its own":
    "* 表示任意镜像仓库：它可以有镜像站，而每个镜像站各有自己的一项",
  "release {1} has no API server: the role master brings kubectl and nothing else":
    "发行版 {1} 没有 API 服务器：master 角色只带来 kubectl",
  "release {1} has no {2}; write `runtime: containerd`": "发行版 {1} 没有 {2}；请写 `runtime: containerd`",
  "release {1} has no {2}; write `runtime: docker`": "发行版 {1} 没有 {2}；请写 `runtime: docker`",
  "the kubelet of {1} runs no pods by docker, which 1.24 took out; write `runtime: containerd`":
    "{1} 的 kubelet 不能用 docker 运行 Pod：该功能在 1.24 中移除；请写 `runtime: containerd`",
  "release {1} has no {2}; it has {3}": "发行版 {1} 没有 {2}；它有 {3}",
  "release {1} has no alternative {2}, it has none{3}": "发行版 {1} 没有替代项 {2}，也没有其他替代项{3}",
  "release {1} has no alternative {2}, it has {3}{4}": "发行版 {1} 没有替代项 {2}，它有 {3}{4}",
  "release {1} has no {2} for {3}: {4}": "发行版 {1} 没有适用于 {3} 的 {2}：{4}",
  "release {1} has no {2} for {3}: the manifest names no artifact": "发行版 {1} 没有适用于 {3} 的 {2}：清单中没有列出",
  "{1} needs {2} on its nodes: name them in `packages`, unless they are installed there":
    "{1} 需要节点上有 {2}：请列入 `packages`，除非那里已经安装",
  "a kubelet may not give itself the label {1}; use a prefix of your own, or kubectl label later":
    "kubelet 不能给自己加标签 {1}；请使用自己的前缀，或之后用 kubectl label",
  "release {1} has no addon {2}, it has none{3}": "发行版 {1} 没有附加组件 {2}，也没有其他附加组件{3}",
  "release {1} has no addon {2}, it has {3}{4}": "发行版 {1} 没有附加组件 {2}，它有 {3}{4}",
  "release {1} has no tool {2}, it has none{3}": "发行版 {1} 没有工具 {2}，也没有其他工具{3}",
  "release {1} has no tool {2}, it has {3}{4}": "发行版 {1} 没有工具 {2}，它有 {3}{4}",
  "{1} was {2} and cannot go over to {3} by upgrades": "{1} 原为 {2}，不能通过升级改为 {3}",
  "the usual pod network goes from {1} to {2} here: keep yours by `plugin: {3}`":
    "默认的 Pod 网络在这里从 {1} 变为 {2}：用 `plugin: {3}` 保持原有的",
  "there is no release {1}{2}": "没有发行版 {1}{2*}",
  "one of {1}, or the path of a release manifest": "{1} 之一，或发行版清单的路径",
  "there is no road from {1} to {2}: Kubernetes goes up only": "不能从 {1} 到 {2}：Kubernetes 只能向上升级",
  "{1} is no minor of Kubernetes": "{1} 不是 Kubernetes 的次版本",
  "the base of packages cannot be read": "无法读取基础软件包列表",
  "it is not known which packages every {1} host has": "不知道每台 {1} 主机都有哪些软件包",
  "list them on a fresh host (dpkg-query -W, or rpm -qa --qf '%{NAME} %{EVR}\\n') and name the file as base:":
    "在新装的主机上列出（dpkg-query -W，或 rpm -qa --qf '%{NAME} %{EVR}\\n'），并把该文件写入 base:",
  '"{1}" is not the name of a container image: its digest is not sha256: and 64 lower-case hex digits':
    '"{1}" 不是容器镜像的名称：摘要不是 sha256: 加 64 个小写十六进制数字',
  '"{1}" is not the name of a container image: "{2}" is not a tag': '"{1}" 不是容器镜像的名称："{2}" 不是标签',
  '"{1}" is not the name of a container image: "docker.io" is not the name of a registry':
    '"{1}" 不是容器镜像的名称："docker.io" 不是镜像仓库的名称',
  '"{1}" is not the name of a container image: "{2}" is not the name of a registry':
    '"{1}" 不是容器镜像的名称："{2}" 不是镜像仓库的名称',
  '"{1}" is not the name of a container image: "{2}" is not a lower-case repository name':
    '"{1}" 不是容器镜像的名称："{2}" 不是小写的仓库名称',
  '"{1}" is not the name of a container image: it is longer than {2} characters':
    '"{1}" 不是容器镜像的名称：超过 {2} 个字符',
  "cannot read the node {1}": "无法识别节点 {1}",
  "NAME=IP:ROLE,ROLE with the roles {1}": "NAME=IP:ROLE,ROLE，角色为 {1}",
  "cannot read the shared address {1}": "无法识别共享地址 {1}",
  "release {1} has no image {2}, which its pods need": "发行版 {1} 没有其 Pod 需要的镜像 {2}",
  "nothing of that name among its images": "它的镜像中没有该名称",
  "add it to images: of the release manifest, and run kubeferry lock":
    "加入发行版清单的 images:，然后执行 kubeferry lock",
  "wants a file's path": "应是文件的路径",
  "wants a name or an address, without a port": "应是名称或地址，不带端口",
  "wants a user's name": "应是用户名",
  "wants ask, or { file: PATH } of mode 0600": "应是 ask，或权限为 0600 的 { file: PATH }",
  "wants { address: … }, or none": "应写作 { address: … }，或 none",
  "an IPv4 or IPv6 address": "IPv4 或 IPv6 地址",
  "an IPv4 or IPv6 network such as 172.30.0.0/16": "IPv4 或 IPv6 网段（例如 172.30.0.0/16）",
  "wants an IPv4 or IPv6 address, or in dual stack one of each with IPv4 first: [10.0.0.11, fd00::11]":
    "应是 IPv4 或 IPv6 地址，双栈时各一个、IPv4 在前：[10.0.0.11, fd00::11]",
  "wants an IPv4 or IPv6 address, or in dual stack one of each with IPv4 first: [172.30.0.0/16, fd00:172:30::/56]":
    "应是 IPv4 或 IPv6 地址，双栈时各一个、IPv4 在前：[172.30.0.0/16, fd00:172:30::/56]",
  "wants an IPv4 or IPv6 network such as 172.30.0.0/16, or in dual stack one of each with IPv4 first: [10.0.0.11, fd00::11]":
    "应是 IPv4 或 IPv6 网段（例如 172.30.0.0/16），双栈时各一个、IPv4 在前：[10.0.0.11, fd00::11]",
  "wants an IPv4 or IPv6 network such as 172.30.0.0/16, or in dual stack one of each with IPv4 first: [172.30.0.0/16, fd00:172:30::/56]":
    "应是 IPv4 或 IPv6 网段（例如 172.30.0.0/16），双栈时各一个、IPv4 在前：[172.30.0.0/16, fd00:172:30::/56]",
  "wants an IPv4 or IPv6 address, or a list: [172.30.0.0/16, fd00:172:30::/56]":
    "应是 IPv4 或 IPv6 地址，或列表：[172.30.0.0/16, fd00:172:30::/56]",
  "wants an IPv4 or IPv6 network such as 172.30.0.0/16, or a list: [10.0.0.11, fd00::11]":
    "应是 IPv4 或 IPv6 网段（例如 172.30.0.0/16），或列表：[10.0.0.11, fd00::11]",
  "from 1.24 on its API server is not tried with an etcd older than 3.4":
    "从 1.24 开始，API 服务器没有与 3.4 之前的 etcd 一起试过",
  "from 1.26 on its kubelet speaks only CRI v1, which containerd has since 1.6":
    "从 1.26 开始，kubelet 只使用 CRI v1，而 containerd 从 1.6 起才支持",
  "until 1.22 its kubelet speaks only CRI v1alpha2, which containerd 2.0 took out":
    "直到 1.22，kubelet 只使用 CRI v1alpha2，而 containerd 2.0 已将其移除",
  "the API server": "API 服务器",
  "the API's load balancer": "API 负载均衡器",
  "kubelet, kube-proxy, scheduler and controller manager": "kubelet、kube-proxy、调度器和控制器管理器",
  "means this very host": "表示主机自身",
  "is the loopback of every host": "是每台主机的回环地址",
  "is link-local": "是链路本地地址",
  "is a multicast or reserved address": "是多播地址或保留地址",
  "is an IPv4 address": "是 IPv4 地址",
  "is a multicast address": "是多播地址",
  "its version": "它的版本",
  "the kubelet, which looks in /run/containerd": "kubelet（它查看 /run/containerd）",
  "--strict refuses what is otherwise only a warning": "--strict 拒绝平时只作警告的内容",
  "give the path of the file itself, which is text": "给出文件本身的路径，它应为文本文件",
  "the cluster is at 1.{1} already": "集群已经是 1.{1}",
  "kubeferry releases   lists what there is": "kubeferry releases   列出现有的发行配置",
  "the file wants a mapping, found {1}": "文件内容应为映射，实际为 {1}",
};
