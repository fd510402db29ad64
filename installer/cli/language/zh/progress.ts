/** What `./install` says while it works, and what it asks. */
import type { Catalogue } from "../catalogue.ts";

export const progress: Catalogue = {
  "Change this host now?": "现在更改这台主机吗？",
  "Take this back now?": "现在撤回吗？",
  "Take these back now?": "现在撤回这些吗？",
  "Remove {1} from the cluster now?": "现在从集群中移除 {1} 吗？",
  "the bundle was signed with key {1}, which was checked before it was installed":
    "离线包由密钥 {1} 签名，安装前已校验",
  "the bundle was not signed": "离线包没有签名",
  "the bundle was signed, but nobody asked with which key: ./install audit --public-key KEY checks it":
    "离线包有签名，但没有确认由哪把密钥签名：./install audit --public-key KEY 会校验",
  "this node's secrets travelled unencrypted (--plaintext-secrets)":
    "本节点的机密以未加密的形式传递（--plaintext-secrets）",
  "{1} files have a digest that only a mirror vouched for (pinned by mirror)":
    "{1} 个文件的摘要只由镜像站给出（pinned by mirror）",
  "{1} files have a digest that was trusted on first use": "{1} 个文件的摘要在首次使用时即予信任",
  "certificates renewed from {1}": "证书已从 {1} 更新",
  "etcd's data were restored from {1}": "etcd 的数据恢复自 {1}",
  "etcd's data: {1}": "etcd 的数据：{1*}",
  "good, of key {1}: {2}": "有效，密钥 {1}：{2}",
  "The cluster goes on with {1}, and these stay in it: {2}.": "集群由 {1} 继续运行，其中仍保留：{2}。",
  "because of: {1}": "原因：{1*}",
  "Nothing is installed here; nothing to undo.": "这里没有安装任何内容；没有可撤回的。",
  "what was left": "剩余的内容",
  "taken back": "已撤回",
  "No worker is taken back; there is nothing to drain.": "没有要撤回的 worker；无需排空。",
  "Kubeferry {1}, which installed this, takes it back.": "由安装时所用的 Kubeferry {1} 来撤回。",
  "Daemons run until then: what pods, mounts and rules there are is looked at again when their turn comes.":
    "在此之前守护进程仍在运行：轮到 Pod、挂载和规则时会再次查看。",
  "Waiting for what was installed before (Ctrl-C ends only the waiting).":
    "正在等待之前安装的恢复服务（Ctrl-C 只结束等待）。",
  "what was installed before serves again": "之前安装的已恢复服务",
  "for {1} yet; this node goes on by itself when that is there": "仍在等待 {1*}；就绪后本节点会自行继续",
  "{1}: {2} does not answer": "{1}：{2} 没有应答",
  "{1}: of {2} fewer than {3} answers": "{1}：{2} 中应答的不足 {3} 个",
  "{1}: of {2} fewer than {3} answer": "{1}：{2} 中应答的不足 {3} 个",
  "{1} changes in {2} steps": "{1} 处改变，共 {2} 步",
  "{1} changes in {2} steps; nothing was changed": "{1} 处改变，共 {2} 步；没有做任何改变",
  "{1} changes in {2} steps, and {3} that cannot be looked at yet; nothing was changed":
    "{1} 处改变，共 {2} 步，另有 {3} 处目前无法查看；没有做任何改变",
  "{1} contents": "{1} 项内容",
  "with {1}: {2}": "等待 {1}：{2}",
  "transaction {1}, continued": "事务 {1}，继续",
  "transaction {1}": "事务 {1}",
  "this node is {1}: {2}": "本节点是 {1}：{2}",
  "Units are enabled and not started: the same ./install without --no-start, or the next boot, does.":
    "单元已启用但没有启动：不带 --no-start 的同一条 ./install 命令，或下次开机时会启动。",
  "{1} would be written: {2}, in {3}, until {4}": "将写入 {1}：{2}，属于 {3}，有效期至 {4}",
  "{1}: {2}, in {3}, until {4}, X509SHA256={5}": "{1}：{2}，属于 {3}，有效期至 {4}，X509SHA256={5}",
  "Whoever has this file is {1}. Kubernetes revokes no certificate; what its groups may, RBAC says.":
    "持有该文件的人就是 {1}。Kubernetes 不撤销证书；其组的权限由 RBAC 规定。",
  "waits for requests of kubelets": "等待 kubelet 的请求",
  "{1} requests wait, {2} of them for what their node may have": "有 {1} 个请求在等待，其中 {2} 个是其节点可以得到的",
  "the installed index is what this key signed, and the journal says what the index does":
    "已安装的索引与该密钥签名的相同，日志（journal）与索引一致",
  "{1} files, {2} directories, {3} units, {4} settings: {5} differences":
    "{1} 个文件，{2} 个目录，{3} 个单元，{4} 项设置：{5} 处不同",
  "{1} files, {2} directories, {3} units, {4} settings: all is what was installed":
    "{1} 个文件，{2} 个目录，{3} 个单元，{4} 项设置：全部与安装时相同",
  "{1}, release {2}, {3}": "{1}，发行版 {2}，{3}",
  "{1} ({2}) becomes {3}": "{1}（{2}）将成为 {3}",
  "{1} checks": "{1} 项检查",
  "Everything is as it should be; nothing to change.": "一切正常；无需改变。",
  "every byte is what was built": "每个字节都与构建时相同",
  "{1} files added, {2} changed, {3} removed; {4} units restart":
    "新增 {1} 个文件，更改 {2} 个，删除 {3} 个；重启 {4} 个单元",
  "Next, on {1}: ./install undo --delete-data": "接下来在 {1} 上：./install undo --delete-data",
  "Then take {1} out of cluster.yaml: a later build makes it no certificate and no token.":
    "然后从 cluster.yaml 中去掉 {1}：之后的构建不再为它生成证书和令牌。",
  "The installed certificates are these already; nothing to renew.": "已安装的就是这些证书；无需更新。",
  "{1} files with the CA of this node": "用本节点的 CA 签发 {1} 个文件",
  "this member anew, from the others": "从其他成员重建该成员",
  "a cluster of this member alone, of its own data": "以该成员自己的数据组成单成员集群",
  "What was there before lies beside it, in the same folder, as kubeferry-before-…: ./install rollback":
    "原有的数据以 kubeferry-before-… 为名放在同一文件夹中：./install rollback",
  "Every other member: the same command with the same file; etcd serves once most of them have it.":
    "其他每个成员：用同一个文件执行同一条命令；多数成员完成后 etcd 开始服务。",
  "Every other member, one after the other: ./install restore-etcd --initial-cluster-state existing":
    "其他每个成员，逐一执行：./install restore-etcd --initial-cluster-state existing",
  "a pod on no node": "没有节点可以运行 Pod",
  "a pod on {1}": "在 {1} 上各运行一个 Pod",
  "All nodes run pods and reach each other.": "所有节点都能运行 Pod，并能互相访问。",
  "Left as it is. To remove it: kubectl delete -f {1} --ignore-not-found":
    "保持原样。要删除它：kubectl delete -f {1} --ignore-not-found",
  "Removing what was made; to leave it, interrupt again.": "正在删除所创建的内容；要保留它，请再次中断。",
  "{1}.age, for {2}": "{1}.age，为 {2} 加密",
  "{1}, {2} keys, revision {3}: {4}": "{1}，{2} 个键，修订版本 {3}：{4}",
  "{1}, {2} keys, revision {3}: {4}.age": "{1}，{2} 个键，修订版本 {3}：{4}.age",
  "It lies on this host. Copy it to where the host's loss does not take it along.":
    "它位于这台主机上。请拷贝到主机损坏时不会一起丢失的地方。",
  "The first certificate to end: {1}": "最先到期的证书：{1*}",
  "<{1}>{2}: {3}; next: {4}": "<{1}>{2}：{3*}；下一步：{4*}",
  "{1} ({2}) as {3}": "{1}（{2}），角色 {3}",
  "{1} ({2}) as {3}, interrupted": "{1}（{2}），角色 {3}，被中断",
  "{1} ({2}) as {3}, partly taken back": "{1}（{2}），角色 {3}，部分已撤回",
  "certificates, on {1}": "证书，于 {1}",
  "{1} files in {2}": "{2} 中有 {1} 个文件",
  "every byte of {1} is what was built (payload {2})": "{1} 的每个字节都与构建时相同（payload {2}）",
  "The Node stays in the cluster until an administrator removes it: kubectl delete node {1}":
    "Node 对象留在集群中，直到管理员删除它：kubectl delete node {1}",
  "What {1} said last:\n{2}": "{1} 最后的输出：\n{2}",
};
