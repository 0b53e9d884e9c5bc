"""Scripts that try the media folder on api nodes; they clean up when their stdin ends."""

from __future__ import annotations

import base64
import gzip
from functools import cache

from oz_installer.checks.engine.tiny_image import tar_of

PREFIX = ".oz-install-check."
HELD_SECONDS = 20
WRITES = 5
MOUNT_SECONDS = 8
NO_ENGINE = "no engine"
HANGS = "hangs"
SILENT = "silent"

# Machine code of a program that exits when its stdin ends, or after 25 seconds: poll(0), exit(7).
_WAITING = {
    "x86_64": (
        62,
        bytes.fromhex("48b8 0000000001000000 50 4889e7 be01000000 baa8610000 b807000000 0f05")
        + bytes.fromhex("bf07000000 b83c000000 0f05"),
    ),
    "aarch64": (
        183,
        bytes.fromhex("ff8300d1 2900c0d2 e90300f9 2a0380d2 ea0b00f9 ff0f00f9 e0030091 210080d2 e2430091")
        + bytes.fromhex("030080d2 040080d2 280980d2 010000d4 e00080d2 a80b80d2 010000d4"),
    ),
}

# Common to both scripts. $1 path or nfs, $2 folder, $3 name of the file, $4 its content, $5 whether to
# measure, $6 user that reads media; for NFS: $7 engine, $8 and $9 the volume's options and device, ${10} the
# program.
# Files and volumes that a killed check left behind are removed by the next check after an hour.
_BEGIN = f"""
kind=$1 folder=$2 name=$3 word=$4 measure=$5 reader=$6 engine=$7 options=$8 device=$9 program=${{10}}
image= volume=oz-install-check-$(date +%s)-${{name##*.}}
nl='
'
made() {{ said=$(timeout {MOUNT_SECONDS} "$@" 2>&1); }}
last() {{ echo "${{said##*"$nl"}}"; }}
leave() {{
  cd /
  exec 8>&-
  [ ! -d "$folder" ] || timeout 5 rm -f "$folder/$name" "$folder/$name.own" "$folder/$name.slow"
  [ "$kind" = nfs ] || return 0
  if [ "$engine" = podman ]; then timeout 5 podman volume unmount "$volume"
  else timeout 5 docker rm -f "$volume"; fi
  timeout 5 "$engine" volume rm -f "$volume"
  [ -z "$image" ] || timeout 5 docker rmi -f "$image"
}}
old() {{
  for one in $(timeout 5 "$engine" volume ls -q --filter label=oz-install.check); do
    born=${{one#oz-install-check-}}; born=${{born%%-*}}
    [ $(($(date +%s) - ${{born:-0}})) -lt 3600 ] || timeout 5 "$engine" volume rm -f "$one"
  done
}}
volume() {{
  made "$engine" volume create --driver local --label oz-install.check=1 --opt type=nfs --opt "o=$options" \\
    --opt "device=$device" "$volume"
}}
mount_it() {{
  if [ "$engine" = podman ]; then
    volume && made podman volume mount "$volume" && folder=$(last)
    return
  fi
  image=$(echo "$program" | base64 -d | timeout {MOUNT_SECONDS} docker import \\
    --change 'LABEL oz-install.check=1' - 2> /dev/null | tail -n 1)
  volume && made docker run --detach --interactive --rm --network none --name "$volume" \\
    --volume "$volume:/media" "$image" "/$(uname -m)/oz-install-check" \\
    && made docker inspect --format '{{{{.State.Pid}}}}' "$volume" && folder=/proc/$(last)/root/media
}}
trap 'leave > /dev/null 2>&1' EXIT
trap 'exit 1' HUP INT TERM
trap '' PIPE  # without a reader the script must still run to its end
if [ "$kind" = nfs ]; then
  folder=
  command -v "$engine" > /dev/null || {{ echo "mount 127 {NO_ENGINE}"; exit; }}
  old > /dev/null 2>&1
  mount_it || {{ echo "mount $? $(echo "$said" | tr '\\n' ' ')"; exit; }}
  echo "mount 0"
  cd "$folder" 2> /dev/null || {{ echo "folder unseen"; exit; }}
  cd /
fi
disk=$(timeout 5 stat -f -c '%S %b %a' "$folder" 2> /dev/null)
case $? in 124 | 143) folder=; echo "folder {HANGS}"; exit ;; esac  # nothing on it may be touched any more
[ -d "$folder" ] || {{ [ -e "$folder" ] && echo "folder file" || echo "folder missing"; exit; }}
file=$folder/$name
timeout 5 find "$folder" -maxdepth 1 -name '{PREFIX}*' -mmin +60 -exec rm -f {{}} + 2> /dev/null
echo "disk $disk"
echo "device $(stat -c %d "$folder" 2> /dev/null) $(stat -c %d / 2> /dev/null)"
try() {{ said=$( (umask 022; printf '%s\\n' "$word" > "$1") 2>&1 ) || {{ echo "denied $said"; exit; }}; }}
as_reader() {{ timeout 5 setpriv "--reuid=$reader" "--regid=$reader" --clear-groups "$@"; }}
measure() {{
  [ -n "$measure" ] || return 0
  for turn in {" ".join(map(str, range(1, WRITES + 1)))}; do
    said=$(timeout 3 dd if=/dev/zero of="$file.slow" bs=4096 count=1 conv=fsync 2>&1) || break
    echo "write$turn $(last)"
  done
  rm -f "$file.slow"
  as_reader true > /dev/null 2>&1 || return 0
  said=$(cd "$folder" && as_reader cat "./$1" 2>&1 > /dev/null)
  echo "reader $? $(last)"
}}
"""
# The file exists and is locked while stdin is open, so it is removed even when the workstation dies.
HOLD = (
    _BEGIN
    + f"""
try "$file"
exec 8>> "$file"
timeout 5 flock -n 8
echo "locked $?"
measure "$name"
echo "folder ok"
echo "held"
timeout {HELD_SECONDS} cat > /dev/null
exec 8>&-
rm -f "$file"
echo "removed"
"""
)
# Waits for a line that says whether the other node holds its file: both mount in the meantime.
READ = (
    _BEGIN
    + f"""
try "$file.own"
measure "$name.own"
rm -f "$file.own"
echo "folder ok"
echo "waiting"
[ "$(timeout {HELD_SECONDS} head -n 1)" = held ] || exit
for turn in 1 2 3 4 5 6; do
  [ -e "$file" ] && break
  sleep 0.3
done
echo "read $(cat "$file" 2>&1)"
if [ -e "$file" ]; then
  ( exec 8>> "$file" && timeout 5 flock -n 8 ) 2> /dev/null
  echo "locks $?"
fi
echo "over"
"""
)


@cache
def program() -> str:
    """Return the waiting program in base64, packed for the engine's ``import``."""
    return base64.b64encode(gzip.compress(tar_of(_WAITING), mtime=0)).decode()
