# Arguments: etcd's API (2 or 3), the key of the subnets, how many words etcdctl is, etcdctl, and the workers' addresses.
key=$2 client=("${@:4:$3}")
if [[ $1 == 2 ]]; then
  for lease in $("${client[@]}" ls "$key"); do leases+=$("${client[@]}" get "$lease"); done
else
  leases=$("${client[@]}" get --prefix --print-value-only "$key/") || exit
fi
for address in "${@:4+$3}"; do [[ $leases == *"\"PublicIP\":\"$address\""* ]] || missing+=" $address"; done
[[ -z $missing ]] || { echo "no subnet for$missing"; exit 1; }
