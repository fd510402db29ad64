/** What each check of preflight, upgrade, audit and smoke test looks at: what `explain NAME` prints and docs/errors.md lists. */
import type { Explanation } from "./explanation.ts";

const one = (meaning: string, cause: string, ...remedies: string[]): Explanation => ({
  meaning,
  causes: [cause],
  remedies,
});

/** By the name that findings have and `--skip-preflight` takes. A health check of a bundle is named by its component instead. */
export const checkExplanations: Readonly<Record<string, Explanation>> = {
  // Preflight: the host
  root: one("Only root can change this host.", "Another user called ./install.", "sudo ./install …"),
  systemd: one(
    "systemd runs this host.",
    "A container, a rescue system or another init.",
    "Install into a tree instead: ./install … --root DIR.",
  ),
  "kernel-version": one(
    "The kernel is new enough for this Kubernetes, its runtime and kube-proxy's mode.",
    "An old kernel, or one too new for an old runc.",
    "Boot a kernel in the range that is shown.",
  ),
  cgroup: one(
    "The cgroup version and controllers are those that this kubelet takes.",
    "cgroup v1 below Kubernetes 1.35 and later, v2 below 1.18 and older, or controllers that are disabled at boot.",
    "Set systemd.unified_cgroup_hierarchy= and cgroup_enable= on the kernel's command line, and boot.",
  ),
  memory: one(
    "The host has the memory that its roles need.",
    "A machine that is too small.",
    "Give it more, or fewer roles.",
  ),
  cpus: one("A master has two processors.", "A machine that is too small.", "Give it two, or fewer roles."),
  hostname: one(
    "The host has a name of its own.",
    "localhost, or a name that is none in DNS.",
    "hostnamectl set-hostname NAME, or hostname: true under host: in cluster.yaml.",
  ),
  "time-sync": one(
    "Something keeps the clock right: nodes whose clocks differ refuse each other's certificates.",
    "No time daemon, or one that has not reached its servers yet.",
    "timeSync: [SERVER] under host: in cluster.yaml; timedatectl shows what there is.",
  ),
  programs: one(
    "Programs that daemons call are on the host or in the bundle.",
    "A minimal installation of the distribution.",
    "Name their packages under packages: in cluster.yaml, or install them from the system's own media.",
  ),
  // Preflight: what was here before
  cluster: one(
    "The host belongs to no other cluster of Kubeferry.",
    "A bundle of another cluster.",
    "./install undo first.",
  ),
  "existing-cluster": one(
    "No other tool has installed Kubernetes here.",
    "kubeadm, k3s, rke2 or k0s was here before.",
    "Take it away with the tool that made it.",
  ),
  "foreign-runtime": one(
    "No container runtime of the host's own runs.",
    "The distribution's docker or containerd.",
    "Stop it if nothing needs it. One with the same unit name is replaced until undo.",
  ),
  "etcd-data": one(
    "etcd starts from an empty directory, or from its own earlier data.",
    "Data of another cluster or member.",
    "Move the directory aside: mv DIR DIR.before.",
  ),
  // Preflight: the bundle on this day and host
  "bundle-age": one(
    "The software in the bundle is not older than 180 days.",
    "An old bundle.",
    "kubeferry lock --update, then build.",
  ),
  clock: one("The clock is not before the certificates were made.", "A wrong clock.", "timedatectl set-time …"),
  "certificate-life": one(
    "No certificate has expired or expires within 30 days.",
    "An old bundle, or a wrong clock.",
    "Build again with newer certificates; or ./install renew on a master.",
  ),
  "certificate-address": one(
    "Certificates that name addresses name this node's.",
    "--ip has another address than cluster.yaml.",
    "Correct the node's ip in cluster.yaml and build again.",
  ),
  distribution: one(
    "The bundle's packages are of this host's distribution and release.",
    "A host with another one.",
    "Name it under packages: in cluster.yaml and build again.",
  ),
  // Preflight: network
  address: one(
    "The host has the node's address, on the interface that was named.",
    "A typing error, or an interface that is down.",
    "ip address; give --ip and --iface as they are.",
  ),
  networks: one(
    "No address of the host, its routes or name servers is in the networks of pods and services.",
    "Networks of the cluster that the site uses already.",
    "Choose others: network.pods and network.services in cluster.yaml.",
  ),
  ports: one(
    "Ports of the node's daemons are free or ours.",
    "Another program listens there.",
    "ss -lnp | grep ':PORT '",
  ),
  firewall: one(
    "The host's firewall lets the nodes' ports pass.",
    "firewalld, ufw or nftables drops, and cluster.yaml keeps it.",
    "firewall: open-ports under host: in cluster.yaml, or open the ports that are listed.",
  ),
  // Preflight: kernel
  "kernel-modules": one(
    "The kernel has the modules that are needed.",
    "A kernel that was updated and not booted yet, or a minimal one.",
    "modinfo NAME; uname -r; reboot.",
  ),
  sysctl: one(
    "The kernel has the keys that are set.",
    "A kernel without that feature.",
    "Nothing: such keys are left out.",
  ),
  swap: one(
    "Swap is off, or will be.",
    "cluster.yaml keeps it.",
    "swap: off under host:, or failSwapOn: false for the kubelet.",
  ),
  selinux: one(
    "SELinux allows what is installed, or will.",
    "It is enforcing, and restorecon is missing.",
    "Install policycoreutils, or selinux: permissive under host: in cluster.yaml.",
  ),
  // Preflight: file systems
  "disk-space": one("File systems have room for what is placed.", "A small or full disk.", "df -h"),
  inodes: one("File systems have inodes for what is placed.", "Very many small files.", "df -i"),
  "read-only": one(
    "Targets are not on read-only mounts.",
    "A read-only /usr or /opt.",
    "mount -o remount,rw PLACE, or other directories.",
  ),
  noexec: one(
    "Programs are not placed on noexec mounts.",
    "A hardened mount table.",
    "mount -o remount,exec PLACE, or other directories.",
  ),
  "mount-options": one("Targets can be written and run.", "See read-only and noexec.", "findmnt"),
  "data-directory": one(
    "Data directories are plain directories.",
    "One is a symbolic link.",
    "Nothing if it is meant; backups and undo look at the link's target.",
  ),
  "xfs-ftype": one(
    "Container layers can lie on this XFS.",
    "It was made with ftype=0.",
    "Make the file system anew: mkfs.xfs -n ftype=1.",
  ),
  // Upgrade
  renewed: one(
    "Certificates that were renewed here give way to those of the bundle.",
    "renew was run since the last bundle.",
    "./install renew afterwards, if the bundle's end sooner.",
  ),
  "same-node": one(
    "The host stays the node that it is.",
    "--ip or --name is of another node.",
    "Give those it was installed with; to make it another node: ./install undo first.",
  ),
  "same-keys": {
    meaning: "The bundle has the keys that are installed, or those one step of a rotation away.",
    causes: [
      "It was built without the cluster's .pki folder.",
      "A step of pki rotate was left out on this host.",
      "The kubelet still has a certificate of the CA that goes.",
    ],
    remedies: [
      "Build it beside the .pki folder of the installed bundle.",
      "In a rotation upgrade every host to each step: docs/day-2-rotation.md.",
    ],
  },
  "same-cluster": one(
    "The bundle is of the cluster that the host is a node of.",
    "A wrong stick.",
    "Take the bundle of this cluster.",
  ),
  "one-bundle": one(
    "All roles of the host are upgraded together.",
    "--role names only some of them.",
    "./install upgrade with the roles that are shown.",
  ),
  "older-bundle": one(
    "The bundle is not older than the installed one.",
    "An old stick, or a replay.",
    "kubeferry diff OLD NEW shows what would change.",
  ),
  "older-components": one(
    "No component goes back.",
    "A bundle of another branch of releases.",
    "kubeferry diff OLD NEW shows what would change.",
  ),
  "kubernetes-skew": one(
    "Kubernetes goes forward by at most one minor version.",
    "A minor version is skipped, or the bundle goes back.",
    "kubeferry plan-upgrade lists the steps; ./install rollback takes the last upgrade back.",
  ),
  "etcd-skew": one(
    "etcd goes forward by at most one minor version, and to 3.6 only from 3.5.26 on.",
    "A minor version is skipped, or the bundle goes back; an older 3.5 leaves data of members that 3.6 takes for true.",
    "kubeferry plan-upgrade lists the steps; before 3.6 a bundle of the newest 3.5.",
  ),
  "kubelet-skew": one(
    "The kubelet is not newer than any API server.",
    "Workers are upgraded before the masters, or no API server answers.",
    "Upgrade every master first.",
  ),
  "etcd-members": one(
    "Every member of etcd is healthy before one restarts.",
    "A member is down or cut off.",
    "Bring it back first; the command that asks is shown.",
  ),
  // Audit
  changed: one(
    "Files have the content that was installed.",
    "An edit by hand, a tool, or an attacker.",
    "./install from the same bundle puts it right.",
  ),
  missing: one(
    "What was installed is there.",
    "Somebody took it away.",
    "./install from the same bundle puts it right.",
  ),
  extra: one(
    "Nothing that is not of this installation lies in its folders or runs beside its pods.",
    "A file, static pod or container that somebody added.",
    "Find out whose it is before you take it away.",
  ),
  mode: one(
    "Files have the rights that were installed.",
    "chmod, or a restored backup.",
    "./install from the same bundle puts it right.",
  ),
  owner: one(
    "Files have the owner that was installed.",
    "chown, or a restored backup.",
    "./install from the same bundle puts it right.",
  ),
  running: one(
    "Units run as installed, with the programs that were installed.",
    "A unit was stopped, masked or overridden, or its program was replaced while it ran.",
    "systemctl status UNIT; systemctl cat UNIT.",
  ),
  setting: one(
    "Kernel values, modules, swap and the like are as installed.",
    "Another tool sets them too.",
    "grep for the key in /etc/sysctl.d and /usr/lib/sysctl.d.",
  ),
  certificate: one(
    "Certificates are valid, for this node, and signed by the cluster's CA.",
    "One has expired, or was replaced.",
    "./install renew",
  ),
  signature: one(
    "The chain from the public key to the installed files holds.",
    "The kept bundle or the journal was changed, or the key is another one.",
    "Keep a copy of /var/lib/kubeferry, and ./install from the signed bundle again.",
  ),
  origin: one(
    "Whom the installed bundle is signed by.",
    "No public key was given.",
    "./install audit --public-key KEY",
  ),
  // Status and smoke test
  journal: one(
    "The journal says what was done here and whether it was finished.",
    "An interrupted command.",
    "Run it again, or ./install undo.",
  ),
  pod: one(
    "Pods of the smoke test run and answer.",
    "An image, the network plugin or the scheduler.",
    "kubectl describe pod of the one that is shown.",
  ),
  kubelet: one(
    "Every kubelet lets its pods' logs be read.",
    "A firewall, or certificates.",
    "journalctl -u kubelet on that node.",
  ),
  removal: one(
    "What the smoke test made is gone again.",
    "The API server did not answer.",
    "Delete the namespace that is shown.",
  ),
};
