# What flannel wrote into file $1: the subnet, also as the numbers of its network and mask, and its MTU.
while IFS== read -r key value; do
  case $key in FLANNEL_SUBNET) subnet=$value ;; FLANNEL_MTU) mtu=$value ;; esac
done <"$1" || exit
[[ $subnet ]] || { echo "$1 names no subnet"; exit 1; }
IFS=./ read -r a b c d bits <<<"$subnet"
mask=$((0xffffffff << 32 - bits & 0xffffffff))
network=$(((a << 24 | b << 16 | c << 8 | d) & mask))
dotted() { echo "$(($1 >> 24 & 255)).$(($1 >> 16 & 255)).$(($1 >> 8 & 255)).$(($1 & 255))"; }
