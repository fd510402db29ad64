/** Errors of getting things: downloads, registries, packages, upstream's lists, the store and the lock. */
import type { Catalogue } from "#cli/language/catalogue";

export const sourceErrors: Catalogue = {
  "the store cannot be made: {1}": "无法创建缓存目录：{1}",
  "the store cannot be made: a file is in its way": "无法建立缓存：同名的文件已存在",
  "give another folder with --cache DIR": "用 --cache DIR 指定其他文件夹",
  "there is no store here": "这里没有缓存",
  "give its folder with --cache DIR; kubeferry fetch and kubeferry build make one":
    "用 --cache DIR 指定缓存目录；kubeferry fetch 和 kubeferry build 会创建它",
  "these are not the bytes that were wanted": "内容不是所要的",
  "the store's file system is full; what came so far stays for the next run":
    "缓存所在的文件系统已满；已下载的部分留给下一次运行",
  "kubeferry store gc, or another folder with --cache DIR": "kubeferry store gc，或用 --cache DIR 指定其他文件夹",
  more: "更多",
  'an artifact cannot be fetched from "{1}"': '无法从 "{1}" 下载',
  "https://…, http://…, file:PATH, or apt:PACKAGE[=VERSION]": "https://…、http://…、file:PATH 或 apt:PACKAGE[=VERSION]",
  "these are not the bytes that the lock pins; nothing of them was kept": "内容不是锁文件所固定的；没有保留任何部分",
  "if upstream replaced the file and says so: kubeferry lock --update; otherwise distrust this source":
    "如果上游换了文件并有说明：kubeferry lock --update；否则不要信任这个来源",
  "the lock gives this artifact another size": "锁文件中该内容的大小与此不同",
  "{1} {2} {3} is not cached, and --offline is set": "缓存中没有 {1} {2} {3}，而又指定了 --offline",
  "run kubeferry fetch once without --offline, or fetch it by hand: kubeferry lock --list, kubeferry lock --from DIR":
    "不带 --offline 执行一次 kubeferry fetch，或手工下载：kubeferry lock --list、kubeferry lock --from DIR",
  "this file cannot be read: {1}": "无法读取该文件：{1}",
  "{1}: {2}: {3}; trying the next place": "{1}：{2}：{3*}；改试下一处",
  "not cached, and --offline is set": "缓存中没有，而又指定了 --offline",
  "{1}: {2}; again in {3} s": "{1}：{2*}；{3} 秒后重试",
  "these are no OpenPGP public keys: {1}": "这不是 OpenPGP 公钥：{1*}",
  "none of the keys that the release trusts is among these": "其中没有发行版所信任的密钥",
  "upstream's list carries no signature": "上游的列表没有签名",
  "there is text outside of what was signed": "在签名范围之外还有文字",
  "this is no clear-signed text: {1}": "这不是明文签名的文本：{1*}",
  "this is no OpenPGP signature: {1}": "这不是 OpenPGP 签名：{1*}",
  "upstream's list is signed by another key": "上游的列表由另一把密钥签名",
  "upstream's signature does not hold: it was changed after it was signed": "上游的签名不成立：签名之后内容被改动过",
  "upstream's signature does not hold: {1}": "上游的签名不成立：{1*}",
  "if upstream says that it signs otherwise now: change `signature:` in a copy of the release manifest, and give its path; otherwise distrust this source":
    "如果上游说明签名方式已变：在发行版清单的副本中修改 `signature:`，并给出其路径；否则不要信任这个来源",
  "no key": "没有密钥",
  "one signed text, and nothing else": "一份签名的文本，此外没有别的",
  "run kubeferry fetch once without --offline": "不带 --offline 执行一次 kubeferry fetch",
  "{1} {2}: {3} was taken on trust, from {4}": "{1} {2}：{3} 没有公布的摘要，首次下载即予信任，来自 {4}",
  "the lock does not say which version of {1}": "锁文件没有说明 {1} 的版本",
  "{1} is a mirror's copy: upstream could not be asked": "{1} 是镜像站的副本：无法向上游查询",
  "no mirror has it, and upstream is not asked": "没有镜像站有它，而又不询问上游",
  "a checksum file of more than 4 MiB is none": "超过 4 MiB 的不会是校验和文件",
  "the release cannot be had for this platform": "该发行版没有适用于这个平台的",
  "take the platform out of `platforms:` in cluster.yaml, or add an artifact to a release manifest of your own":
    "从 cluster.yaml 的 `platforms:` 中去掉该平台，或在自己的发行版清单中加上相应内容",
  "the distribution has another package than the release pins": "Linux 发行版的软件包与发行版清单所固定的不同",
  "one artifact has no digest that anybody published": "有一项内容没有任何人公布过摘要",
  "{1} artifacts have no digest that anybody published": "有 {1} 项内容没有任何人公布过摘要",
  "put `digest: sha256:…` into a copy of the release manifest and give its path, or: kubeferry lock cluster.yaml --trust-first-use":
    "在发行版清单的副本中写入 `digest: sha256:…` 并给出其路径，或执行 kubeferry lock cluster.yaml --trust-first-use",
  "the distribution's index is not cached, and --offline is set":
    "缓存中没有 Linux 发行版的软件包索引，而又指定了 --offline",
  "run kubeferry lock once without --offline; the lock is then good for builds without network":
    "不带 --offline 执行一次 kubeferry lock；之后无需网络即可用该锁文件构建",
  "nobody published a digest": "没有任何人公布摘要",
  "{1} does not name this file, or not clearly": "{1} 没有列出该文件，或不明确",
  "the release has none": "发行版中没有",
  "upstream signed another digest of {1} than the release pins": "上游为 {1} 签名的摘要与发行版所固定的不同",
  "none, or several": "没有，或有多个",
  "compare both with what upstream announces; a release manifest of your own may pin another digest":
    "把两者与上游公布的比较；自己的发行版清单可以固定其他摘要",
  "nobody's signature of {1} was checked: {2}: {3}": "没有校验 {1} 的任何签名：{2}：{3*}",
  "upstream signs this, says the release, but the signature is not there": "发行版清单说明上游会签名，但没有找到签名",
  "a signed list, its signature and the keys": "签名的列表、它的签名以及公钥",
  "ask upstream where it publishes them; `signature:` in a copy of the release manifest says it, or is taken out":
    "向上游询问公布的位置；写入发行版清单副本的 `signature:`，或去掉该项",
  "{1}, which {2} wants: this kind of dependency is not understood": "{2} 需要的 {1}：不认识这种依赖关系",
  "{1}, which {2} wants: no repository and not the base has it": "{2} 需要的 {1}：软件源和基础软件包中都没有",
  "{1}, which packages: in cluster.yaml wants: this kind of dependency is not understood":
    "cluster.yaml 的 packages: 需要的 {1}：不认识这种依赖关系",
  "{1}, which packages: in cluster.yaml wants: no repository and not the base has it":
    "cluster.yaml 的 packages: 需要的 {1}：软件源和基础软件包中都没有",
  "{1} {2} {3}, which {4} wants: this kind of dependency is not understood":
    "{4} 需要的 {1} {2} {3}：不认识这种依赖关系",
  "{1} {2} {3}, which {4} wants: no repository and not the base has it":
    "{4} 需要的 {1} {2} {3}：软件源和基础软件包中都没有",
  "{1} {2} {3}, which packages: in cluster.yaml wants: this kind of dependency is not understood":
    "cluster.yaml 的 packages: 需要的 {1} {2} {3}：不认识这种依赖关系",
  "{1} {2} {3}, which packages: in cluster.yaml wants: no repository and not the base has it":
    "cluster.yaml 的 packages: 需要的 {1} {2} {3}：软件源和基础软件包中都没有",
  "name one more repository (a distribution's AppStream beside its BaseOS), or add it to the base":
    "再指定一个软件源（例如除 BaseOS 外再加 AppStream），或把它加入基础软件包",
  "two versions of {1} are wanted at once": "同时需要 {1} 的两个版本",
  "repomd.xml names no list of packages": "repomd.xml 没有指出软件包列表",
  "the list of packages never ends": "软件包列表没有结尾",
  "a package has no sensible name, architecture or size": "某个软件包的名称、架构或大小不合理",
  "the repository's metadata gives no SHA-256": "软件源的元数据没有给出 SHA-256",
  "checksum type sha256": "校验和类型 sha256",
  "the metadata names a file outside the repository": "元数据指向软件源之外的文件",
  "the repository's metadata is no well-formed XML": "软件源的元数据不是格式正确的 XML",
  "packages of {1} want the repositories they come from": "{1} 的软件包需要写明来自哪些软件源",
  "nothing vouches for this repository: it has no key and comes over plain HTTP":
    "这个软件源没有任何保证：没有密钥，而且经由明文 HTTP",
  "name its key: in cluster.yaml, or use its https: address": "在 cluster.yaml 中写明它的 key:，或使用它的 https: 地址",
  "the list of packages is not the one that repomd.xml names": "软件包列表不是 repomd.xml 所指的那一份",
  "the mirror is being updated, or something changes bytes on the way: try again, or another mirror":
    "镜像站正在更新，或途中有内容被改动：请重试，或换一个镜像站",
  "the repository's key cannot be read": "无法读取软件源的密钥",
  "gpgv checks a repository's signature, and is not here": "校验软件源的签名需要 gpgv，而本机没有",
  "the repository's signature does not hold for the key that was given": "用所给的密钥校验，软件源的签名不成立",
  "the repository's metadata is larger than {1} bytes": "软件源的元数据大于 {1} 字节",
  "a repository's address is https:, http: or file:": "软件源的地址应是 https:、http: 或 file:",
  "the list of packages unpacks to more than 4 GB": "软件包列表解压后超过 4 GB",
  "{1} cannot be had beside the declared base: apt would remove {2}": "{1} 与声明的基础软件包不能并存：apt 会删除 {2}",
  "the index has no SHA256 and size for {1} {2}": "索引中没有 {1} {2} 的 SHA256 和大小",
  '"{1}" is not the name of a Debian package': '"{1}" 不是 Debian 软件包的名称',
  "an apt repository wants its suite and the key that signs it": "apt 软件源需要写明 suite 以及签名的密钥",
  '"{1}" cannot stand in an apt source': '"{1}" 不能写在 apt 软件源中',
  "this machine's package sources are those of another distribution": "本机的软件源属于另一个 Linux 发行版",
  "no os-release": "没有 os-release",
  "name the repositories of {1} as repositories: beside names:, or build on a {2} machine":
    "在 names: 旁边用 repositories: 写明 {1} 的软件源，或在 {2} 机器上构建",
  "the distribution does not have {1}": "Linux 发行版没有 {1}",
  "kubeferry lock --update takes the versions that it has now; apt-cache policy PACKAGE shows them":
    "kubeferry lock --update 采用现有的版本；apt-cache policy PACKAGE 可以查看",
  "packages of Debian or Ubuntu are wanted, and this machine has no apt":
    "需要 Debian 或 Ubuntu 的软件包，而本机没有 apt",
  "run it on Debian or Ubuntu, give the packages with --mirror DIR, or choose another --release (kubeferry releases)":
    "在 Debian 或 Ubuntu 上运行，用 --mirror DIR 提供软件包，或用 --release 选择其他发行版（kubeferry releases）",
  "apt: {1}": "apt 报告：{1}",
  "kubeferry lock --update takes the versions that the distribution has now":
    "kubeferry lock --update 采用 Linux 发行版现有的版本",
  "the server answered another range than was asked for": "服务器给出的范围与请求的不同",
  "the server has other bytes than it had before": "服务器上的内容与之前的不同",
  "the server breaks off, again and again": "服务器一再中断",
  "the server breaks off, again and again: {1}": "服务器一再中断：{1*}",
  "the server has another file than the lock pins": "服务器上的文件不是锁文件所固定的",
  "this download is larger than {1} bytes": "下载的内容大于 {1} 字节",
  "more than {1} redirects": "重定向超过 {1} 次",
  'the server redirects to "{1}", which is refused': '服务器重定向到 "{1}"，已拒绝',
  "the server answered {1}: it does not have this file": "服务器应答 {1}：没有这个文件",
  "the server answered {1}": "服务器应答 {1}",
  "put your credentials into ~/.netrc: machine {1} login NAME password SECRET":
    "把凭据写入 ~/.netrc：machine {1} login NAME password SECRET",
  "the proxy wants other credentials, or any": "代理要求凭据，或要求其他凭据",
  "put NAME:SECRET@ before the host in HTTPS_PROXY": "在 HTTPS_PROXY 的主机之前写上 NAME:SECRET@",
  "the proxy does not lead there: it answered {1}": "无法经由代理访问：代理应答 {1}",
  "a host that needs no proxy is named in NO_PROXY": "不需要代理的主机写入 NO_PROXY",
  "the server stopped sending": "服务器停止发送",
  "the transfer failed: {1}": "传输失败：{1}",
  "the transfer failed: ": "传输失败",
  "nothing listens there: is the address right, and does it run?": "那里没有程序在监听：地址正确吗？它在运行吗？",
  "a proxy is taken from HTTPS_PROXY": "代理取自 HTTPS_PROXY",
  "a proxy is taken from HTTPS_PROXY, a mirror from --mirror URL|DIR":
    "代理取自 HTTPS_PROXY，镜像站用 --mirror URL|DIR 指定",
  "{1}; tried {2}": "{1*}；尝试过 {2}",
  "{1}: {2}; tried {3}": "{1}：{2*}；尝试过 {3}",
  "the server's name is not known here": "这里查不到服务器的名称",
  "the server does not speak TLS": "服务器不使用 TLS",
  "the server's certificate is not trusted: {1}": "服务器的证书不受信任：{1}",
  "--mirror URL|DIR, or set HTTPS_PROXY": "使用 --mirror URL|DIR，或设置 HTTPS_PROXY",
  "getent hosts {1}, or set HTTPS_PROXY": "getent hosts {1}，或设置 HTTPS_PROXY",
  "http:// instead of https://, where that is meant": "如果本来就是如此：用 http:// 代替 https://",
  "if a proxy or mirror here has its own CA: --ca FILE, or SSL_CERT_FILE=FILE":
    "如果这里的代理或镜像站有自己的 CA：--ca FILE，或 SSL_CERT_FILE=FILE",
  "{1} is larger than {2} bytes": "{1} 大于 {2} 字节",
  "this file holds no PEM certificate": "该文件中没有 PEM 证书",
  "the lock cannot be read: {1}": "无法读取锁文件：{1*}",
  "the lock is of something else than is asked for now": "锁文件与现在所要求的不符",
  "see what would change, and take it: kubeferry lock --update {1}":
    "查看会有哪些变化并采用：kubeferry lock --update {1}",
  "asked for, not in the lock": "已要求，锁文件中没有",
  "asked for {1}, not in the lock": "要求的是 {1}，锁文件中没有",
  "in the lock, no longer asked for": "锁文件中有，已不再要求",
  "in the lock {1}, no longer asked for": "锁文件中是 {1}，已不再要求",
  "asked for, in the lock": "已要求，锁文件中有",
  "asked for, in the lock {1}": "已要求，锁文件中是 {1}",
  "asked for {1}, in the lock": "要求的是 {1}，锁文件中有",
  "asked for {1}, in the lock {2}": "要求的是 {1}，锁文件中是 {2}",
  "kubeferry store verify --repair; the next build fetches it again":
    "kubeferry store verify --repair；下次构建会重新下载",
  "--ca, SSL_CERT_FILE and NETRC want the path of a file": "--ca、SSL_CERT_FILE 和 NETRC 应为文件的路径",
  "{1} is no lock and is made anew": "{1} 不是锁文件，现重新生成",
  "this mirror is neither a folder nor an address of http or https":
    "这个镜像源既不是文件夹，也不是 http 或 https 地址",
  "--mirror https://mirror.example/upstream, or --mirror DIR":
    "--mirror https://mirror.example/upstream，或 --mirror DIR",
  "kubeferry lock --update cluster.yaml   makes it anew": "kubeferry lock --update cluster.yaml   重新生成",
};
