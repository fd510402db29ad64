# Arguments: the API's service, the kernel's table. The kernel's balancer names it in hexadecimal, and below it whom it leads to.
IFS=. read -r a b c d <<<"$1"
wanted=$(printf %02X%02X%02X%02X:01BB "$a" "$b" "$c" "$d")
while read -r word place _; do
  [[ $word == TCP ]] && { [[ $place == "$wanted" ]] && seen=yes || seen=; }
  [[ $word == "->" && $place =~ ^[0-9A-F]{8}: && $seen ]] && { echo "$1:443 is forwarded to $place"; exit 0; }
done <"$2"
echo "$1:443 is not forwarded"
exit 1
