/** Error codes of bytes that are not what was signed, explained. */
import type { Catalogue } from "../catalogue.ts";

export const integrityCodes: Catalogue = {
  "A bundle or one of its files cannot be read at all.": "完全无法读取离线包或其中的某个文件。",
  "A bad sector, a stick that was pulled out, rights that are too narrow.": "坏扇区、U 盘被拔出，或权限过严。",
  "dmesg tells of failing media. Copy the bundle again from where it was built, and compare: sha256sum BUNDLE.tar on both sides.":
    "dmesg 会报告损坏的介质。从构建处重新拷贝离线包，并在两端比较 sha256sum BUNDLE.tar。",
  "Bytes are not those that were signed, locked or published: their SHA-256 differs.":
    "内容与签名、锁定或公布的不符：SHA-256 不同。",
  "A damaged copy, a mirror with another file under the same name, or somebody who changed it.":
    "拷贝损坏、镜像站在同一名称下有另一个文件，或有人改动过。",
  "Copy the bundle again from where it was built, and compare: sha256sum BUNDLE.tar on both sides.":
    "从构建处重新拷贝离线包，并在两端比较 sha256sum BUNDLE.tar。",
  "If the copy is right and the error stays, do not install it: somebody or something has changed the bundle.":
    "如果拷贝无误而错误仍在，请不要安装：离线包已被某人或某物改动。",
  "Something has another length than was signed, locked or announced.": "某项内容的长度与签名、锁定或声明的不同。",
  "A damaged copy, a proxy that alters what it carries, or somebody who changed it.":
    "拷贝损坏、代理改动了传输内容，或有人改动过。",
  "Something ends before its end.": "内容不完整，提前结束。",
  "A full stick, a copy that was broken off, a stick pulled out before it was unmounted.":
    "U 盘已满、拷贝中断，或 U 盘在卸载之前被拔出。",
  "Run sync and unmount a stick before you pull it out.": "拔出 U 盘之前先执行 sync 并卸载。",
  "A bundle lacks a file that it lists.": "离线包缺少它列出的文件。",
  "Not all files of an unpacked bundle were copied, or a split part is missing.":
    "没有拷贝解包后的全部文件，或缺少某个分卷。",
  "A bundle has a file that it does not list.": "离线包中有它没有列出的文件。",
  "Something was written into an unpacked bundle, or somebody added it.":
    "有程序写入了解包后的离线包，或有人添加了文件。",
  "Look at the file, and take it away only if you know what it is; else unpack the bundle again.":
    "查看该文件，确知它是什么才能移走；否则重新解包。",
  "A bundle has one name twice, so programs would not agree on what it holds.":
    "离线包中同一名称出现两次，不同程序对其内容会有不同的理解。",
  "No Kubeferry writes such a bundle.": "Kubeferry 不会写出这样的离线包。",
  "Something in a bundle or archive is a link, device or the like where only files may be.":
    "离线包或归档中只能有文件的地方，出现了链接、设备等。",
  "An unpacked bundle in which files were replaced by links.": "解包后的离线包中，文件被换成了链接。",
  "A hostile archive.": "恶意的归档。",
  "Unpack the bundle again: tar -xf BUNDLE.tar.": "重新解包：tar -xf BUNDLE.tar。",
  "A file of the bundle has other rights than it must have.": "离线包中某个文件的权限与应有的不同。",
  "The bundle lies on FAT or NTFS, was unpacked with another umask, or in a folder that anybody may write.":
    "离线包位于 FAT 或 NTFS 上、以不同的 umask 解包，或位于任何人都可写的目录中。",
  "Unpack it as root in a folder of root's own: tar -xpf BUNDLE.tar -C /root.":
    "以 root 解包到 root 自己的目录：tar -xpf BUNDLE.tar -C /root。",
  "A name in a bundle or archive leads out of the folder that it belongs in.":
    "离线包或归档中的某个名称指向所属目录之外。",
  "A hostile or badly made archive; no Kubeferry writes such a bundle.":
    "恶意或制作不当的归档；Kubeferry 不会写出这样的离线包。",
  "An archive or compressed file is damaged, or is not what its name says.": "归档或压缩文件已损坏，或与其名称不符。",
  "A damaged copy, or a page of a proxy instead of a file.": "拷贝损坏，或得到的是代理的页面而不是文件。",
  "An archive holds more files, or unpacks to more bytes, than any real one.":
    "归档中的文件数，或解包后的字节数，超过任何真实的归档。",
  "A hostile archive, or a lie in its headers.": "恶意的归档，或其头部信息有假。",
  "A file is not of the format that it should be.": "文件的格式与应有的不符。",
  "A damaged copy, or a file of another program.": "拷贝损坏，或是其他程序的文件。",
  "The bundle was built by a newer Kubeferry than this one.": "离线包由比当前更新的 Kubeferry 构建。",
  "An installer or kubeferry from elsewhere was used, and not the one in the bundle.":
    "使用了别处的安装程序或 kubeferry，而不是离线包中的。",
  "Use the ./install that is in the bundle, or a newer kubeferry.": "使用离线包中的 ./install，或更新的 kubeferry。",
  "A program or image is for another processor or operating system.": "程序或镜像用于其他处理器或操作系统。",
  "The bundle was not built for this platform, or a mirror has another file under this name.":
    "离线包不是为这个平台构建的，或镜像站在此名称下有另一个文件。",
  "uname -m here; add the platform to cluster.yaml and build again.":
    "在本机执行 uname -m；把该平台加入 cluster.yaml 后重新构建。",
  "The bundle would lack something that a node needs, so it was not built.":
    "离线包会缺少节点需要的内容，因此没有构建。",
  "An image, program or package that a manifest, unit or check names is in no component of the release.":
    "清单、单元或检查所引用的镜像、程序或软件包，不在发行版的任何组件中。",
  "Add what is listed: images:, packages: or files: in cluster.yaml, or the release.":
    "补上列出的内容：写入 cluster.yaml 的 images:、packages: 或 files:，或写入发行版。",
  "A bundle, or a list that upstream signs, is not signed by enough of the keys that are trusted for it.":
    "离线包或上游签名的列表，受信任密钥的签名数量不足。",
  "It is unsigned, was signed with another key, or was changed after it was signed.":
    "没有签名、用其他密钥签名，或签名后被改动。",
  "Of upstream's list: its key had expired or was revoked, or upstream signs with a new one.":
    "对于上游的列表：它的密钥已过期或被吊销，或者上游改用新密钥签名。",
  "Ask whoever signs for the right bundle or key by another way than the stick.":
    "通过 U 盘以外的途径，向签名者索取正确的离线包或公钥。",
  "Of upstream's list: see what upstream says of its keys; `signers:` of the release manifest names those that count.":
    "对于上游的列表：查看上游对其密钥的说明；以发行版清单的 `signers:` 列出的密钥为准。",
  "What says which keys this host trusts cannot be relied upon.": "规定本机信任哪些密钥的文件不可靠。",
  "A file below /etc/kubeferry/trusted belongs to somebody else than root, or others may write it.":
    "/etc/kubeferry/trusted 下的某个文件不属于 root，或其他人可写。",
  "chown -R root: /etc/kubeferry; chmod -R go-w /etc/kubeferry, once you know who wrote there.":
    "弄清谁写过之后：chown -R root: /etc/kubeferry; chmod -R go-w /etc/kubeferry。",
  "The node's secrets are sealed, and no key was given.": "节点的机密已加密，而没有给出密钥。",
  "The key is carried apart from the bundle, and was not brought, or --key is missing.":
    "密钥与离线包分开传递，没有带来；或没有写 --key。",
  "./install --key NODE.key …, or KUBEFERRY_KEY; the keys lie in CLUSTER.keys on the online side.":
    "./install --key NODE.key …，或用 KUBEFERRY_KEY；密钥位于联网一侧的 CLUSTER.keys 中。",
  "The key that was given does not open this.": "给出的密钥打不开它。",
  "It is another node's, another cluster's, or of the time before rekey.":
    "这是另一个节点、另一个集群的密钥，或是 rekey 之前的密钥。",
  "Take CLUSTER.keys/NODE.key of this very cluster, of the time of this bundle.":
    "使用本集群、与本离线包同期的 CLUSTER.keys/NODE.key。",
  "A node's secrets open, and are not what the bundle says that they are.":
    "节点的机密能够打开，但内容与离线包的记载不符。",
  "A damaged copy, or secrets of another bundle.": "拷贝损坏，或机密属于另一个离线包。",
  "On the online side: kubeferry build, then carry the new bundle.":
    "在联网一侧执行 kubeferry build，再把新的离线包带进来。",
  "Nothing says that the host which answers by ssh is the one that is meant, so nothing was sent to it.":
    "无从确认通过 SSH 应答的主机就是目标主机，因此没有向它发送任何内容。",
  "The host is new, its line in known_hosts is for another name, address or port, or somebody else answers.":
    "主机是新的；known_hosts 中的记录针对其他名称、地址或端口；或应答的是别人。",
  "Compare the fingerprint that is shown with the host's own: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub on its console.":
    "把显示的指纹与主机自己的比较：在其控制台上执行 ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub。",
  "Then add the line: ssh-keyscan HOST >> known_hosts.": "然后添加记录：ssh-keyscan HOST >> known_hosts。",
  "The host which answers by ssh has another key than the one in known_hosts, so nothing was sent to it.":
    "通过 SSH 应答的主机，其密钥与 known_hosts 中的不同，因此没有向它发送任何内容。",
  "The host was set up anew, its address belongs to another one now, or somebody stands in between.":
    "主机重装过、其地址现在属于另一台主机，或有人从中截获。",
  "Find out which. Only then: ssh-keygen -R HOST -f known_hosts, and add the new line.":
    "弄清是哪一种。之后才执行：ssh-keygen -R HOST -f known_hosts，并添加新的记录。",
};
