# Arguments: the API's service, the kernel's table. The kernel's balancer names it in full, and below it whom it leads to.
wanted=$(digits "$1")
while read -r word place _; do
  found=${place//[]:[]/}
  [[ $word == TCP ]] && { [[ $found == "${wanted}01BB" ]] && seen=yes || seen=; }
  [[ $word == "->" && $place == "["* && $seen ]] && { echo "$1:443 is forwarded to $place"; exit 0; }
done <"$2"
echo "$1:443 is not forwarded"
exit 1
