# A node: a server with sshd, its own Docker Engine, Podman, three logins, another login shell and another language.
mkdir -p /usr/share/locale/ru/LC_MESSAGES
printf 'path-include /usr/share/locale/%s\n' 'ru/LC_MESSAGES/*' locale.alias > /etc/dpkg/dpkg.cfg.d/oz-lab-ru
packages="ca-certificates openssh-server docker.io iproute2 iptables nftables nfs-common procps curl
  python3 sudo tcsh locales podman podman-compose netavark aardvark-dns fuse-overlayfs crun runc xz-utils openssl"
case "$SUITE" in
  bookworm) packages="$packages docker-compose" ;;
  *) packages="$packages docker-cli docker-compose" ;;
esac
install $packages
apt-get install -q -y --reinstall coreutils  # with what it says in Russian
localedef -i ru_RU -f UTF-8 ru_RU.UTF-8

useradd --create-home --shell /bin/bash ozadmin
useradd --create-home --shell /bin/bash ozpw
usermod --append --groups docker ozadmin
echo 'ozadmin ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/ozadmin
echo 'ozpw ALL=(ALL:ALL) ALL' > /etc/sudoers.d/ozpw
chmod 440 /etc/sudoers.d/ozadmin /etc/sudoers.d/ozpw

rm -f /etc/ssh/ssh_host_*
: > /etc/machine-id
cat > /etc/ssh/sshd_config.d/oz-lab.conf <<'END'
PermitRootLogin prohibit-password
HostKey /etc/ssh/ssh_host_ed25519_key
HostKey /etc/ssh/ssh_host_ecdsa_key
END

# crun refuses the hybrid cgroups of some machines; runc takes them.
mkdir -p /etc/containers/containers.conf.d
printf '[engine]\nruntime = "runc"\n' > /etc/containers/containers.conf.d/oz-lab.conf

cat > /usr/local/sbin/oz-lab-node <<'END'
#!/bin/bash
# Process of a lab node: host keys, authorised keys, sshd, then the node's own Docker Engine.
# OZ_LAB_KEY: public key that may log in. OZ_LAB_CGROUP: cgroup for the node's containers.
set -eu
mkdir -p /run/sshd
# every server has an id of its own, and keeps it
[ -s /etc/machine-id ] || tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
for type in ed25519 ecdsa; do
  [ -s "/etc/ssh/ssh_host_${type}_key" ] || ssh-keygen -q -t "$type" -N '' -f "/etc/ssh/ssh_host_${type}_key"
done
for user in root ozadmin ozpw; do
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -m 700 -o "$user" -g "$user" "$home/.ssh"
  printf '%s\n' "$OZ_LAB_KEY" > "$home/.ssh/authorized_keys"
  chown "$user:$user" "$home/.ssh/authorized_keys"
  chmod 600 "$home/.ssh/authorized_keys"
done
if [ -s /run/oz-lab/sudo_password ]; then
  printf 'ozpw:%s\n' "$(< /run/oz-lab/sudo_password)" | chpasswd
fi
/usr/sbin/sshd
rm -f /run/docker.pid /run/docker/containerd/containerd.pid
exec dockerd --cgroup-parent="$OZ_LAB_CGROUP" > /var/log/dockerd.log 2>&1
END
chmod 755 /usr/local/sbin/oz-lab-node
tidy
