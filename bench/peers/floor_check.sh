#!/usr/bin/env bash
# FLOOR-CHECK: asks first, in one command over one connection: are the files those, and does everything run?
# Only where that is not so a tar follows, with the command that brings it about. Same variables as floor.sh.
set -u
one() {
  local node=$1 host=$2 port=$3 user=$4 key=$5 known=$6
  local login=(-F none -o BatchMode=yes -o IdentitiesOnly=yes -o "UserKnownHostsFile=$known" -i "$key" -p "$port" "$user@$host")
  cd "$BENCH_SRC/$node" || return
  find . -type f -exec sha256sum {} + | ssh "${login[@]}" "cd /opt/oz/current && sha256sum -c --status --strict - && \
    [ \$(docker ps -q --filter label=com.docker.compose.project=oz --filter status=running | wc -l) = $(< "$BENCH_STEPS/$node/count") ]" ||
  tar -cf - . | ssh "${login[@]}" "umask 077; mkdir -p /opt/oz/current && tar -C /opt/oz/current -xpf - --no-same-owner && {
$(< "$BENCH_STEPS/$node/all.sh")
} </dev/null"
}
running=()
while read -r name rest; do
  case " $BENCH_NODES " in *" $name "*) one "$name" $rest </dev/null & running+=($!) ;; esac
done < "$BENCH_INVENTORY"
failed=0
for process in "${running[@]}"; do wait "$process" || failed=1; done
exit $failed
