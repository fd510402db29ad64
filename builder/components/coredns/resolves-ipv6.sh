# Behind question.sh and ipv6-digits.sh: the answer holds the IPv6 address.
[[ ${answer//[$'\n' ]/} == *"0010$(digits "$3")"* ]] || { echo "kubernetes.default.svc.$2 is not $3 there"; exit 1; }
