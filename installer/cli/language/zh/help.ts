/** What `./install --help` says, of every command and option. */
import type { Catalogue } from "../catalogue.ts";

export const help: Catalogue = {
  "Turns this host into a node of the bundle's cluster, and back. Needs no network.":
    "把这台主机变成离线包所属集群的节点，也能变回去。不需要网络。",
  "output the version number": "显示版本号",
  "install (the default)": "安装（默认命令）",
  "the bundle: a .tar or the directory it was unpacked into (default: where ./install is)":
    "离线包：.tar 或解包后的目录（默认：./install 所在处）",
  "a mounted tree instead of this host: files only, nothing is started":
    "改为处理一个已挂载的目录树：只写文件，不启动任何东西",
  "one JSON object a line on stdout, human-readable output on stderr":
    "标准输出上每行一个 JSON 对象（内容为英文），给人看的输出改到标准错误",
  "minisign's public key, or a file with it: then the bundle must be signed with it (repeatable)":
    "minisign 公钥，或含有它的文件：给出后离线包必须有它的签名（可重复）",
  "with how many of the public keys it must be signed (default: 1)": "至少要有其中几把公钥的签名（默认：1）",
  "etcd, master, worker; several with commas": "etcd、master、worker，多个用逗号分隔",
  "which node this host becomes": "这台主机成为哪个节点",
  "name of a worker that is not in cluster.yaml (default: the host's)":
    "不在 cluster.yaml 中的 worker 的名称（默认：主机名）",
  "its network interface (default: the one with --ip)": "该节点的网络接口（默认：拥有 --ip 地址的接口）",
  "the file that opens this node's secrets (or KUBEFERRY_KEY)": "打开本节点机密的密钥文件（或用 KUBEFERRY_KEY）",
  "the bundle's folder may lack what only other nodes need, as after `kubeferry push`":
    "离线包文件夹中可以缺少只有其他节点才需要的内容，例如经 `kubeferry push` 传送之后",
  "print every step, change nothing": "打印每一个步骤，不改变任何东西",
  "do not ask": "不询问",
  "skip a preflight check (repeatable)": "跳过某项预检（可重复）",
  "after a failure leave the host as it is, instead of restoring it": "失败后让主机保持现状，不恢复",
  "also make changes that undo cannot take back; the plan names them": "也做 undo 无法撤回的改变；计划会列出它们",
  "place files and enable units, but start nothing now": "放置文件并启用单元，但现在不启动任何东西",
  "existing: etcd joins the members that run, in the place of one that is lost or as a new one":
    "existing：etcd 加入正在运行的成员，代替丢失的成员，或作为新成员",
  "install this bundle over the one that is installed; role and address as installed":
    "把这个离线包升级安装到已安装的之上；角色和地址沿用已安装的",
  "new certificates: from a newer bundle, or on a master signed by the CA that is on it":
    "更新证书：来自较新的离线包，或在 master 上由本机的 CA 签发",
  "sign them here, also when ./install lies in a bundle": "在本机签发，即使 ./install 位于离线包中",
  "is this host fit? every check, nothing is changed": "这台主机是否满足要求？执行每项检查，不改变任何东西",
  "on a master: certificates for kubelets of known nodes, with exactly their names; the rest is listed":
    "在 master 上：批准已知节点的 kubelet 证书，名称必须完全相符；其余的列出",
  "judge, approve nothing": "只判断，不批准",
  "stay, and approve requests as they come": "保持运行，随到随批",
  "on a master: a pod on every node, asked on its own, the service's and every node's address; then removed":
    "在 master 上：在每个节点运行一个 Pod，分别通过 Pod 自己的地址、Service 的地址和每个节点的地址访问它，最后删除",
  "tell what would be made, change nothing": "说明会创建什么，不改变任何东西",
  "leave the pods and their service in the cluster": "把这些 Pod 及其 Service 留在集群中",
  "how long the pods have to become ready": "等待 Pod 就绪的时限",
  "collect journal, facts, findings and units' logs in one archive, without secrets":
    "把日志（journal）、主机信息、检查结果和各单元的日志收集到一个归档中，不含机密",
  "where to write it": "写到哪里",
  "check every byte of the bundle": "逐字节检查离线包",
  "what is installed here, is it healthy, how long do its certificates hold":
    "这里安装了什么，是否健康，证书还有多久到期",
  "only the certificates": "只看证书",
  "lines for systemd's journal, each with its priority": "按 systemd 日志的格式逐行输出，每行带优先级",
  "is it still what was installed": "检查主机是否仍与安装时一致",
  "make the host what it was": "让主机恢复原样",
  "first ask the cluster to run this node's pods elsewhere, as kubectl drain does":
    "先请集群把本节点的 Pod 移到别处运行，与 kubectl drain 相同",
  "also remove what was written into installed directories since: etcd's data, containers":
    "同时删除安装后写入已安装目录的内容：etcd 的数据、容器",
  "take the last installation back": "撤回最近一次安装",
  "how long each certificate on this node holds; exit 9 where one has fewer days than wanted":
    "本节点每张证书的剩余有效期；有少于要求天数的，退出码为 9",
  "how many days are enough": "至少要有多少天",
  "also write it for Prometheus' node_exporter: NAME.prom in its textfile folder":
    "同时写给 Prometheus 的 node_exporter：其 textfile 文件夹中的 NAME.prom",
  "a mounted tree instead of this host": "改为处理一个已挂载的目录树",
  "on a master: drain a node, remove its etcd member, its Node and what it could get credentials by":
    "在 master 上：排空（drain）一个节点，移除它的 etcd 成员、它的 Node 对象，以及可用来取得凭据的一切",
  "the node, as kubectl get nodes and etcdctl member list have it":
    "节点名称，与 kubectl get nodes 和 etcdctl member list 中的相同",
  "tell what would be removed, change nothing": "说明会移除什么，不改变任何东西",
  "on a master: a kubeconfig for a person, for days, signed by the CA that is on it":
    "在 master 上：为某个人生成有效期以天计的 kubeconfig，由本机的 CA 签发",
  "the person's user name in the cluster": "此人在集群中的用户名",
  "how long it holds, 1 to 90": "有效天数，1 到 90",
  "a group in the cluster (repeatable; default: kubeadm:cluster-admins)":
    "集群中的组（可重复；默认：kubeadm:cluster-admins）",
  "the API's address for that person (default: the one that this master uses)":
    "此人使用的 API 地址（默认：这台 master 使用的地址）",
  "where to write it, 0600 (default: NAME.kubeconfig)": "写到哪里，权限 0600（默认：NAME.kubeconfig）",
  "tell what would be written, write nothing": "说明会写什么，不实际写入",
  "a copy of etcd's data, sealed with age for the operator, in /var/lib/kubeferry/snapshots":
    "etcd 数据的副本，用 age 为运维人员加密，存放在 /var/lib/kubeferry/snapshots",
  "how many stay, the oldest go (default: all)": "保留多少份，最旧的先删除（默认：全部保留）",
  "seal it for this key too (repeatable)": "同时为该公钥加密（可重复）",
  "do not seal it: every Secret of the cluster is in it": "不加密：集群的每个 Secret 都在其中",
  "on a member of etcd: its data from a snapshot, or from the other members; the former ones are kept":
    "在 etcd 成员上：从快照或从其他成员恢复数据；原来的数据保留",
  "all members are lost: on each of them from the same snapshot": "所有成员都已丢失：在每个成员上用同一个快照执行",
  "existing: this member's data are lost or damaged, the others have a quorum":
    "existing：本成员的数据丢失或损坏，其余成员仍有法定人数",
  "the quorum is lost, this member's data are whole: it becomes the only member":
    "已失去法定人数，本成员的数据完好：它成为唯一的成员",
  "the operator's key, for a sealed snapshot (or KUBEFERRY_KEY)":
    "运维人员的密钥，用于打开加密的快照（或用 KUBEFERRY_KEY）",
  "what an error code or a check means, and what to do; without a name all are listed":
    "解释错误代码或检查项的含义和处理办法；不带名称则列出全部",
  "as the message shows it": "消息中显示的名称",
  "print the completion script of a shell": "打印某种 shell 的补全脚本",
};
