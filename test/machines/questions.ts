/** What a guest is asked to describe itself, besides its file tree, and which of its answers say nothing. */

/**
 * Commands whose lines are compared: a line's first word is what, the rest is how it is. In the order in which they are
 * asked: firewalls and sockets first, since asking loads their modules, which are then among the modules of every capture.
 */
export const questions: Readonly<Record<string, string>> = {
  socket: "ss -Hlntu | awk '{ print $1 \"_\" $5 }' | sort -u",
  firewall:
    "nft list ruleset 2>&1 | sed -E 's/packets [0-9]+ bytes [0-9]+//' | " +
    'awk \'/^table/ { t = $2 "/" $3; c = ""; n = 0 } /^\\t[a-z]+ [^ ]+ \\{/ { c = $2; n = 0 } { print t "/" c "/" ++n, $0 }\'',
  "legacy iptables": legacyTables("iptables", "ip_tables_names"),
  "legacy ip6tables": legacyTables("ip6tables", "ip6_tables_names"),
  // The kernel lists no sets without a program of its own: a type that is held by more than other modules has sets.
  ipset:
    'awk \'$1 ~ /^ip_set_/ { used = $4 == "-" ? 0 : gsub(/,/, "", $4); if ($3 > used) print $1, $3 - used }\' /proc/modules 2> /dev/null; ' +
    "if command -v ipset > /dev/null; then ipset save | sed 's/ /_/; s/ /_/'; fi",
  ipvs: 'tail -n +4 /proc/net/ip_vs 2> /dev/null | awk \'{ at = $1 == "->" ? at : $1 "/" $2; print at "/" NR, $0 }\'',
  sysctl: "sysctl --all 2>/dev/null | sed 's/ = / /; s/ =$/ /'",
  module: "if [ -e /proc/modules ]; then cut -d' ' -f1 /proc/modules; fi",
  unit: "systemctl list-units --all --full --plain --no-legend | awk '{ print $1, $2, $3, $4 }'",
  "unit file": "systemctl list-unit-files --full --plain --no-legend | awk '{ print $1, $2 }'",
  swap: "awk 'NR > 1 { print $1, $2, $3, $5 }' /proc/swaps",
  // The size of /dev follows from the amount of free memory.
  mount: "awk '{ sub(/,size=[0-9]+k,nr_inodes=[0-9]+/, \"\", $4); print $2, $1, $3, $4 }' /proc/1/mounts",
  fstab: "awk '{ print NR, $0 }' /etc/fstab",
  link: "ip -brief link | awk '{ print $1, $2, $3 }'",
  address: "ip -brief address | awk '{ print $1, $3, $4, $5 }'",
  route:
    'for v in 4 6; do ip -$v route show table all | awk \'{ sub(/ expires [0-9]+sec/, ""); gsub(/ /, "_"); print }\'; done',
  rule: 'for v in 4 6; do ip -$v rule show | awk -v v=$v \'{ gsub(/[ \\t]+/, "_"); print v "_" $0 }\'; done',
  // What has no program of its own is a thread of the kernel, or has ended: asked last, so that what ends while it is
  // described is left out whole. The agent's children are this very question, and in a container what is outside its cgroup.
  process:
    "for p in /proc/[0-9]*; do " +
    "g=$(sed -n 's/^\\(0:\\|1:name=systemd\\)://p' $p/cgroup 2> /dev/null | head -n 1); c=$(cat $p/comm 2> /dev/null); " +
    '[ -e $p/exe ] || continue; case $g in */qemu-guest-agent.service | /..*) ;; *) echo "$g $c" ;; esac; done | ' +
    "sort | uniq -c | awk '{ print $2 \":\" $3, $1 }'",
  cgroup: "find /sys/fs/cgroup -mindepth 1 -type d -printf '%P\\n'",
  user: "getent passwd | tr ' ' '_' | sed 's/:/ /'",
  group: "getent group | tr ' ' '_' | sed 's/:/ /'",
  run: `find /run -xdev \\( ${["blkid", "credentials", "log", "systemd", "udev", "user"].map((name) => `-path /run/${name}`).join(" -o ")} \\) -prune -o -printf '%p %y %m %U:%G %l\\n'`,
  // Whether there is a log, not what it says.
  log: "find /var/log -path '/var/log/journal/*' -prune -o -printf '%p %y %m %U:%G\\n'",
};

function legacyTables(program: string, names: string): string {
  const tables = `cat /proc/net/${names} 2> /dev/null`;
  const rules = `${program}-legacy-save -t $t | sed -E '/^#/d; s/\\[[0-9]+:[0-9]+\\]//'`;
  return `for t in $(${tables}); do ${rules} | awk -v t=$t '{ print t "/" NR " " $0 }'; done`;
}

/** Kernel values that count, are drawn at random, or follow from the amount of free memory. */
const movingSysctls = [
  /^kernel\.random\./,
  // The kernel marks itself after a soft lockup, which an emulated machine may have.
  /^kernel\.(ns_last_pid|pty\.nr|sched_domain|tainted$)/,
  // Those of an interface come and go with it, and links are compared.
  /^net\.(ipv4|ipv6|mpls)\.(conf|neigh)\.(?!(all|default|lo|eth0)\.)/,
  /^fs\.(dentry-state|file-nr|inode-nr|inode-state|quota\.)/,
  /^net\.netfilter\.nf_conntrack_count$/,
  /^(fs\.epoll\.max_user_watches|fs\.fanotify\.max_user_marks|user\.max_fanotify_marks|vm\.user_reserve_kbytes|net\.ipv4\.(tcp|udp)_mem)$/,
];

/** Services that D-Bus starts for a question (timedatectl) and that end after half a minute. */
const asked = "systemd-(timedated|hostnamed|localed)\\.service";

/**
 * Lines that come and go with nobody doing anything, by section. Transient units are of the test's own commands, devices
 * are as udev sees them, mounts of services' credentials as soon as systemd notices them, and network-online.target is a mere
 * mark in the boot that is reached as soon as any unit names it.
 */
const moving: Readonly<Record<string, readonly RegExp[]>> = {
  sysctl: movingSysctls,
  unit: [
    new RegExp(
      `^(run-[ru][0-9a-f]+\\.\\S*|run-credentials-\\S+\\.mount|\\S+\\.device|blockdev@\\S+|${asked}|network-online\\.target)$`,
    ),
  ],
  // udev's workers end when there is nothing to do.
  process: [new RegExp(`^/(system\\.slice/(run-[ru][0-9a-f]+\\.\\S*|systemd-udevd\\.service\\S*|${asked})[/:])`)],
  // Mounts and swap have sections of their own; systemd makes groups for those that it brought about itself.
  cgroup: [new RegExp(`(^|/)(run-[ru][0-9a-f]+\\.\\S*|${asked}|systemd-udevd\\.service/udev|\\S+\\.(swap|mount))$`)],
};

/** Whether a line's first word is of those that say nothing. */
export function isMoving(section: string, what: string): boolean {
  return (moving[section] ?? []).some((pattern) => pattern.test(what));
}
