# The 32 digits of the IPv6 address $1.
digits() {
  local head=${1%%::*} tail= group before after
  [[ $1 == *::* ]] && tail=${1#*::}
  before=(${head//:/ }) after=(${tail//:/ })
  while ((${#before[@]} + ${#after[@]} < 8)); do before+=(0); done
  for group in "${before[@]}" "${after[@]}"; do printf %04x "0x$group"; done
}
