# Arguments: of how many words the command is that prints +NAME for each that is well and -NAME for others; it; wanted names.
said=" $("${@:2:$1}") " || exit
for name in $said; do [[ $name == -* ]] && wrong+=" ${name#-}"; done
for name in "${@:2+$1}"; do [[ $said == *" "[+-]"$name "* ]] || wrong+=" $name (has not joined)"; done
[[ -z $wrong ]] || { echo "not Ready:$wrong"; exit 1; }
