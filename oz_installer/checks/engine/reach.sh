# Resolve and try addresses; it runs on the node and, by the node's own programs, in the test container.
# Arguments: the side, then four per address: key, host, port (- for none), and what to send as one large
# packet (postgres, redis, or -). Each prints «SIDE KEY ADDRESS SOURCE STATUS OUTPUT»; - stands for nothing.
side=$1
shift

# One write of more than two full packets: PostgreSQL's request for TLS, or Redis' ping, both with padding. It has
# arrived when the kernel keeps none of it for sending again.
connect='exec 3<>"/dev/tcp/$0/$1" && printf "open " || exit 1
case $2 in
  postgres) large="\0\0\17\240\4\322\26\57%3992s" ;;
  redis) large="PING%3994s\r\n" ;;
  *) exit 0 ;;
esac
socket=$(readlink /proc/self/fd/3) socket=${socket#*[} socket=${socket%]}
[ -n "$socket" ] && [ -r /proc/net/tcp ] || exit 0
printf "$large" "" >&3
while [ -n "$socket" ]; do
  left=$(awk -v socket="$socket" "\$10 == socket { print substr(\$5, 1, 8) }" /proc/net/tcp) || exit 0
  case $left in "" | 00000000) printf full; exit 0 ;; esac
  sleep 0.1
done'

address_of() {
  command -v getent > /dev/null || { echo "$1"; return; }
  timeout 3 getent ahostsv4 "$1" || [ $? = 124 ] || timeout 3 getent ahosts "$1"
}

try() {
  found=$(address_of "$2") found=${found%%[!0-9A-Fa-f.:]*} source=dns
  [ "$side" != node ] || ! awk -v name="$2" '{ sub(/#.*/, ""); for (i = 2; i <= NF; i++) if ($i == name) hit = 1 }
    END { exit !hit }' /etc/hosts || source=file
  output= status=-
  if [ "$3" != - ] && [ "$side" != watch ]; then
    output=$(timeout 3 bash -c "$connect" "$2" "$3" "$4" 2>&1 < /dev/null)
    status=$?
  fi
  printf '%s\n' "$side $1 ${found:--} $source $status $(printf '%s' "$output" | tr '\r\n' '  ')"
}

while [ $# -gt 3 ]; do
  if [ "$side" != inside ] || [ "$3" != - ]; then try "$1" "$2" "$3" "$4" & fi
  shift 4
done
wait
[ "$side" = inside ] || exit 0
echo "inside-mtu $(cat /sys/class/net/eth0/mtu)"
echo "inside-boot $(cat /proc/sys/kernel/random/boot_id)"
exit 7
