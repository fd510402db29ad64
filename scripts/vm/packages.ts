/** What the virtual machine is made with and made of: names of the distribution's packages. */

/** Needed on this machine to make and run the guest. */
export const hostPackages = [
  "qemu-system-x86",
  "qemu-utils",
  "mmdebstrap",
  "e2fsprogs",
  "util-linux",
  "fdisk",
  "kmod",
  "cpio",
] as const;

/**
 * Inside the guest: a plain server with systemd. None of etcd, containerd, runc, docker and the CNI plugins is
 * here on purpose, because a bundle brings them. The kernel is the small one made for virtual machines.
 */
export const guestPackages = [
  "linux-image-cloud-amd64",
  "systemd",
  "systemd-sysv",
  "udev",
  "dbus",
  "kmod",
  "procps",
  "util-linux",
  "mount",
  "iproute2",
  "iputils-ping",
  "iptables",
  "nftables",
  "apparmor",
  "ca-certificates",
  "curl",
  "openssl",
  "zstd",
  "busybox-static",
  "qemu-guest-agent",
] as const;

/** Units that would only slow the boot or change files while a test compares them. */
export const maskedUnits = [
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "systemd-tmpfiles-clean.timer",
  "systemd-timesyncd.service",
  "systemd-pstore.service",
  "getty@tty1.service",
  "serial-getty@ttyS0.service",
] as const;
