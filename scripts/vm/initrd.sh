#!/bin/busybox sh
# /init of the guest: loads the few modules that the root disk needs and goes over to it.
# The distribution's own initramfs would do the same in three times the time under emulation.
mount() { /bin/busybox mount "$@"; }
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do /bin/busybox insmod "/modules/$module"; done </modules/list
# The order of disks is not fixed: the root disk is the one with that serial number.
disk=
while [ -z "$disk" ]; do
  for folder in /sys/block/vd*; do
    [ "$(/bin/busybox cat "$folder/serial" 2>/dev/null)" = root ] && disk=${folder##*/}
  done
  [ -z "$disk" ] && /bin/busybox sleep 0.02
done
mount -t ext4 "/dev/$disk" /root
mount --move /dev /root/dev
/bin/busybox umount /sys /proc
exec /bin/busybox switch_root /root /sbin/init
