# Argument: a file.
[[ -s $1 ]] || { echo "there is no $1"; exit 1; }
