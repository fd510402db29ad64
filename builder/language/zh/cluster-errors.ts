/** Errors of a cluster's keys and certificates, of roads through its minors, and of commands that work on its files. */
import type { Catalogue } from "#cli/language/catalogue";

export const clusterErrors: Catalogue = {
  "correct these places, or run it without --strict": "改正这些位置，或去掉 --strict 再运行",
  "one of {1}": "{1} 之一",
  "others may read {1}": "其他人可以读取 {1}",
  "mode 0600": "权限 0600",
  "mode 0700": "权限 0700",
  "{1} things are missing": "缺少 {1} 项内容",
  "the keys and certificates of the running cluster are not here": "这里没有运行中集群的密钥和证书",
  "bring the folder from where the cluster's bundle was built: with others every host would refuse the road's bundles (same-keys)":
    "从构建该集群离线包的地方带来该文件夹：使用其他密钥时，每台主机都会拒绝这些离线包（same-keys）",
  "this file is none of the road's, and would be overwritten": "该文件不属于升级步骤，会被覆盖",
  "choose another folder, or take it away": "选择其他文件夹，或移走它",
  "--base is not the bundle that the hosts run now": "--base 不是主机当前运行的离线包",
  "{1}, Kubernetes {2}": "{1}，Kubernetes {2}",
  "{1}, Kubernetes none": "{1}，没有 Kubernetes",
  "step {1}: {2}": "步骤 {1}：{2*}",
  "resolve every step again, and make what changes by it: the same command with --update":
    "重新解析每一步，并重做因此变化的离线包：在同一条命令后加 --update",
  "release {1} has no Kubernetes: there is no road for it": "发行版 {1} 没有 Kubernetes：没有可走的升级步骤",
  "cluster.yaml is of another minor than the road begins with": "cluster.yaml 的次版本与升级的起点不同",
  "a release of {1}, which runs": "正在运行的 {1} 的发行版",
  "leave out --from, or give the cluster.yaml of what runs": "去掉 --from，或给出正在运行的集群的 cluster.yaml",
  "--release {1} is of no step of its own": "--release {1} 不对应任何单独的步骤",
  "one release each of {1}": "{1} 各一个发行版",
  "no Kubernetes": "没有 Kubernetes",
  "1 place would be refused on the road; nothing was built": "升级途中有 1 处会被拒绝；没有构建任何内容",
  "{1} places would be refused on the road; nothing was built": "升级途中有 {1} 处会被拒绝；没有构建任何内容",
  "correct these places, or write what the cluster is to be from that step on: cluster-1.24.yaml beside cluster.yaml":
    "改正这些位置，或写明集群从该步骤起应是怎样：在 cluster.yaml 旁边写 cluster-1.24.yaml",
  "{1} is already placed there: by Kubeferry, or by another of files:":
    "{1} 已有内容放置：由 Kubeferry，或由 files: 的另一项",
  "take another path; settings of daemons have options of their own: kubelet:, containerd:, docker:, flags:":
    "改用其他路径；守护进程的设置有自己的选项：kubelet:、containerd:、docker:、flags:",
  "correct or remove them in cluster.yaml": "在 cluster.yaml 中改正或去掉它们",
  "there is no such template": "没有这个模板",
  "this template cannot be rendered: {1}": "无法渲染该模板：{1}",
  "{1} ended on {2}": "{1} 已于 {2} 到期",
  "mv {1} {2}.ended   # the next build makes new CAs; every node then needs the new bundle":
    "mv {1} {2}.ended   # 下一次构建会生成新的 CA；之后每个节点都需要新的离线包",
  "a certificate for {1} was requested and is not here yet": "已为 {1} 申请证书，而证书还没有到",
  "kubeferry pki import cluster.yaml CERTIFICATE.pem, once it is signed":
    "签发之后执行 kubeferry pki import cluster.yaml CERTIFICATE.pem",
  "none of these certificates was requested for this cluster": "这些证书都不是为该集群申请的",
  "kubeferry pki csr cluster.yaml --out DIR makes the requests; a CA with its key is given with --ca NAME":
    "kubeferry pki csr cluster.yaml --out DIR 生成证书请求；带私钥的 CA 用 --ca NAME 给出",
  "no plain private key is among the files": "文件中没有未加密的私钥",
  "an encrypted key: openssl pkey -in KEY -out PLAIN, in a folder of your own, and remove it afterwards":
    "私钥已加密时：在自己的文件夹中执行 openssl pkey -in KEY -out PLAIN，之后把它删除",
  "{1} is not taken: no certificate of this key is among the files": "不接受 {1}：文件中没有该私钥的证书",
  "{1} is not taken: this cluster has no such CA": "不接受 {1}：该集群没有这个 CA",
  "{1} is not taken: its key is of a kind that is not taken: RSA of 2048, 3072 or 4096 bits, P-256, P-384, Ed25519":
    "不接受 {1}：私钥的类型不在接受之列：2048、3072 或 4096 位的 RSA、P-256、P-384、Ed25519",
  "its keyUsage lacks keyCertSign": "它的 keyUsage 缺少 keyCertSign",
  "it is not a CA's: basicConstraints without CA:TRUE": "它不属于 CA：basicConstraints 中没有 CA:TRUE",
  "its extendedKeyUsage lacks {1}": "它的 extendedKeyUsage 缺少 {1}",
  "{1} is not taken: {2}": "不接受 {1}：{2*}",
  "{1} is not taken: {2}: {3}": "不接受 {1}：{2}：{3*}",
  "{1} is not taken: {2} ended on {3}": "不接受 {1}：{2} 已于 {3} 到期",
  "{1} is not taken: it is {2} already, and what one of them signs must not open the other's doors":
    "不接受 {1}：它已是 {2}，其中一个签发的不得用于另一个",
  "{1} is not taken: the cluster has this CA already, and what it signed needs it":
    "不接受 {1}：集群已有这个 CA，它签发的证书仍需要它",
  "Kubernetes {1} is built with a Go whose TLS knows no Ed25519; take ECDSA-P256":
    "Kubernetes {1} 所用 Go 的 TLS 不支持 Ed25519；请用 ECDSA-P256",
  "etcd {1} is built with a Go whose TLS knows no Ed25519; take ECDSA-P256":
    "etcd {1} 所用 Go 的 TLS 不支持 Ed25519；请用 ECDSA-P256",
  "this file does not hold a key and a certificate": "该文件中没有成对的私钥和证书",
  "key and certificate do not belong together": "私钥与证书不匹配",
  "key or certificate is damaged": "私钥或证书已损坏",
  "restore {1} from your backup of the keys": "从密钥的备份中恢复 {1}",
  "not a private key: {1}": "不是私钥：{1}",
  "this cluster has no {1}": "该集群没有 {1}",
  "{1} is not ready for the step {2}: {3} comes first": "{1} 还不能进行步骤 {2}：须先进行 {3}",
  "{1} is not ready for the step {2}: trust comes first": "{1} 还不能进行步骤 {2}：须先进行 trust",
  "{1}, and the last step was {2}": "{1}，而上一步是 {2}",
  "{1}, and the last step was none": "{1}，而还没有进行过任何步骤",
  "kubeferry pki rotate cluster.yaml {1} --step {2}   # once every host has the bundle of the step before":
    "kubeferry pki rotate cluster.yaml {1} --step {2}   # 待每台主机都有上一步的离线包之后",
  "kubeferry pki rotate cluster.yaml {1} --step trust   # once every host has the bundle of the step before":
    "kubeferry pki rotate cluster.yaml {1} --step trust   # 待每台主机都有上一步的离线包之后",
  "somebody else took a step at the same time": "有人同时进行了一步",
  "kubeferry pki rotate cluster.yaml   # tells where it stands":
    "kubeferry pki rotate cluster.yaml   # 显示目前进行到哪一步",
  "{1} is being rotated already": "{1} 已在更换中",
  "step {1}": "步骤 {1}",
  "step none": "还没有进行任何步骤",
  "a certificate for the next {1} was requested and is not here yet": "已为下一个 {1} 申请证书，而证书还没有到",
  "kubeferry pki import --next cluster.yaml CERTIFICATE.pem, once it is signed":
    "签发之后执行 kubeferry pki import --next cluster.yaml CERTIFICATE.pem",
  "there is no {1} yet that could be rotated": "还没有可以更换的 {1}",
  "kubeferry build cluster.yaml   makes it": "kubeferry build cluster.yaml   会生成它",
  "{1} is signed by another CA, and so must be the one after it": "{1} 由另一个 CA 签发，它的后继也必须如此",
  "kubeferry pki csr --next cluster.yaml --out requests, then pki import --next; docs/day-2-rotation.md":
    "kubeferry pki csr --next cluster.yaml --out requests，然后 pki import --next；见 docs/day-2-rotation.md",
  "this file does not say how far a rotation is": "该文件没有说明更换进行到哪一步",
  "restore {1}/rotation.{2}.json from your backup of the keys": "从密钥的备份中恢复 {1}/rotation.{2}.json",
  "this file holds no bootstrap token": "该文件中没有引导令牌",
  "six and sixteen lower-case letters or digits with a dot between, and a date":
    "六个和十六个小写字母或数字，中间一个点号，再加日期",
  "the key of encryption at rest is not base64 of 32 bytes": "静态加密的密钥不是 32 字节的 base64",
  "put the key of the running cluster back; with another one its Secrets cannot be read":
    "放回运行中集群的密钥；使用其他密钥将无法读取其 Secret",
  "this secret is an example that was published; everyone knows it": "该机密是公开发表过的示例，人人知道",
  "rm {1}   # the next build makes a random one": "rm {1}   # 下一次构建会随机生成",
  "the directory of the cluster's keys is open to other users": "集群密钥所在的目录对其他用户开放",
  "cannot read {1} in the directory of the cluster's keys": "无法读取集群密钥目录中的 {1}",
  "cannot read the size {1}": "无法识别大小 {1}",
  "its secrets are not sealed: whoever may pull it has the cluster's keys":
    "其中的机密没有加密：能拉取它的人就得到集群的密钥",
  "the secrets in this bundle are not encrypted (--plaintext-secrets)":
    "该离线包中的机密没有加密（--plaintext-secrets）",
  "the secrets in these bundles are not encrypted (--plaintext-secrets)":
    "这些离线包中的机密没有加密（--plaintext-secrets）",
  "this does not make a cluster": "这不能构成集群",
  "kubeferry init --help; kubeferry releases": "见 kubeferry init --help 和 kubeferry releases",
  "nothing was written": "没有写入任何内容",
  "that file is there already, and init never overwrites one": "该文件已存在，而 init 从不覆盖文件",
  "there is no such folder": "没有这个文件夹",
  "without a lock some digests are not known yet; bring it all, then: kubeferry lock --from DIR {1}":
    "没有锁文件，有些摘要还不知道；把全部内容带来，然后执行 kubeferry lock --from DIR {1}",
  "cannot read --registry {1}": "无法识别 --registry {1}",
  "without cluster.yaml the steps are listed, and nothing is made": "没有 cluster.yaml 时只列出步骤，不生成任何内容",
  "--from and --to, or cluster.yaml": "--from 和 --to，或 cluster.yaml",
  "only one of {1} can be done at once": "{1} 一次只能做一个",
  "--tls-cert and --tls-key go together": "--tls-cert 与 --tls-key 要同时使用",
  "other machines would be served without TLS": "将在没有 TLS 的情况下为其他机器服务",
  "--tls-cert FILE --tls-key FILE, or --plain-http where the network is trusted":
    "--tls-cert FILE --tls-key FILE；网络可信时用 --plain-http",
  "say what is to be rotated": "请写明要更换什么",
  "{1} is at the step {2} already; nothing was changed": "{1} 已在步骤 {2}；没有做任何改变",
  "a cluster has no such key": "集群没有这样的密钥",
  "this content is damaged": "该内容已损坏",
  unreadable: "无法读取",
  "cannot read --older-than {1}": "无法识别 --older-than {1}",
  "kubeferry pki rotate cluster.yaml   tells where each is": "kubeferry pki rotate cluster.yaml   显示各自的进度",
  "give the PEM files that came back from who signs the CAs": "给出 CA 签发方返回的 PEM 文件",
};
