/** Error codes of the host and what is changed on it, explained. */
import type { Catalogue } from "../catalogue.ts";

export const hostCodes: Catalogue = {
  "The host is not fit for what was asked. Nothing was changed.": "主机不满足所要求操作的条件。没有做任何改变。",
  "Each finding of severity error is a cause of its own: explain takes its name too.":
    "每个严重程度为 error 的检查结果都是一个原因：explain 也接受它的名称。",
  "Mend what is listed and run it again; --skip-preflight NAME goes past one check, on your own account.":
    "处理列出的问题后重新运行；--skip-preflight NAME 跳过某项检查，后果自负。",
  "Another ./install or kubeferry is at work here.": "另一个 ./install 或 kubeferry 正在这里运行。",
  "A second terminal, a timer, or somebody else on the same host.": "另一个终端、定时器，或同一主机上的其他人。",
  "Wait for the process that is named. A lock whose process has gone is taken over by itself.":
    "等待报错中的进程结束。进程已不存在的锁会自动被接管。",
  "The question was not answered with yes, so nothing was changed.": "没有得到肯定的答复，因此没有做任何改变。",
  "There was no terminal to ask at, or the answer was no.": "没有可供询问的终端，或回答了否。",
  "--dry-run shows every step, --yes does them without a question.":
    "--dry-run 显示每一个步骤，--yes 不经询问直接执行。",
  "The journal in /var/lib/kubeferry, from which undo works, cannot be used.":
    "/var/lib/kubeferry 中供 undo 使用的日志（journal）无法使用。",
  "Others may write there, a line was edited, or another version of Kubeferry wrote it.":
    "其他人可以写入那里、某一行被编辑过，或由另一个版本的 Kubeferry 写成。",
  "Keep a copy of /var/lib/kubeferry before anything else.": "首先保留一份 /var/lib/kubeferry 的副本。",
  "Use the ./install of the version that is named, or the one kept at /var/lib/kubeferry/install.":
    "使用报错中版本的 ./install，或保留在 /var/lib/kubeferry/install 的那一个。",
  "A file system is full, or has no free inodes. What was begun is taken back or can be taken up again.":
    "文件系统已满，或没有空闲的 inode。已开始的操作会被撤回，或可以继续。",
  "Images, logs or snapshots have grown.": "镜像、日志或快照增长了。",
  "df -h; df -i. Undo, rollback and restore work on a full disk as well.":
    "df -h; df -i。磁盘写满时 undo、rollback 和恢复同样可用。",
  "The operating system does not allow it.": "操作系统不允许。",
  "Not root, a read-only or noexec mount, an immutable file, SELinux or AppArmor.":
    "不是 root、只读或 noexec 挂载、文件不可变，SELinux 或 AppArmor。",
  "sudo; findmnt -T PATH; lsattr PATH; dmesg.": "sudo; findmnt -T PATH; lsattr PATH; dmesg。",
  "A disk or stick gives input/output errors.": "磁盘或 U 盘出现输入/输出错误。",
  "Failing hardware, or a stick that was pulled out.": "硬件故障，或 U 盘被拔出。",
  "dmesg says which device. Do not trust what was written to it last.":
    "dmesg 会指出是哪个设备。不要相信最后写入它的内容。",
  "A limit of this machine or session was reached: open files, processes or memory.":
    "达到了本机或本会话的限制：打开的文件数、进程数或内存。",
  "A small ulimit, or a machine with too little memory for it.": "ulimit 过小，或机器的内存不够。",
  "ulimit -a; free -m; raise what the error names and run it again.":
    "ulimit -a; free -m；提高报错中的限制后重新运行。",
  "A step failed, and every step before it was taken back: the host is as it was.":
    "某一步失败，之前的每一步都已撤回：主机恢复了原样。",
  "The error names the step and what it said; a daemon's own last lines are shown.":
    "报错给出该步骤及其输出；对守护进程会显示它自己的最后几行。",
  "Mend the cause and run the same command again.": "处理原因后，重新运行同一条命令。",
  "A step failed, and the host is between two states.": "某一步失败，主机处于两种状态之间。",
  "--no-restore was given, or taking a step back failed as well.": "给出了 --no-restore，或撤回某一步时也失败了。",
  "Run the same command again: it goes on where it stopped. Or ./install undo.":
    "重新运行同一条命令：从中断处继续。或者 ./install undo。",
  "Not everything could be taken back; what is left is listed.": "未能撤回全部；剩下的已列出。",
  "A mount or process that something else holds, a file that was changed since, a failing disk.":
    "挂载或进程仍被占用、文件之后被改动，或磁盘故障。",
  "Free what is listed (fuser -vm PATH) and run ./install undo again: it does only what is missing.":
    "释放列出的内容（fuser -vm PATH），再次运行 ./install undo：它只做剩下的。",
  "The ./install of a host ended without saying why, so nobody knows in what state the host is.":
    "某台主机的 ./install 没有说明原因就结束了，因此不知道主机处于什么状态。",
  "It was killed (memory, a reboot), or its output was cut; what it said last is shown.":
    "它被终止（内存不足、重启），或输出被切断；显示的是它最后的输出。",
  "./install status on the host. Run the same command again: it continues; or ./install undo there.":
    "在该主机上执行 ./install status。重新运行同一条命令：会继续；或在那里执行 ./install undo。",
  "It is installed and runs, but a health check does not pass.": "已安装并在运行，但某项健康检查没有通过。",
  "Another node that is not up yet, a clock, a firewall, a daemon that does not start.":
    "另一个节点尚未启动、时钟、防火墙，或某个守护进程无法启动。",
  "./install status shows every check and what it waits for; journalctl -u UNIT has the daemon's words.":
    "./install status 显示每项检查及其等待的内容；journalctl -u UNIT 有守护进程自己的输出。",
  "Nothing of Kubeferry is installed here.": "这里没有安装 Kubeferry 的任何内容。",
  "Another host, or another tree than --root names.": "这是另一台主机，或不是 --root 所指的目录树。",
  "./install --role ROLES --ip IP; for a tree: --root DIR.": "./install --role ROLES --ip IP；对目录树：--root DIR。",
  "The host is no longer what was installed; each difference is listed.": "主机与安装时不符；每处差异都已列出。",
  "Somebody changed, added or took away files, units or settings; or the host was attacked.":
    "有人改动、添加或移走了文件、单元或设置；或主机受到攻击。",
  "Find out who and why before you mend it; ./install from the same bundle puts it right.":
    "处理之前先查明是谁、为什么；用同一个离线包运行 ./install 即可改正。",
  "It was stopped by Ctrl-C or a signal.": "它被 Ctrl-C 或信号停止。",
  "The operator, or a system that was shut down.": "由操作人员停止，或系统被关机。",
};
