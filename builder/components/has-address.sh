# Is $1 an address of this host?
has_address() {
  local leaf= line
  while read -r line; do
    case $line in
      *"|-- "*) leaf=${line##*|-- } ;;
      *"host LOCAL"*) [[ $leaf == "$1" ]] && return 0 ;;
    esac
  done </proc/net/fib_trie
  return 1
}
