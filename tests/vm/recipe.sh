# Runs in the file system of a bare Debian, after the lab's common.sh; SUITE is set. A server with systemd, a
# kernel with NFS, sshd, Docker, and an NFS server that is not started.
install systemd systemd-sysv udev dbus kmod zstd initramfs-tools linux-image-cloud-amd64 openssh-server \
  iproute2 iptables procps python3 docker.io docker-cli docker-compose crun \
  nfs-common nfs-kernel-server chrony

# runc copies itself into memory for every container: 5 s of an emulated processor. crun does it in one.
mkdir -p /etc/docker
runtimes='{"default-runtime": "crun", "runtimes": {"crun": {"path": "/usr/bin/crun"}}}'
echo "$runtimes" > /etc/docker/daemon.json

# An initrd of what these machines have: a processor that is emulated unpacks a small one sooner.
printf 'MODULES=list\nCOMPRESS=zstd\n' > /etc/initramfs-tools/conf.d/oz-vm
printf '%s\n' virtio_pci virtio_blk virtio_net virtio_rng ext4 > /etc/initramfs-tools/modules
update-initramfs -u -k all

printf '/dev/vda / ext4 defaults,noatime 0 1\n' > /etc/fstab
printf '127.0.0.1 localhost\n10.77.0.1 node1\n10.77.0.2 node2\n' > /etc/hosts
printf 'localhost\n' > /etc/hostname
rm -f /etc/machine-id /etc/ssh/ssh_host_* /etc/resolv.conf
: > /etc/machine-id
printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nUseDNS no\n' > /etc/ssh/sshd_config.d/oz-vm.conf

# Clients that a server has forgotten may wait for this long when it comes back; 90 s by default.
mkdir -p /etc/nfs.conf.d /srv/oz
printf '[nfsd]\nlease-time=10\ngrace-time=10\nvers3=n\n' > /etc/nfs.conf.d/oz-vm.conf

# node1 has the time, node2 takes it from there.
mkdir -p /etc/chrony/conf.d
sed -i -e '/^pool /d' -e '/^makestep/d' /etc/chrony/chrony.conf
printf 'makestep 1 -1\nallow 10.77.0.0/24\n' > /etc/chrony/conf.d/oz-vm.conf

cat > /usr/local/sbin/oz-vm <<'END'
#!/bin/sh
# What the kernel's command line says of this machine: its address beside the others, the key that may log in.
# Tells its host key on the console, where nobody else can answer.
set -eu
for word in $(cat /proc/cmdline); do
  case $word in
    oz.address=*) address=${word#*=} ;;
    oz.key=*) key=${word#*=} ;;
  esac
done
ip address add 10.0.2.15/24 dev eth0
ip address add "$address/24" dev eth1
ip link set eth0 up
ip link set eth1 up
ip route add default via 10.0.2.2
install -d -m 700 /root/.ssh
echo "$key" | base64 -d > /root/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
case $address in
  10.77.0.1) echo 'local stratum 8' ;;
  *) echo 'server 10.77.0.1 iburst minpoll 0 maxpoll 2' ;;
esac > /etc/chrony/conf.d/oz-vm-role.conf
print=$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2)
echo "oz-vm key $print oz-vm" > /dev/console
END
chmod 755 /usr/local/sbin/oz-vm
cat > /etc/systemd/system/oz-vm.service <<'END'
[Unit]
Description=What the command line says of this machine
Before=network.target ssh.service docker.service chrony.service nfs-server.service
Wants=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/oz-vm
[Install]
WantedBy=multi-user.target
END
systemctl enable oz-vm.service
systemctl disable nfs-server.service
systemctl mask serial-getty@ttyS0.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer
tidy
