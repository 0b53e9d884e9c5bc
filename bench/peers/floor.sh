#!/usr/bin/env bash
# FLOOR: what OpenSSH alone can do. One master connection a node, one tar, then remote commands; nodes at once.
#   floor.sh fresh   one command a step of the installation, all nodes waiting for each other between steps
#   floor.sh again   one command in all
# Reads BENCH_INVENTORY (name host port user key known_hosts), BENCH_NODES, BENCH_SRC, BENCH_STEPS.
set -u
sockets=$(mktemp -d)
declare -A login
while read -r name host port user key known; do
  case " $BENCH_NODES " in *" $name "*) ;; *) continue ;; esac
  login[$name]="-F none -o BatchMode=yes -o IdentitiesOnly=yes -o UserKnownHostsFile=$known -i $key -p $port \
    -o ControlPath=$sockets/$name $user@$host"
done < "$BENCH_INVENTORY"

leave() { for node in "${!login[@]}"; do ssh -O exit ${login[$node]} 2>/dev/null; done; rm -rf "$sockets"; }
trap leave EXIT

send() {  # NODE: connect, and put the bundle there
  ssh -MNf ${login[$1]} </dev/null &&
  tar -C "$BENCH_SRC/$1" -cf - . |
    ssh ${login[$1]} 'umask 077; mkdir -p /opt/oz/current && exec tar -C /opt/oz/current -xpf - --no-same-owner'
}

does() { ssh ${login[$1]} "$(< "$2")" </dev/null; }  # NODE FILE: run the commands of a file there

again() { send "$1" && does "$1" "$BENCH_STEPS/$1/all.sh"; }

everywhere() {  # COMMAND [STEP]: on all nodes (that have the step) at once; ends when all have ended
  local running=() failed=0 node process
  for node in $BENCH_NODES; do
    if [ $# -eq 1 ]; then "$1" "$node" &
    elif [ -f "$BENCH_STEPS/$node/$2" ]; then "$1" "$node" "$BENCH_STEPS/$node/$2" &
    else continue; fi
    running+=($!)
  done
  for process in "${running[@]}"; do wait "$process" || failed=1; done
  [ $failed = 0 ] || exit 1
}

case $1 in
  again) everywhere again ;;
  fresh)
    everywhere send
    for step in $(cd "$BENCH_STEPS" && ls -- */[0-9]* | sed 's,.*/,,' | sort -u); do everywhere does "$step"; done ;;
esac
