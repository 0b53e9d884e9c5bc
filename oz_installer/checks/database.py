"""PostgreSQL from every api node: reachable, encrypted as asked, lets us in, and is what Oz needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oz_installer.answers.model import Database
from oz_installer.checks.check import Visit
from oz_installer.checks.model import Finding, Level, Site, Spot
from oz_installer.checks.postgres import Attempt, Door, Server, log_in
from oz_installer.checks.reach import Knock, knock_from_shell
from oz_installer.checks.text import said
from oz_installer.remote.commands import parse_version

_NO_DATABASE = "3D000"
_TOO_MANY = "53300"
_STARTING = "57P03"


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    """How logging in ended; ``knock`` where sshd forbids tunnels. Neither with a bundled database."""

    attempt: Attempt | None = None
    knock: Knock | None = None


class DatabaseCheck(Visit[DatabaseFacts]):
    """One real login a node, with the driver's own errors to tell what is wrong."""

    name = "database"
    title = "Database"

    def spots(self, site: Site) -> tuple[Spot, ...]:
        """What uses the database."""
        return site.api_spots

    def probe(self, site: Site, spot: Spot) -> DatabaseFacts:
        """Log in and ask; where tunnels are forbidden, only whether the port answers."""
        database = site.answers.database
        if database.host is None:
            return DatabaseFacts()
        transport = site.reach(spot.name)
        door = Door(
            host=database.host,
            port=database.port,
            name=database.name,
            user=database.user,
            password=site.secrets["database.password"],
            sslmode=database.sslmode,
        )
        attempt = log_in(transport, door)
        if attempt.ended != "forbidden":
            return DatabaseFacts(attempt=attempt)
        return DatabaseFacts(attempt=attempt, knock=knock_from_shell(transport, database.host, database.port))

    def judge(self, site: Site, spot: Spot, facts: DatabaseFacts) -> Iterator[Finding]:
        """From the outside in: what cannot be told because of another failure is not told."""
        if facts.attempt is None:
            yield self.finding(spot, "ok", "bundled: PostgreSQL comes with the installation")
            return
        database, attempt = site.answers.database, facts.attempt
        place = f"{database.host}:{database.port}"
        if facts.knock is not None:
            yield self._from_shell(spot, facts.knock, place)
            return
        if trouble := self._outside(spot, attempt, database, place):
            yield trouble
            return
        yield self._tls(spot, attempt, database)
        yield self._login(site, spot, attempt, database)
        if attempt.server is not None:
            yield from self._inside(site, spot, attempt.server, database)

    def _from_shell(self, spot: Spot, knock: Knock, place: str) -> Finding:
        if not knock.open:
            return self._unreachable(spot, knock.said, place)
        return self.finding(
            spot,
            "warning",
            f"{place} answers; whether it lets us in could not be tried",
            why="sshd of the node forbids tunnels, and nothing is installed on a node to check it.",
            hint="Allow them (AllowTcpForwarding local), or accept this: the installation logs in itself.",
        )

    def _unreachable(self, spot: Spot, why: str, place: str) -> Finding:
        return self.finding(
            spot,
            "failure",
            f"{place} cannot be reached: {why}",
            needed="a TCP connection from every api node",
            hint="Is the address right as this node sees it, does PostgreSQL listen there "
            "(listen_addresses), and does no firewall stand between?",
        )

    def _outside(self, spot: Spot, attempt: Attempt, database: Database, place: str) -> Finding | None:
        """What ends it before PostgreSQL has said anything of us."""
        if attempt.ended == "unreachable":
            return self._unreachable(spot, attempt.said, place)
        if attempt.ended == "stranger":
            seen = f"what listens at {place} does not speak PostgreSQL" + _because(attempt.said)
            hint = "Is it PostgreSQL's own port (5432), and not that of a pooler or another service?"
            return self.finding(spot, "failure", seen, hint=hint)
        if attempt.ended == "no-tls":
            return self.finding(
                spot,
                "failure",
                f"{place} takes no TLS",
                about="tls",
                subject="Database TLS",
                needed=f"TLS, as sslmode {database.sslmode} asks",
                hint="Switch ssl on in postgresql.conf, or set database.sslmode to prefer or disable.",
            )
        if attempt.ended == "untrusted":
            return self.finding(
                spot,
                "failure",
                f"the certificate of {place} is not trusted: {attempt.said}",
                about="tls",
                subject="Database TLS",
                needed=f"a certificate that sslmode {database.sslmode} accepts",
                hint="Use a certificate of a known authority, or set database.sslmode to require.",
            )
        return None

    def _tls(self, spot: Spot, attempt: Attempt, database: Database) -> Finding:
        place = f"{database.host}:{database.port}"
        unwanted = not attempt.tls and database.sslmode == "prefer"
        return self.finding(
            spot,
            "warning" if unwanted else "ok",
            f"{place} answers, {attempt.tls or 'not encrypted'}",
            about="tls",
            subject="Database TLS",
            needed=f"sslmode {database.sslmode}",
            why="Faces and names travel readable between this node and the database." if unwanted else "",
            hint="Switch ssl on in postgresql.conf, or accept this in a closed network." if unwanted else "",
        )

    def _login(self, site: Site, spot: Spot, attempt: Attempt, database: Database) -> Finding:
        subject, about = "Database login", "login"
        if attempt.server is not None:
            seen = f"{database.user} gets into {database.name}"
            return self.finding(spot, "ok", seen, about=about, subject=subject)
        if attempt.state == _NO_DATABASE:
            return self.finding(
                spot,
                "failure",
                f"there is no database {database.name}",
                about=about,
                subject=subject,
                hint=f"Let the database's administrator run: {_create(site, database)}",
            )
        return self.finding(
            spot, "failure", attempt.said, about=about, subject=subject, hint=_login_hint(attempt, database)
        )

    def _inside(self, site: Site, spot: Spot, server: Server, database: Database) -> Iterator[Finding]:
        yield self._version(site, spot, server)
        yield self._encoding(site, spot, server, database)
        yield self._rights(spot, server, database)
        for extension in site.release.database.extensions:
            yield self._extension(spot, server, database, extension)

    def _version(self, site: Site, spot: Spot, server: Server) -> Finding:
        """The vendor names no oldest version; that which it bundles is known to do."""
        bundled = _bundled_major(site)
        old = bundled is not None and server.number // 10_000 < bundled
        return self.finding(
            spot,
            "warning" if old else "ok",
            f"PostgreSQL {said(server.version)}",
            about="version",
            subject="Database version",
            needed=f"{bundled} or newer (what the vendor bundles)" if bundled else "",
            why="Oz is not known to work with an older one." if old else "",
            hint="Upgrade PostgreSQL, or ask Oz Forensics and accept this." if old else "",
        )

    def _encoding(self, site: Site, spot: Spot, server: Server, database: Database) -> Finding:
        wanted = site.release.database
        same_locale = server.locale.lower().replace("-", "") == wanted.locale.lower().replace("-", "")
        level: Level = "ok"
        why = hint = ""
        if server.encoding != wanted.encoding:
            level, why = "failure", "Texts in other alphabets cannot be stored."
            hint = f"Make the database anew: {_create(site, database)}"
        elif not same_locale:
            level, why = "warning", "Sorting and letter case may differ from what the vendor tests."
            hint = "Make the database anew with that locale, or accept this."
        return self.finding(
            spot,
            level,
            f"{said(server.encoding)}, {said(server.locale)}",
            about="encoding",
            subject="Database encoding",
            needed=f"{wanted.encoding}, {wanted.locale} (the vendor's requirement)",
            why=why,
            hint=hint,
        )

    def _rights(self, spot: Spot, server: Server, database: Database) -> Finding:
        enough = server.superuser or server.may_create_tables
        owned = f"owned by {said(server.owner)}"
        return self.finding(
            spot,
            "ok" if enough else "failure",
            f"{owned}; {database.user} may {'' if enough else 'not '}create tables",
            about="rights",
            subject="Database rights",
            needed=f"owned by {database.user} (the vendor's requirement)",
            hint=""
            if enough
            else "Let the database's administrator run: "
            f"ALTER DATABASE {database.name} OWNER TO {database.user}; "
            f"GRANT CREATE ON SCHEMA public TO {database.user};",
        )

    def _extension(self, spot: Spot, server: Server, database: Database, name: str) -> Finding:
        trusted = name in server.trusted and server.may_create
        level: Level = "ok"
        seen, hint = "is there", ""
        if name not in server.installed:
            if name not in server.available:
                level, seen = "failure", "is not installed on the database server"
                hint = "Install PostgreSQL's contrib package on that server."
            elif server.superuser or trusted:
                seen = "will be created"
            else:
                level, seen = "failure", f"is missing, and {database.user} may not create it"
                hint = f"Let the administrator run in {database.name}: CREATE EXTENSION {name};"
        return self.finding(
            spot,
            level,
            f"{name} {seen}",
            about=name,
            subject="Database extension",
            needed=f"{name} (the vendor's requirement)",
            hint=hint,
        )


