# Arguments: etcdctl with all endpoints. Versions differ in the columns before the leader's, which is the first of yes or no.
set -o pipefail
"$@" endpoint status | {
  leaders=0 members=0
  while read -r line; do
    [[ $line =~ ,\ (true|false), ]] || continue
    members=$((members + 1))
    [[ ${BASH_REMATCH[1]} == true ]] && leaders=$((leaders + 1))
  done
  ((leaders == 1)) || { echo "$leaders of $members members lead"; exit 1; }
}
