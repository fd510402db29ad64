# Arguments: the address, the other masters. A second holder answers nobody who asks it in the name of the address: the
# answer stays with it.
vip=$1
has_address "$vip" || exit 0
type -P ping >/dev/null || { echo "held here; whether elsewhere too cannot be told without ping"; exit 1; }
for other in "${@:2}"; do
  ping -c 1 -W 1 "$other" >/dev/null 2>&1 || continue
  ping -c 2 -W 1 -I "$vip" "$other" >/dev/null 2>&1 || { echo "held here, and by $other as well"; exit 1; }
done
