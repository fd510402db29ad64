/** What `kubeferry --help` says, of every command and option that `./install` has not. */
import type { Catalogue } from "#cli/language/catalogue";

export const help: Catalogue = {
  "Carries a Kubernetes cluster across an air gap: one bundle, built and verified here, installed there.":
    "把一个 Kubernetes 集群带过物理隔离：在这里构建并校验一个离线包，到那边安装。",
  "Write a commented cluster.yaml, from flags or (on a terminal, without any) from questions":
    "生成一份带注释的 cluster.yaml，内容来自选项，或者（在终端上且不带选项时）来自问答",
  "a new file (default: standard output)": "新文件的路径（默认：标准输出）",
  "of the cluster": "集群名称",
  "see `kubeferry releases` (default: the newest Kubernetes)": "见 `kubeferry releases`（默认：最新的 Kubernetes）",
  "a node; repeatable": "一个节点，可重复",
  "linux/amd64 or linux/arm64; repeatable": "linux/amd64 或 linux/arm64，可重复",
  "any address in it may become a worker": "该网段中的任意地址都可以成为 worker",
  "network of services": "Service 网段",
  "network of pods": "Pod 网段",
  "network plugin": "网络插件",
  "first-master, vip or local-proxy": "first-master、vip 或 local-proxy",
  "virtual address of the API": "API 的虚拟地址",
  "containerd or docker (default: what the release has)": "containerd 或 docker（默认：发行版自带的）",
  "List the releases that can be carried: components, versions, platforms, what is pinned by whom":
    "列出可以携带的发行版：组件、版本、平台，以及各项由谁固定",
  "names, or paths of manifests (default: all that come with Kubeferry)":
    "名称或清单文件的路径（默认：Kubeferry 自带的全部）",
  "ask upstream for newer patch releases of what they pin": "向上游查询已固定内容的更新补丁版本",
  "PEM certificates to trust besides the usual ones": "在系统自带的之外另行信任的 PEM 证书",
  "List the steps from one minor of Kubernetes to a later one, and make the bundle of each":
    "列出从一个 Kubernetes 次版本升级到较新次版本的各个步骤，并生成每一步的离线包",
  "of the cluster that runs": "当前运行的集群",
  "the cluster's own, 1.16 (default: of the release in cluster.yaml)":
    "集群当前的版本，如 1.16（默认：cluster.yaml 中发行版的版本）",
  "where it is to go, 1.36": "要升级到的版本，如 1.36",
  "make the steps' bundles in this folder, with road.txt: what to run in which order":
    "把各步的离线包生成到该文件夹，其中 road.txt 说明按什么顺序执行什么",
  "for the step of its minor, instead of Kubeferry's own: a name of `kubeferry releases`, or a manifest's path (repeatable)":
    "用于其次版本的那一步，代替 Kubeferry 自带的发行版：`kubeferry releases` 中的名称，或清单文件的路径（可重复）",
  "also write what is new since the bundle of the step before, as FILE.delta":
    "同时把相对上一步离线包的新增内容写入 FILE.delta",
  "as --delta, also of the first step: the bundle that the hosts run now":
    "同 --delta，并包括第一步：主机当前运行的离线包",
  "resolve every step again, and make the bundles that change by it": "重新解析每一步，并重做因此变化的离线包",
  "with -o: tell what would be made, kept and downloaded, and change nothing":
    "与 -o 同用：说明会生成、保留和下载什么，不做任何改动",
  "Resolve a release to exact bytes: cluster.lock": "把发行版解析为逐字节确定的内容：cluster.lock",
  "stands in for upstream, digests stay the lock's; repeatable": "代替上游的镜像站，摘要仍以锁文件为准，可重复",
  "asked instead of a container registry; repeatable": "代替容器镜像仓库的地址，可重复",
  "the store (default: ~/.cache/kubeferry)": "缓存目录（默认：~/.cache/kubeferry）",
  "only the store, and mirrors that are folders": "只使用缓存，以及本身是文件夹的镜像站",
  "instead of the file's own: a name of `kubeferry releases`, or a manifest's path":
    "代替文件中写明的发行版：`kubeferry releases` 中的名称，或清单文件的路径",
  "refuse what is only a warning about cluster.yaml": "cluster.yaml 只有警告时也拒绝",
  "resolve again, and show what changes": "重新解析，并显示变化",
  "pin what nobody published by downloading it once; the lock and the audit name it so":
    "上游没有公布摘要的内容，下载一次后固定；锁文件和审计会注明",
  "only print every URL, image and package with size and digest; asks no network":
    "只打印每个 URL、镜像和软件包及其大小与摘要，不访问网络",
  "of --list: text, input of aria2, or arguments of skopeo": "--list 的格式：文本、aria2 的输入，或 skopeo 的参数",
  "take everything from this folder, into the store as well: what --list named, fetched by hand":
    "全部内容取自该文件夹，并存入缓存：即按 --list 的清单手工下载的文件",
  "Download and verify what cluster.lock names, into the store": "下载并校验 cluster.lock 列出的内容，存入缓存",
  "Write every node's files into a folder, to read before they are packed; never a secret":
    "把每个节点的文件写入一个文件夹，供打包前查看；其中不含任何机密",
  "Make one bundle: lock, fetch, pki, render, pack, verify": "生成一个离线包：锁定、下载、签发证书、渲染、打包、校验",
  "the bundle, or a folder for it (default: beside cluster.yaml, named by its content)":
    "离线包，或存放它的文件夹（默认：cluster.yaml 旁边，按内容命名）",
  "overwrite the file of -o, or a signed bundle of the same content": "覆盖 -o 指定的文件，或内容相同的已签名离线包",
  "also write what is new since that bundle, as FILE.delta": "同时把相对该离线包的新增内容写入 FILE.delta",
  "sign it with this secret key, made by `kubeferry keygen` or `minisign -G` (repeatable)":
    "用该私钥签名，由 `kubeferry keygen` 或 `minisign -G` 生成（可重复）",
  "who else can open every node's secrets: an officer, a safe (repeatable)":
    "还有谁能打开每个节点的机密：负责人、保险柜（可重复）",
  "do not encrypt the nodes' secrets: for labs, and the audit reports it":
    "不加密节点的机密：仅用于实验环境，审计会指出",
  "where `npm run build` left install and install-linux-* (default: beside this program)":
    "`npm run build` 存放 install 和 install-linux-* 的位置（默认：本程序旁边）",
  "run the installer by this program `node` instead: for hosts with an older glibc (repeatable, one a platform)":
    "改用这个 `node` 程序运行安装程序：用于 glibc 较旧的主机（可重复，每个平台一个）",
  "Check every byte of a bundle (a .tar or its folder), or of the parts of a split one":
    "逐字节检查离线包（.tar 或解包后的文件夹），或拆分后的各个分卷",
  "minisign's public key, or a file with it: the bundle must be signed with it (repeatable)":
    "minisign 公钥，或含有它的文件：离线包必须有它的签名（可重复）",
  "Show what is in a bundle, for whom, and where each file came from":
    "显示离线包的内容、面向哪些节点，以及每个文件的来源",
  "every file with its mode, owner, digest and origin": "每个文件及其权限、属主、摘要和来源",
  "one node's files": "某一个节点的文件",
  "its software bill of materials on stdout, JSON: CycloneDX 1.6, SPDX 2.3":
    "把软件物料清单以 JSON 写到标准输出：CycloneDX 1.6、SPDX 2.3",
  "one page for the people who sign it off: no scripts, good on paper": "给审批人员的单个页面：不含脚本，适合打印",
  "of the page: what changes against this one, which is installed today":
    "用于该页面：与这个（目前已安装的）离线包相比的变化",
  "of the page: minisign's public key that must have signed it (repeatable)":
    "用于该页面：必须有其签名的 minisign 公钥（可重复）",
  "List every certificate with its subject, names, node, and days left": "列出每张证书及其主体、名称、节点和剩余天数",
  "Show what changes from one bundle to another": "显示从一个离线包到另一个的变化",
  "Cut a bundle into parts for small media, each with a digest of its own":
    "把离线包拆成适合小容量介质的分卷，每个分卷有自己的摘要",
  "of a part at most: 4000000000, 4GB, 700MiB": "每个分卷的最大容量：4000000000、4GB、700MiB",
  "where the parts go": "分卷的存放位置",
  "Put parts together again, a delta and its base, or an OCI layout; names the part that is bad":
    "合并分卷、增量与其基准，或 OCI 布局；会点名损坏的分卷",
  "the bundle": "离线包",
  "overwrite the file of -o": "覆盖 -o 指定的文件",
  "the parts are one delta, made by `build --base` of this bundle":
    "这些分卷是一个增量，由 `build --base` 以该离线包为基准生成",
  "From a bastion inside the gap: carry each host by ssh the parts that it lacks, and run ./install there":
    "在隔离网络内的堡垒机上运行：通过 SSH 把每台主机缺少的部分送过去，并在那里运行 ./install",
  "which hosts, how ssh reaches them, and as whom": "有哪些主机，SSH 如何到达，以哪个用户登录",
  "then run ./install on each: etcd and masters one by one, then workers":
    "随后在每台主机上运行 ./install：etcd 和 master 逐台，然后是 worker",
  "then run ./install upgrade on each, in the same order": "随后按同样的顺序在每台主机上运行 ./install upgrade",
  "carry nothing, and run ./install audit on each": "不传送任何内容，在每台主机上运行 ./install audit",
  "this host of the file alone (repeatable)": "只处理文件中的这台主机（可重复）",
  "hosts to carry to, and workers to change, at a time": "同时传送的主机数，以及同时改变的 worker 数",
  "after a worker on which ./install failed, go on with the others": "某个 worker 上 ./install 失败后，继续处理其余的",
  "connect and look: what each host lacks, and what ./install would do; changes nothing":
    "只连接并查看：每台主机缺少什么，./install 会做什么；不改变任何东西",
  "minisign's public key, or a file with it: the bundle must be signed with it, here and on each host (repeatable)":
    "minisign 公钥，或含有它的文件：离线包必须有它的签名，在这里和每台主机上都检查（可重复）",
  "Inside the gap: push the bundle's images into a registry, only what it lacks":
    "在隔离网络内：把离线包中的镜像推送到镜像仓库，只发送它缺少的",
  "[http://]HOST[:PORT][/PREFIX]; https where it does not say otherwise":
    "[http://]HOST[:PORT][/PREFIX]；不写协议时使用 https",
  "who may push: one line user:password, mode 0600 (default: ~/.netrc)":
    "谁可以推送：一行 user:password，权限 0600（默认：~/.netrc）",
  "the store, which keeps the images that were taken out (default: ~/.cache/kubeferry)":
    "缓存目录，取出的镜像保留在其中（默认：~/.cache/kubeferry）",
  "ask what the registry lacks, and send nothing": "询问仓库缺少什么，不发送任何内容",
  "Inside the gap: serve the bundle's images as a read-only registry, until it is stopped":
    "在隔离网络内：以只读镜像仓库的形式提供离线包中的镜像，直到被停止",
  "where: 10.64.0.2:5000, 0.0.0.0:5000": "监听地址：10.64.0.2:5000、0.0.0.0:5000",
  "PEM, the server's certificate and what it was signed with": "PEM 格式，服务器证书及其签发者的证书",
  "PEM, its private key, mode 0600": "PEM 格式，服务器证书的私钥，权限 0600",
  "without TLS, also on other addresses than loopback: anybody between may change images":
    "不使用 TLS，也在回环以外的地址上提供服务：途中的任何人都可能篡改镜像",
  "A bundle in another form: for Ansible, for OCI registries": "把离线包导出为其他形式：用于 Ansible、用于 OCI 仓库",
  "Inventory, role and playbooks for ansible-playbook, with the bundle's verified parts beside them":
    "供 ansible-playbook 使用的清单、角色和 playbook，旁边是离线包中已校验的各部分",
  "the folder to make": "要生成的文件夹",
  "hosts and logins as for push; without it every node of cluster.yaml at its address":
    "主机与登录方式，格式同 push；不带它则是 cluster.yaml 中每个节点及其地址",
  "An OCI layout that skopeo and oras carry through a registry; `kubeferry join` makes the bundle of it":
    "可由 skopeo 和 oras 经仓库传递的 OCI 布局；用 `kubeferry join` 还原成离线包",
  "Make a key pair that signs bundles, in minisign's own files":
    "生成一对用来签名离线包的密钥，使用 minisign 自己的文件格式",
  "PREFIX.key stays here and signs, PREFIX.pub goes to every node":
    "PREFIX.key 留在本地用来签名，PREFIX.pub 交给每个节点",
  "do not encrypt the secret key: for a machine that signs by itself": "不加密私钥：用于自动签名的机器",
  "Sign a bundle with a secret key of minisign, beside the signatures that it has; minisign itself can check it":
    "用 minisign 私钥签名离线包，已有的签名保留；minisign 本身也能校验",
  "made by `kubeferry keygen` or `minisign -G`; its password is asked for, or taken from KUBEFERRY_PASSWORD":
    "由 `kubeferry keygen` 或 `minisign -G` 生成；口令会询问，或取自 KUBEFERRY_PASSWORD",
  "one line that is signed too, and shown where the signature is checked": "一行同样被签名的文字，检查签名时显示",
  "New keys for nodes whose key was lost or seen; the next build seals their secrets for these":
    "为密钥丢失或泄露的节点生成新密钥；下一次构建会用它们加密机密",
  "only this node's (repeatable)": "只处理这个节点（可重复）",
  "A cluster's CAs and keys: signed by another CA, such as the company's, and rotated":
    "集群的 CA 与密钥：由其他 CA（例如企业 CA）签发，以及轮换",
  "Write a request for each CA that the cluster has not yet; the keys stay in <cluster>.pki":
    "为集群尚未拥有的每个 CA 写出证书请求；私钥留在 <cluster>.pki 中",
  "where the requests go: <ca>.csr each, to be signed as an intermediate CA (CA:TRUE, keyCertSign)":
    "证书请求的存放位置：每个 CA 一个 <ca>.csr，应签发为中间 CA（CA:TRUE、keyCertSign）",
  "of the CAs that pki rotate leads to, in place of the first ones": "针对 pki rotate 将要换到的 CA，而不是最初的",
  "Take signed certificates, or an intermediate CA with its key": "导入已签发的证书，或中间 CA 及其私钥",
  "which CA the files are, with their key; left out: those that were requested":
    "这些文件属于哪个 CA，连同它的私钥；不写则是此前提出请求的那些",
  "Take the next step to another CA or key, or without --step tell where each is":
    "向另一个 CA 或密钥前进一步；不带 --step 时说明各自处于哪一步",
  "trust: both are trusted, the old one signs; reissue: the new one signs; drop: the new one alone":
    "trust：两者都受信任，由旧的签发；reissue：由新的签发；drop：只剩新的",
  "Look after the folder in which everything fetched is kept": "管理存放所有下载内容的缓存目录",
  "every content, its size, and when it was last used": "每项内容、大小和最近使用的时间",
  "hash every content again; exit 5 for one that is not what its name says":
    "重新计算每项内容的哈希；有与名称不符的内容时退出码为 5",
  "take damaged contents away, so that the next build fetches them again": "移走损坏的内容，下一次构建会重新下载",
  "take away what no build has used lately, and what interrupted ones left":
    "清除最近没有构建用到的内容，以及被中断的下载留下的内容",
  "not used for so long": "多久没有使用",
  "What an error code or a check means, and what to do; without a name all are listed":
    "解释错误代码或检查项的含义和处理办法；不带名称则列出全部",
  "Print the completion script of a shell": "打印某种 shell 的补全脚本",
  "Fetched by hand, on another machine:": "在另一台机器上手工下载：",
  "With cluster.yaml each step is held against it, and with -o its bundle is made: cluster-1.24.yaml beside it is what the cluster is to be from 1.24 on. What is there already and unchanged is kept, so the same command goes on where it was cut short:":
    "给出 cluster.yaml 时，每一步都与它核对，带 -o 时还会生成各步的离线包：旁边的 cluster-1.24.yaml 是集群从 1.24 起应有的样子。已有且没有变化的会保留，因此重新运行同一条命令会从中断处继续：",
  "overwrite the file of --html": "覆盖 --html 指定的文件",
};
