"""A machine on the route to a node, with the credentials for it."""

from __future__ import annotations

from oz_installer.frozen import dataclass
from oz_installer.remote.ssh.config import SshEndpoint
from oz_installer.remote.ssh.login.attempt import Credentials


@dataclass(frozen=True, kw_only=True)
class Hop:
    """A machine on the route with its credentials; ``jump``: a jump host, not the node itself.

    ``behind``: the jump hosts before it, as operators type them."""

    node: str
    endpoint: SshEndpoint
    credentials: Credentials
    host_key: str | None = None
    jump: bool = False
    behind: tuple[str, ...] = ()

    @property
    def known_name(self) -> str:
        """The name in known_hosts: HostKeyAlias as it is, else host and port."""
        from oz_installer.remote.ssh.known_hosts import lookup_name

        return self.endpoint.host_key_alias or lookup_name(self.endpoint.host, self.endpoint.port)
