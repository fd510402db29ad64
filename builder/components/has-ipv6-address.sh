# Is $1 an address of this host?
has_address() {
  local found rest
  while read -r found rest; do
    [[ $found == "$(digits "$1")" ]] && return 0
  done </proc/net/if_inet6
  return 1
}
