# Argument: flannel's file. Numbers of /proc/net/route have their bytes the other way round.
turned() { echo $((16#${1:6:2}${1:4:2}${1:2:2}${1:0:2})); }
while read -r interface destination _ _ _ _ _ own _; do
  [[ $interface == docker0 ]] || continue
  found=$(turned "$destination")
  (($(turned "$own") >= mask && (found & mask) == network)) && exit 0
  said="docker0 is in $(dotted "$found"), flannel's subnet is $subnet"
done </proc/net/route
echo "${said:-docker0 has no network}"
exit 1