def _because(text: str) -> str:
    return f": {text}" if text else ""


def _create(site: Site, database: Database) -> str:
    """The statement that makes the database as the vendor wants it."""
    wanted = site.release.database
    return (
        f"CREATE DATABASE {database.name} OWNER {database.user} TEMPLATE template0 "
        f"ENCODING '{wanted.encoding}' LC_COLLATE '{wanted.locale}' LC_CTYPE '{wanted.locale}';"
    )


def _login_hint(attempt: Attempt, database: Database) -> str:
    if attempt.state == _TOO_MANY:
        return "Raise max_connections of the server, or end what holds its connections."
    if attempt.state == _STARTING:
        return "PostgreSQL is starting or stopping: try again in a minute."
    if attempt.ended == "refused":
        return (
            f"Check the password of {database.user}, and that pg_hba.conf lets this node in "
            f"(host {database.name} {database.user} ADDRESS scram-sha-256)."
        )
    return "Ask the database's administrator; the words are PostgreSQL's own."


def _bundled_major(site: Site) -> int | None:
    """Major version of the PostgreSQL that the release brings, from its image's tag."""
    service = next((one for one in site.release.services if one.part == "database"), None)
    tag = site.release.images[service.image].rpartition(":")[2] if service else ""
    version = parse_version(tag)
    return version[0] if version else None
