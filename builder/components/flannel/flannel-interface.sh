# Argument: flannel's file. Is its interface there, with the first address of the subnet, and its MTU?
[[ -d /sys/class/net/flannel.1 ]] || { echo "there is no interface flannel.1"; exit 1; }
has_address "$(dotted $network)" || { echo "flannel.1 has not $(dotted $network), the first of subnet $subnet"; exit 1; }
read -r found </sys/class/net/flannel.1/mtu
[[ $found == "$mtu" ]] || { echo "flannel.1 has MTU $found, flannel wants $mtu"; exit 1; }
