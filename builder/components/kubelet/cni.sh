# Argument: a folder of CNI.
for file in "$1"/*.conf "$1"/*.conflist "$1"/*.json; do [[ -s $file ]] && exit 0; done
echo "no configuration in $1"
exit 1
