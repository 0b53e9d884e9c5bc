# A test container on a network like that of Compose, and what it reaches; nothing of it stays behind.
# Arguments: engine, name, the project's network, the subnet of the answers (- for none), the option for an MTU,
# the MTU of the answers (- for none), the seconds that the engine gets for a command, the media folder, a
# container that has it and its path there (- for none; all in one word, with spaces), the scripts pools.awk and
# reach.sh, then the addresses for reach.sh.
# stdin: an image with a program per machine type.
engine=$1 name=$2 network=$3 subnet=${4#-} option=$5 mtu=${6#-} seconds=$7 media=$8 pools=$9
shift 9
reach=$1
shift
label=oz-install.check image= made= nl='
'
ask() { timeout "$seconds" "$engine" "$@"; }
clean() {
  ask rm -f "$name" > /dev/null 2>&1
  [ -z "$made" ] || ask network rm "$name" > /dev/null 2>&1 &
  [ -z "$image" ] || ask rmi -f "$image" > /dev/null 2>&1 &
  wait
}
trap clean EXIT
trap 'exit 1' HUP INT TERM
trap '' PIPE

# What a killed check left is removed by the next one after an hour.
prune() {
  for what in container network image; do
    ask "$what" prune --force --filter "label=$label" --filter until=1h > /dev/null 2>&1
  done
}
facts() {
  case $engine in
    podman)
      echo "pool 10.89.0.0/16 24"
      echo "pool 10.90.0.0/15 24"
      ask info --format 'rootless {{.Host.Security.Rootless}}
remote {{.Host.ServiceIsRemote}}' ;;
    *)
      ask context inspect --format 'endpoint {{.Endpoints.docker.Host}}'
      ask info --format '{{range .DefaultAddressPools}}pool {{.Base}} {{.Size}}
{{end}}security {{.SecurityOptions}}' ;;
  esac
}
networks() {
  case $engine in podman) form='{{.Name}}{{range .Subnets}} {{.Subnet}}{{end}}' ;;
    *) form='{{.Name}}{{range .IPAM.Config}} {{.Subnet}}{{end}}' ;; esac
  ask network inspect --format "net $form" $listed
}
# The address of the workstation or jump host stands in the environment of the login's first process.
peer() {
  at=$$
  for step in 1 2 3 4 5 6 7 8; do
    from=$(tr '\0' '\n' < "/proc/$at/environ" | sed -n 's/^SSH_CONNECTION=\([^ ]*\).*/\1/p')
    [ -z "$from" ] || { echo "watch ssh $from"; return; }
    at=$(awk '/^PPid:/ { print $2 }' "/proc/$at/status")
    [ "${at:-0}" -gt 1 ] || return
  done
}
# The devices of the media folder on the node and in a container, which may have started before the mount.
shared() {
  set -- $media
  [ $# = 3 ] || return
  inside=$(ask exec "$2" stat -c %d "$3") && echo "media $(timeout 5 stat -c %d "$1") $inside"
}
# The last file that sets forwarding; systemd reads them in the order of their names, sysctl.conf after them.
forwarding() {
  files=$(ls -d /usr/lib/sysctl.d/*.conf /run/sysctl.d/*.conf /etc/sysctl.d/*.conf | awk -F / '{ print $NF, $0 }' |
    sort -k 1,1 -s | awk '{ print $2 }'; ls -d /etc/sysctl.conf)
  [ -n "$files" ] || return
  awk '/^[ \t-]*net[.\/]ipv4[.\/](ip_forward|conf[.\/]all[.\/]forwarding)[ \t]*=/ {
      value = $0; sub(/.*=[ \t]*/, "", value); file = FILENAME
    } END { if (file) print "sysctl", value + 0, file }' $files
}

