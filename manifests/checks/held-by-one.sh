# Arguments: the address, its port, the other masters. A second holder answers nobody who asks it in the name of the
# address: the answer stays with it.
vip=$1 port=$2
(exec 3<>"/dev/tcp/$vip/$port") || { echo "nobody answers at $vip:$port"; exit 1; }
here "$vip" || { echo "held by another master"; exit 0; }
type -P ping >/dev/null || { echo "held here; whether elsewhere too cannot be told without ping"; exit 0; }
for other in "${@:3}"; do
  ping -c 1 -W 1 "$other" >/dev/null 2>&1 || continue
  ping -c 2 -W 1 -I "$vip" "$other" >/dev/null 2>&1 || { echo "held here, and by $other as well"; exit 1; }
done
echo "held here"
