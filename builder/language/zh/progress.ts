/** What `kubeferry` says while it works and when it is done. */
import type { Catalogue } from "#cli/language/catalogue";

export const progress: Catalogue = {
  "cluster {1}, {2} nodes, release {3}": "集群 {1}，{2} 个节点，发行版 {3}",
  "{1}, of {2}": "{1}，日期 {2}",
  "wrote {1}: {2} pinned": "已写入 {1}：固定了 {2}",
  "into {1}: {2}": "到 {1}：{2}",
  "{1} certificates in {2}": "{2} 中有 {1} 张证书",
  "{1} files, {2} units": "{1} 个文件，{2} 个单元",
  "Node {1} of {2} for {3}": "用于 {3} 的 Node {1}，来自 {2}",
  "the one part is what it should be; kubeferry join puts them together": "唯一的分卷无误；用 kubeferry join 合并",
  "all {1} parts are what they should be; kubeferry join puts them together":
    "全部 {1} 个分卷无误；用 kubeferry join 合并",
  "{1}: all {2} members are what they should be": "{1}：全部 {2} 个成员无误",
  "signed with key {1}: {2}": "由密钥 {1} 签名：{2}",
  "whose it is was not asked: --public-key KEY checks the signature": "没有确认来源：--public-key KEY 会校验签名",
  "{1} → {2}, {3} of {4}: {5}": "{1} → {2}，第 {3} 步，共 {4} 步：{5}",
  "at most {1} files, images and packages: {2}": "最多 {1} 个文件、镜像和软件包：{2}",
  "at most {1} files, images and packages: {2}, and {3} whose size nobody says":
    "最多 {1} 个文件、镜像和软件包：{2}，另有 {3} 个大小未知",
  "the images of {1}, each checked": "{1} 的镜像，逐一校验",
  "to {1}, what it lacks": "到 {1}，只送它缺少的",
  "{1} of {2} images would be sent, {3}; the others are there": "{2} 个镜像中将发送 {1} 个，{3}；其余已存在",
  "{1} of {2} images sent, {3}; the others are there": "{2} 个镜像中发送了 {1} 个，{3}；其余已存在",
  "so that nodes pull from there, in cluster.yaml:\n{1}": "要让节点从那里拉取，在 cluster.yaml 中写：\n{1}",
  "{1} images at http://{2}:{3}, until it is stopped": "{1} 个镜像，位于 http://{2}:{3}，直到被停止",
  "{1} images at https://{2}:{3}, until it is stopped": "{1} 个镜像，位于 https://{2}:{3}，直到被停止",
  "so that nodes pull from here, in cluster.yaml:\n{1}": "要让节点从这里拉取，在 cluster.yaml 中写：\n{1}",
  "{1}: the connection was lost; goes on in {2} s": "{1}：连接已断开；{2} 秒后继续",
  "both are trusted, the old one signs": "两者都受信任，由旧的签发",
  "both are trusted, the new one signs": "两者都受信任，由新的签发",
  "only the new one is left": "只剩新的",
  "{1}: warning: ": "{1}：警告",
  "{1}: warning: {2}": "{1}：警告：{2*}",
  "every byte of {1}": "{1} 的每个字节",
  "to {1} hosts, only what each lacks": "到 {1} 台主机，只送各自缺少的",
  "{1}: has every part already": "{1}：已有全部内容",
  "{1}: lacks {2} part, {3}": "{1}：缺少 {2} 项，{3}",
  "{1}: lacks {2} parts, {3}": "{1}：缺少 {2} 项，{3}",
  "{1}: got {2} part, {3}": "{1}：收到 {2} 项，{3}",
  "{1}: got {2} parts, {3}": "{1}：收到 {2} 项，{3}",
  "{1}: done: {2}": "{1}：完成：{2*}",
  "{1}: done: {2}; {3}": "{1}：完成：{2*}；{3*}",
  "{1}: done: {2}; ./install changed nothing": "{1}：完成：{2*}；./install 没有做任何改变",
  "{1}: done: {2}; ./install changed nothing; {3}": "{1}：完成：{2*}；./install 没有做任何改变；{3*}",
  "{1}: done: {2}; ./install would make {3} changes": "{1}：完成：{2*}；./install 将做 {3} 处改变",
  "{1}: done: {2}; ./install would make {3} changes; {4}": "{1}：完成：{2*}；./install 将做 {3} 处改变；{4*}",
  "{1}: done: {2}; ./install made {3} changes": "{1}：完成：{2*}；./install 做了 {3} 处改变",
  "{1}: done: {2}; ./install made {3} changes; {4}": "{1}：完成：{2*}；./install 做了 {3} 处改变；{4*}",
  "has every part already": "已有全部内容",
  "lacks {1} part, {2}": "缺少 {1} 项，{2}",
  "lacks {1} parts, {2}": "缺少 {1} 项，{2}",
  "got {1} part, {2}": "收到 {1} 项，{2}",
  "got {1} parts, {2}": "收到 {1} 项，{2}",
  "run the same command again: it goes on with what is missing": "再次运行同一条命令：会继续处理缺少的部分",
  "asks {1} hosts whether they know those of the bundle, before any is changed":
    "更改任何主机之前，先询问 {1} 台主机是否认识离线包的密钥",
  "{1}: next: ansible-playbook -i {2}/inventory.yaml {3}/install.yaml --check":
    "{1}：下一步：ansible-playbook -i {2}/inventory.yaml {3}/install.yaml --check",
  "{1} files, {2}, verified in {3}": "{1} 个文件，{2}，已在 {3} 中校验",
  "wrote {1}; programs, certificates and secrets are left out": "已写入 {1}；不含程序、证书和机密",
  "the nodes' keys are in {1}/, one file a node; transfer each separately, to its own node":
    "节点密钥在 {1}/ 中，每个节点一个文件；请分别传递给各自的节点",
  "{1}.delta  {2}  what is new since {3}; inside: kubeferry join {4} --base {5}":
    "{1}.delta  {2}  相对 {3} 的新增内容；在隔离网络内：kubeferry join {4} --base {5}",
  "{1}: rotated, at the step {2}": "{1}：更换中，步骤 {2}",
  "no difference in what is installed": "所安装的内容没有不同",
  "{1}: carry it with every part; then kubeferry join {2} PART… -o BUNDLE.tar":
    "{1}：与每个分卷一起携带；之后执行 kubeferry join {2} PART… -o BUNDLE.tar",
  "{1}: whole; next: kubeferry verify {2}": "{1}：完整；下一步：kubeferry verify {2}",
  "{1}: sha256:{2}; next: skopeo copy oci:{3} docker://REGISTRY/NAME:TAG":
    "{1}：sha256:{2}；下一步：skopeo copy oci:{3} docker://REGISTRY/NAME:TAG",
  "{1} files, {2}, verified in {3}; next: kubeferry build --offline {4}":
    "{1} 个文件，{2}，已在 {3} 中校验；下一步：kubeferry build --offline {4}",
  "{1} is there and fits, of {2}; --update resolves again": "{1} 已存在并且相符，日期 {2}；--update 重新解析",
  "wrote {1}; nothing changed but the day": "已写入 {1}；除日期外没有变化",
  "wrote {1}": "已写入 {1}",
  "{1}: to be signed as an intermediate CA": "{1}：请签发为中间 CA",
  "every CA of this cluster has its certificate already: {1}": "该集群的每个 CA 都已有证书：{1}",
  "next: kubeferry pki import {1} CERTIFICATE.pem…, with those above it":
    "下一步：kubeferry pki import {1} CERTIFICATE.pem…，连同其上级证书",
  "{1}: {2}, by {3}, until {4}": "{1}：{2}，由 {3} 签发，有效期至 {4}",
  "next: kubeferry pki rotate {1} CA --step trust": "下一步：kubeferry pki rotate {1} CA --step trust",
  "next: kubeferry build {1}": "下一步：kubeferry build {1}",
  "nothing was changed (--dry-run)": "没有做任何改变（--dry-run）",
  "{1}: what to carry and run, in its order": "{1}：按顺序说明携带什么、执行什么",
  "{1} {2} is the newest patch  ({3})": "{1} {2} 是最新的补丁版本  （{3}）",
  "{1} {2} unknown: upstream has no checksum file that names the version  ({3})":
    "{1} {2} 未知：上游没有写明版本的校验和文件  （{3}）",
  "{1} {2} has {3}  ({4})": "{1} {2} 已有 {3}  （{4}）",
  "{1}: {2}, from the next build on": "{1}：{2*}，从下一次构建起",
  "next: kubeferry build {1}, and ./install upgrade on every host":
    "下一步：kubeferry build {1}，并在每台主机上执行 ./install upgrade",
  "{1} never rotated": "{1} 从未更换",
  "{1} never rotated; once every host has its bundle: kubeferry pki rotate {2} {3} --step {4}":
    "{1} 从未更换；待每台主机都有其离线包之后：kubeferry pki rotate {2} {3} --step {4}",
  "{1} {2}: {3}; once every host has its bundle: kubeferry pki rotate {4} {5} --step {6}":
    "{1} {2}：{3*}；待每台主机都有其离线包之后：kubeferry pki rotate {4} {5} --step {6}",
  "{1}: key {2}, not encrypted; it never leaves here": "{1}：密钥 {2}，没有加密；它绝不离开这里",
  "{1}: key {2}; it never leaves here": "{1}：密钥 {2}；它绝不离开这里",
  "{1}: transfer it to the nodes separately from the bundles, into /etc/kubeferry/trusted/":
    "{1}：与离线包分开传递到各节点，放入 /etc/kubeferry/trusted/",
  "public key {1}": "公钥 {1}",
  "{1} is signed with key {2}; check it: kubeferry verify {3} --public-key KEY":
    "{1} 已由密钥 {2} 签名；校验：kubeferry verify {3} --public-key KEY",
  "{1}: set aside; bundles of before still open with it": "{1}：已移到一旁；以前的离线包仍可用它打开",
  "next: kubeferry build {1}, and ./install upgrade on those nodes with their new keys":
    "下一步：kubeferry build {1}，并在这些节点上用新密钥执行 ./install upgrade",
  "{1} contents, {2}": "{1} 项内容，{2}",
  "every content is what its name says": "每项内容都与名称相符",
  "the damaged ones are taken away": "已移除损坏的内容",
  "{1} taken away, {2} free again, {3} kept": "移除 {1} 项，释放 {2}，保留 {3} 项",
};