listed=$(timeout 5 "$engine" network ls -q 2> /dev/null) || { echo "engine none"; exit; }
[ -n "$listed" ] || { echo "engine none"; exit; }
exec 3<&0
# Each prints at once: engines write the parts of a template one by one, and lines would mix.
known=$({
  { echo "image $(ask import --change "LABEL $label=1" - <&3 | tail -n 1)"; } &
  { echo "$(facts)"; } &
  { echo "$(networks)"; } &
  peer &
  shared &
  sh -c "$reach" sh watch "$@" &
  awk '$1 == "nameserver" { print "watch dns", $2 }' /etc/resolv.conf
  sed 's/^/route /' /proc/net/route
  wait
} 2> /dev/null)
prune &
image=$(printf '%s\n' "$known" | sed -n 's/^image //p')
[ -n "$image" ] || { echo "status 125"; echo "said the engine cannot import an image"; exit; }
case $known in *"pool "*) ;; *)
  known="$known
pool 172.17.0.0/16 16
pool 172.18.0.0/16 16
pool 172.19.0.0/16 16
pool 172.20.0.0/14 16
pool 172.24.0.0/14 16
pool 172.28.0.0/14 16
pool 192.168.0.0/16 20" ;;
esac
first=
[ "$engine" != podman ] || first=1
plan=$(printf '%s\n' "$known" | awk -v network="$network" -v subnet="$subnet" -v first="$first" "$pools")
printf '%s\n' "$known" | grep -e '^watch ' -e '^security ' -e '^rootless ' -e '^remote ' -e '^endpoint ' -e '^media '
case $nl$known in *"${nl}endpoint unix:"*) ;; *"${nl}endpoint "* | *"${nl}remote true"*) exit ;; esac
printf '%s\n' "$plan"
forwarding 2> /dev/null

create() {
  made=yes
  output=$(ask network create --label "$label=1" ${1:+--subnet "$1"} ${mtu:+--opt "$option=$mtu"} "$name" 2>&1) &&
    return
  echo "refused $(printf '%s' "$output" | tr '\n' ' ')"
  return 1
}
# What listens only now and then, as for the check of the network, must not make a difference: the node tries before
# the container and, where that failed, after it.
sh -c "$reach" sh node "$@" 2> /dev/null &
again() {
  failed=$(printf '%s\n' "$output" | awk '$1 == "inside" && $3 != "-" && $6 != "open" { print $2 }' | tr '\n' ' ')
  [ -n "$failed" ] || return
  left=$#
  while [ "$left" -gt 3 ]; do
    case " $failed " in *" $1 "*) set -- "$@" "$1" "$2" "$3" "$4" ;; esac
    shift 4
    left=$((left - 4))
  done
  sh -c "$reach" sh again "$@" 2> /dev/null
}
case ${plan##*create } in
  existing) on=$network ;;
  none) on= ;;
  auto) create "" && on=$name || on= ;;
  *) create "${plan##*create }" && on=$name || on= ;;
esac
echo "forward $(cat /proc/sys/net/ipv4/ip_forward)"  # the shell's read takes single bytes, which such files refuse
status=
if [ -n "$on" ]; then
  mounts=
  for folder in /bin /lib /lib64 /usr /etc/alternatives; do [ ! -d "$folder" ] || mounts="$mounts -v $folder:$folder:ro"; done
  seconds=$((seconds + 1))  # reach.sh takes up to seven
  output=$(ask run --rm --network "$on" --label "$label=1" --name "$name" $mounts "$image" \
    /bin/sh -c "$reach" sh inside "$@" 2>&1)
  status=$?
  printf '%s\n' "$output" | grep '^inside'
  again "$@"
  [ "$status" = 7 ] || echo "outside $status $(printf '%s' "$output" | grep -v '^inside' | tr '\n' ' ')"
fi
if [ "$status" != 7 ]; then
  output=$(ask run --rm --network none --label "$label=1" --name "$name" "$image" "/$(uname -m)/oz-install-check" 2>&1)
  status=$?
  echo "said $(printf '%s' "$output" | tr '\n' ' ')"
fi
echo "status $status"
echo "uid $(id -u)"
echo "login $(id -un)"
echo "boot $(cat /proc/sys/kernel/random/boot_id)"
echo "ports-from $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)"
[ ! -d /run/systemd/system ] || [ -e "/var/lib/systemd/linger/$(id -un)" ] || echo "linger no"
wait
