# Arguments: kubectl's question for a lock. A leader says that it is one every few seconds.
said=$("$@" -o yaml) || exit
holder='[[:space:]"{]holderIdentity"?: ?"?([^",[:space:]]+)' renewed='[[:space:]",{]renewTime"?: ?"?([^",[:space:]]+)'
[[ $said =~ $holder ]] || { echo "nobody leads"; exit 1; }
leader=${BASH_REMATCH[1]}
[[ $said =~ $renewed ]] || { echo "$leader does not say since when"; exit 1; }
age=$(($(date +%s) - $(date -d "${BASH_REMATCH[1]}" +%s)))
((age < 120)) || { echo "$leader led, and has not said so for $age s"; exit 1; }
echo "$leader leads"
