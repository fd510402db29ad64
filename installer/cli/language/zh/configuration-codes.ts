/** Error codes of calling a command, configuration and downloads, explained. */
import type { Catalogue } from "../catalogue.ts";

export const configurationCodes: Catalogue = {
  "The command was called in a way that it does not take. Nothing was read or changed.":
    "命令的写法不被接受。没有读取或改变任何东西。",
  "A word or option is misspelt, missing, or does not go with another one.":
    "某个词或选项拼写有误、缺失，或与其他选项不能同时使用。",
  "Add --help to the command: it lists its options and shows an example.":
    "在命令后加 --help：列出它的选项并给出示例。",
  "cluster.yaml, or a file that it names, cannot be read.": "无法读取 cluster.yaml 或它引用的文件。",
  "The path is relative to another directory than meant.": "路径所相对的目录与预想的不同。",
  "The file belongs to another user.": "文件属于另一个用户。",
  "Paths in cluster.yaml are relative to cluster.yaml itself: ls -l the path that the error shows.":
    "cluster.yaml 中的路径相对于 cluster.yaml 本身：对报错中的路径执行 ls -l。",
  "A YAML file is not well-formed; the error shows line and column.": "YAML 文件的语法有误；报错给出行号和列号。",
  "Tabs in the indentation, an unclosed quote or bracket, two documents in one file.":
    "缩进中有制表符、引号或括号没有闭合、一个文件中有两个文档。",
  "Look at the line that is shown, and at the one before it.": "查看报错指出的那一行，以及它的前一行。",
  "cluster.yaml is well-formed, and asks for something that cannot be. Every problem is listed with its place.":
    "cluster.yaml 语法无误，但要求了不可能的内容。每个问题都连同位置一起列出。",
  "An unknown or misspelt field, an address outside its network, networks that overlap, a name used twice.":
    "未知或拼写有误的字段、网段之外的地址、互相重叠的网段、重复使用的名称。",
  "Correct each place that is listed; kubeferry build checks all of it before it downloads anything.":
    "逐一改正列出的位置；kubeferry build 在下载任何内容之前会检查全部。",
  "manifests/schema/cluster.schema.json completes and checks cluster.yaml in an editor.":
    "manifests/schema/cluster.schema.json 可以在编辑器中补全和检查 cluster.yaml。",
  "No release has the name that cluster.yaml asks for.": "没有 cluster.yaml 所要求名称的发行版。",
  "A misspelt name, or a release of a newer Kubeferry.": "名称拼写有误，或该发行版属于更新的 Kubeferry。",
  "kubeferry releases lists those that this one knows.": "kubeferry releases 列出当前版本认识的发行版。",
  "A release file is not what a release file must be.": "发行版文件不符合要求。",
  "A release of your own with an unknown field or a component without a version.":
    "自己的发行版中有未知字段，或某个组件没有版本。",
  "Correct the place that is shown; manifests/ has releases to compare with.":
    "改正报错指出的位置；可以与 manifests/ 中的发行版对照。",
  "Something of the release has no digest, so nobody can tell whether a download is right.":
    "发行版中有内容没有摘要，无法判断下载的内容是否正确。",
  "Upstream publishes no checksum for it.": "上游没有为它公布校验和。",
  "The release does not exist for one of the platforms.": "该版本没有为其中某个平台发布。",
  "Write the digest into the lock yourself once you trust the file, or choose another platform or version.":
    "确认文件可信之后，自行把摘要写入锁文件；或选择其他平台或版本。",
  "The lock file is damaged or was written by another version of Kubeferry.":
    "锁文件已损坏，或由另一个版本的 Kubeferry 写成。",
  "It was edited by hand, or merged with a conflict left in it.": "它被手工编辑过，或合并时留下了冲突。",
  "kubeferry lock --update makes it anew; review the difference before you commit it.":
    "kubeferry lock --update 会重新生成；提交之前请检查差异。",
  "cluster.yaml asks for something else than what the lock has. Nothing was downloaded.":
    "cluster.yaml 所要求的与锁文件中的不同。没有下载任何内容。",
  "The release, a component, a package or an image was changed after the lock was made.":
    "锁定之后，发行版、组件、软件包或镜像有改动。",
  "kubeferry lock --update, and review the difference.": "执行 kubeferry lock --update，并检查差异。",
  "A template cannot be rendered; the error shows file, line and column.": "模板无法渲染；报错给出文件、行号和列号。",
  "A template of your own names a value that does not exist.": "自己的模板引用了不存在的值。",
  "Correct the template at the place that is shown.": "改正报错指出的模板位置。",
  "A flag in cluster.yaml is not one of this version of the daemon, which would not start with it.":
    "cluster.yaml 中的某个参数不属于该版本的守护进程，带上它守护进程将无法启动。",
  "The flag was removed or renamed, or came with a later version.": "该参数已被移除或改名，或者是更新的版本才有的。",
  "Use the name in the error's hint; DAEMON --help of this very version is the last word.":
    "使用报错提示中的名称；以该版本的 DAEMON --help 为准。",
  "The program given with --runtime cannot be the Node under the installer.":
    "--runtime 给出的程序不能作为安装程序所用的 Node。",
  "It is no Node, is for another machine or C library, or was started on a machine where it does not run.":
    "它不是 Node，或是用于其他机器或 C 库的，或者在一台无法运行它的机器上被启动。",
  "It is too old, or was made without something that the installer needs: zstd, or a place for an application.":
    "它太旧，或者构建时缺少安装程序需要的功能：zstd，或容纳应用的位置。",
  "Give bin/node of a Node that is new enough, for the platform of the nodes; what is wanted and found is shown.":
    "给出足够新的、适用于节点平台的 Node 的 bin/node；报错中有所需的和实际的。",
  "A CA, certificate or key cannot be used for what it is needed for.": "某个 CA、证书或密钥不能用于它的用途。",
  "The .pki folder was changed by hand, or is of another cluster.": ".pki 目录被手工改动，或属于另一个集群。",
  "A CA that was brought along is no CA, has expired, or does not belong to its key.":
    "自带的 CA 不是 CA、已过期，或与其私钥不匹配。",
  "renew --in-place was called on a node that has no CA's key.": "在没有 CA 私钥的节点上执行了 renew --in-place。",
  "Keep the .pki folder beside cluster.yaml, and build with the one of this cluster.":
    "把 .pki 目录保留在 cluster.yaml 旁边，并使用本集群的 .pki 目录构建。",
  "openssl x509 -noout -text -in FILE shows what the certificate says.":
    "openssl x509 -noout -text -in FILE 显示证书的内容。",
  "The bundle has no node with that name or address.": "离线包中没有该名称或地址的节点。",
  "--ip has another address than cluster.yaml.": "--ip 的地址与 cluster.yaml 中的不同。",
  "The bundle is of another cluster.": "离线包属于另一个集群。",
  "kubeferry inspect BUNDLE.tar lists its nodes; give --ip or --name of one of them.":
    "kubeferry inspect BUNDLE.tar 列出其中的节点；用 --ip 或 --name 给出其中之一。",
  "A role is none of etcd, master and worker, or this node does not have it.":
    "角色不是 etcd、master 或 worker 之一，或者该节点没有这个角色。",
  "A misspelt role, or a role that cluster.yaml gives to another node.":
    "角色拼写有误，或 cluster.yaml 把该角色给了另一个节点。",
  "kubeferry inspect BUNDLE.tar lists each node's roles.": "kubeferry inspect BUNDLE.tar 列出每个节点的角色。",
  "A server could not be reached, or did not answer as a server should, after several attempts.":
    "多次尝试之后，服务器仍无法访问，或没有正常应答。",
  "No route, no name server, a proxy that refuses, a mirror that is down.":
    "没有路由、没有域名服务器、代理拒绝，或镜像站停止服务。",
  "curl -v URL shows what is wrong; HTTPS_PROXY and --mirror are honoured.":
    "curl -v URL 可以看出原因；HTTPS_PROXY 和 --mirror 有效。",
  "Run it again: what was downloaded is kept.": "重新运行：已下载的内容会保留。",
  "The server answered that it does not have this.": "服务器应答说没有该内容。",
  "A version that was never published, was withdrawn, or is not in this mirror.":
    "该版本从未发布、已被撤回，或不在这个镜像站上。",
  "Open the URL that is shown; name another version, or another mirror with --mirror.":
    "打开报错中的 URL；改用其他版本，或用 --mirror 指定其他镜像站。",
  "The server went on so slowly, or not at all, that the download was given up.": "服务器过慢或停止发送，下载被放弃。",
  "An overloaded mirror, or a proxy that holds the body back.": "镜像站过载，或代理扣住了内容。",
  "Run it again: it goes on where it stopped. Another mirror: --mirror.":
    "重新运行：从中断处继续。其他镜像站：--mirror。",
  "Something is larger than any real one of its kind, and was not read to its end.":
    "某项内容比同类的任何真实内容都大，没有读到末尾。",
  "A captive portal or an error page instead of the file, or a hostile server.":
    "来的不是文件，而是上网认证页面或错误页面；或者服务器有恶意。",
  "Open the URL that is shown and look at what comes.": "打开报错中的 URL，看看返回了什么。",
  "It is not in the cache, and --offline forbids to download it.": "缓存中没有，而 --offline 禁止下载。",
  "The cache was made for another lock, or was cleaned.": "缓存是为另一份锁文件准备的，或被清理过。",
  "Run kubeferry fetch once without --offline, or bring the files by hand: kubeferry lock --list, kubeferry lock --from DIR.":
    "不带 --offline 执行一次 kubeferry fetch，或手工带来文件：kubeferry lock --list、kubeferry lock --from DIR。",
  "The server wants credentials, and did not take what it was given.": "服务器要求凭据，而且没有接受所给的凭据。",
  "A private registry or mirror, an expired token, a rate limit that is told this way.":
    "私有仓库或镜像站、令牌已过期，或以这种方式告知的速率限制。",
  "docker login, or an entry in ~/.netrc, for the host that is shown.":
    "为报错中的主机执行 docker login，或在 ~/.netrc 中写入一项。",
  "A package of the distribution, or one that it depends on, cannot be had.":
    "无法取得发行版的某个软件包或它依赖的软件包。",
  "A misspelt name, another release of the distribution, a repository that is not signed by its keys.":
    "名称拼写有误、发行版的版本不对，或软件源没有用它的密钥签名。",
  "Correct packages: in cluster.yaml; apt-cache policy NAME on such a host shows what there is.":
    "改正 cluster.yaml 的 packages:；在这样的主机上用 apt-cache policy NAME 查看有什么。",
  "A program that this machine needs for it is not installed.": "本机没有安装完成此事所需的程序。",
  "Packages of a distribution are asked for, and this machine has not the tools that resolve them.":
    "要求了某个发行版的软件包，而本机没有解析它们的工具。",
  "Install the program that the error names.": "安装报错中点名的程序。",
};
