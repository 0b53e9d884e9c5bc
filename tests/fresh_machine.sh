#!/usr/bin/env bash
# The README's two commands on a machine that has never seen any of this: a bare Debian 12 with Python 3.11,
# git and make and nothing else, as a container of its own with its own Docker Engine, made and removed here.
#   tests/fresh_machine.sh [COMMAND ...]      default: "make demo" "make demo" "make test"
# Needs root, a Docker Engine and debootstrap (`make test-fresh` sees to them).
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- "make demo" "make demo" "make test"
name=oz-fresh-$$
image=$name:bare
root=$(mktemp -d /var/tmp/oz-fresh.XXXXXX)
leave() {
  docker rm -f "$name" >/dev/null 2>&1 || true
  docker volume rm "$name" >/dev/null 2>&1 || true
  docker rmi "$image" >/dev/null 2>&1 || true
  rm -rf --one-file-system "$root"
}
trap leave EXIT

echo "Making a bare Debian 12 (python3, git, make) ..."
debootstrap --variant=minbase --include=python3,git,make,ca-certificates bookworm "$root/machine" >"$root/log" 2>&1 ||
  { tail -5 "$root/log"; exit 1; }
# How this machine reaches its package registries is no part of what is proven: the new one has the same.
for file in /etc/apt/sources.list /etc/apt/sources.list.d /etc/pip.conf /etc/xdg/pip /etc/ssl/certs \
  /usr/share/ca-certificates /usr/local/share/ca-certificates /usr/share/keyrings; do
  [ ! -e "$file" ] || { rm -rf "$root/machine$file"; mkdir -p "$root/machine${file%/*}"; cp -aL "$file" "$root/machine$file"; }
done
tar -C "$root/machine" -c . | docker import - "$image" >/dev/null
git clone --quiet --no-local . "$root/clone"

more=()
while IFS='=' read -r key _; do
  case $key in PIP_CERT | PIP_DEFAULT_TIMEOUT | SSL_CERT_FILE | REQUESTS_CA_BUNDLE | *_proxy | *_PROXY) more+=(-e "$key") ;; esac
done < <(env)
if docker run --rm --privileged "$image" true 2>/dev/null; then
  rights=(--privileged)
else  # where the bounding set lacks one
  rights=(--cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined
    --security-opt systempaths=unconfined --device-cgroup-rule 'a *:* rwm')
fi
docker run -d --name "$name" --hostname fresh --init "${rights[@]}" --cgroupns host \
  -v /sys/fs/cgroup:/sys/fs/cgroup:rw -v "$name:/var/lib/docker" -v "$root/clone:/root/oz:rw" \
  "${more[@]}" "$image" sleep infinity >/dev/null
docker exec "$name" git config --global --add safe.directory /root/oz
for command; do
  echo "--- on the fresh machine: $command"
  began=$SECONDS
  docker exec -w /root/oz "$name" bash -c "$command"
  echo "--- $command: done in $((SECONDS - began)) s"
done
