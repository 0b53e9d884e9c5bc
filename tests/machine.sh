#!/bin/sh
# Installs the Debian packages that the tests use and this machine lacks, and says so first.
# «machine.sh pictures»: those for make screenshots, too; «machine.sh vm»: those for make test-vm.
set -eu
wanted=""
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || wanted="$wanted $2"; }
need sshd openssh-server
need ssh-keygen openssh-client
need sudo sudo
need nginx nginx-light
need redis-server redis-server
need dockerd docker.io
need debootstrap debootstrap
need tmux tmux
need busybox busybox-static
need mawk mawk
need gawk gawk
need valgrind valgrind
if [ "${1:-}" = pictures ]; then
  need rsvg-convert librsvg2-bin
  need pngquant pngquant
  [ -e /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf ] || wanted="$wanted fonts-dejavu-core"
fi
if [ "${1:-}" = vm ]; then
  need qemu-system-x86_64 qemu-system-x86
  need mke2fs e2fsprogs
fi
[ -n "$wanted" ] || exit 0
echo "Installing on this machine with apt-get:$wanted"
# Packages may not start services here: the tests start their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' > $policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
awk=$(readlink -f "$(command -v awk)") || awk=""
apt-get -q update
DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $wanted
# gawk would be awk from now on: only the tests want it.
case $awk,$wanted in /*,*gawk*) update-alternatives --quiet --set awk "$awk" ;; esac
