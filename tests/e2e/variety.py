"""The nodes of the tests' lab differ as those of customers do: language, login shell, greeting, hardening."""

from __future__ import annotations

from tests.e2e.site import Site

LANGUAGE, SHELL, HARDENED = "node1", "node2", "node3"
"""The fourth node is plain."""

_LANGUAGE = """
echo 'LANG=ru_RU.UTF-8' > /etc/default/locale
cd /tmp; echo x > sum; sha256sum sum > sums
if LC_ALL=ru_RU.UTF-8 sha256sum -c sums | grep ': OK'; then exit 1; fi
"""
_SHELL = """
for login in ozadmin ozpw; do
  usermod -s /usr/bin/tcsh $login
  printf 'echo "Welcome to node2"\\necho "Authorised users only: "\\n' > /home/$login/.cshrc
done
sed -i '1i echo "Welcome, root"' /root/.bashrc
"""
# CIS benchmark: umask of logins and of sudo, sudo's pty, path and log, redirects and spoofed packets refused.
_HARDENED = """
line='session optional pam_umask.so umask=077 nousergroups'
for service in sshd sudo; do echo "$line" >> /etc/pam.d/$service; done
cat > /etc/sudoers.d/zz-hardened <<'END'
Defaults use_pty
Defaults umask=0077
Defaults umask_override
Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
Defaults logfile="/var/log/sudo.log"
END
chmod 440 /etc/sudoers.d/zz-hardened
visudo -cq
for name in all default; do
  at=net.ipv4.conf.$name
  sysctl -qw $at.send_redirects=0 $at.accept_redirects=0 $at.secure_redirects=0 $at.accept_source_route=0
  sysctl -qw $at.rp_filter=1 $at.log_martians=1
done
sysctl -qw net.ipv4.tcp_syncookies=1 net.ipv4.icmp_echo_ignore_broadcasts=1
"""


def vary(site: Site) -> None:
    """Make the nodes differ."""
    for node, script in ((LANGUAGE, _LANGUAGE), (SHELL, _SHELL), (HARDENED, _HARDENED)):
        site.on(node, f"set -e\n{script}")
