# Behind question.sh: the answer holds the IPv4 address.
IFS=. read -r a b c d <<<"$3"
printf -v wanted ' 00 04 %02x %02x %02x %02x' "$a" "$b" "$c" "$d"
[[ ${answer//$'\n'/} == *"$wanted"* ]] || { echo "kubernetes.default.svc.$2 is not $3 there"; exit 1; }
