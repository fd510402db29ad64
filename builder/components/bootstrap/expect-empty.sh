# Arguments: what it is, and a command that prints the names of those that are not as they should be.
names=$("${@:2}") || exit
[[ -z $names ]] || { echo "$1: $names"; exit 1; }
