"""Settings of the OpenSSH configuration that are not used, with a way that works. Pure."""

from __future__ import annotations

from oz_installer.remote.ssh.openssh.query import Settings, first

_OFF = frozenset({"", "no", "none", "false", "any"})
_UNUSED = {
    "controlpath": "ControlPath (set `key_file`, or load the key into ssh-agent)",
    "gssapiauthentication": "GSSAPIAuthentication (Kerberos: set `key_file` or `password`)",
    "hostbasedauthentication": "HostbasedAuthentication (set `key_file` or `password`)",
    "pkcs11provider": "PKCS11Provider (load its keys into ssh-agent: ssh-add -s PROVIDER)",
    "knownhostscommand": "KnownHostsCommand (write the host's key into known_hosts, or set `host_key`)",
    "addressfamily": "AddressFamily (set the address itself as `host`)",
    "bindaddress": "BindAddress (set the route on this machine)",
    "bindinterface": "BindInterface (set the route on this machine)",
}
LOGIN = ("controlpath", "gssapiauthentication", "hostbasedauthentication", "pkcs11provider")
HOST_KEY = ("knownhostscommand",)
ROUTE = ("addressfamily", "bindaddress", "bindinterface")


def unused_settings(settings: Settings) -> tuple[str, ...]:
    """Return the keywords that are set and not used."""
    return tuple(keyword for keyword in _UNUSED if first(settings, keyword).lower() not in _OFF)


def unused_hint(unused: tuple[str, ...], about: tuple[str, ...]) -> str:
    """Return a sentence about those of the unused settings that matter here; empty for none."""
    named = [_UNUSED[keyword] for keyword in unused if keyword in about]
    return f" Not supported from the SSH configuration: {', '.join(named)}." if named else ""
