# Runs inside a container of a bare Debian; SUITE is set. What every image of the lab needs.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
cat > /etc/dpkg/dpkg.cfg.d/oz-lab <<'END'
path-exclude /usr/share/doc/*
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/bug/*
force-unsafe-io
END
echo 'Acquire::Languages "none";' > /etc/apt/apt.conf.d/90oz-lab
rm -rf /usr/share/doc /usr/share/man /usr/share/info /usr/share/locale
apt-get update -q

install() {
  apt-get install -q -y --no-install-recommends "$@"
}

tidy() {
  apt-get clean
  rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*.log /var/log/apt /tmp/* /usr/share/doc /usr/share/man
  rm -f /usr/sbin/policy-rc.d
}
