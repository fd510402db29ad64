#!/bin/bash
# Stands in for systemctl and systemd-run: starts what a unit's ExecStart says, and waits until etcd says that it serves.
state=/var/lib/stand-in-systemd

running() { [ -e "$state/$1" ] && kill -0 "$(cat "$state/$1")" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$(cat "$state/$1")/status"; }
launch() { # unit, words…
  local unit=$1; shift
  setsid "$@" </dev/null >>"/tmp/$unit.log" 2>&1 &
  echo $! > "$state/$unit"
}
ready() {
  for _ in $(seq 300); do
    running "$1" || exit 1
    curl -s --max-time 2 http://127.0.0.1:2381/health | grep -q '"health":"true"' && return 0
    sleep 0.2
  done
  exit 1
}

if [ "$(basename "$0")" = systemd-run ]; then
  while [ "$1" != -- ]; do case $1 in --unit=*) unit=${1#--unit=};; esac; shift; done
  shift
  launch "$unit" "$@"
  ready "$unit"
  exit 0
fi

verb=$1; shift
block=yes; [ "$1" = --no-block ] && { block=no; shift; }
unit=$1
case $verb in
  daemon-reload|reset-failed) ;;
  is-active) if running "$unit"; then echo active; else echo inactive; exit 3; fi ;;
  show) running "$2" || printf 'SubState=failed\nResult=exit-code\n' ;;
  stop)
    running "$unit" && { pid=$(cat "$state/$unit"); kill "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done; }
    rm -f "$state/$unit" ;;
  start|restart)
    running "$unit" && exit 0
    line=$(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "/etc/systemd/system/$unit" | sed -n 's/^ExecStart=//p')
    read -ra words <<<"$line"
    launch "$unit" "${words[@]}"
    [ $block = no ] || ready "$unit" ;;
esac
exit 0
