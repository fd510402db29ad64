# Arguments: the DNS server, the cluster's domain, the address that the API's name must have, the type of such records (01: A, 1c: AAAA).
# One question over UDP, asked three times at most: a datagram may be lost, and where the first went before the service's rules
# were there, all that come from its port go the same way. So each has a port of its own.
for label in kubernetes default svc ${2//./ }; do
  printf -v length '\\x%02x' "${#label}"
  name+=$length$label
done
for _ in 1 2 3; do
  exec 3<>"/dev/udp/$1/53" || exit
  # In one datagram, also where a length is that of a new line.
  printf "\x4b\x46\x01\0\0\x01\0\0\0\0\0\0%b\0\0\x$4\0\x01" "$name" | dd bs=512 count=1 iflag=fullblock >&3 2>/dev/null
  answer=$(timeout 3 dd bs=512 count=1 <&3 2>/dev/null | od -An -v -tx1)
  [[ ! $answer ]] || break
done
[[ $answer ]] || { echo "nobody answers at $1"; exit 1; }
