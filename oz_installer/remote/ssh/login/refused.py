"""The errors of a login that failed, with hints."""

from __future__ import annotations

from oz_installer.errors import ConnectError
from oz_installer.remote.ssh.login.attempt import LoginAttempt
from oz_installer.remote.ssh.openssh.unsupported import LOGIN, unused_hint
from oz_installer.text import safe_line

LONGEST_REASON = 600


def login_error(attempt: LoginAttempt, failure: Exception | None, limit: float) -> ConnectError:
    """Return the error for a login that failed; no ``failure``: everything was refused."""
    if failure is None:
        return refused(attempt)
    if isinstance(failure, ConnectError):
        return with_tries(failure, attempt)
    return silent(attempt, limit) if isinstance(failure, TimeoutError) else closed(attempt, failure)


def with_tries(error: ConnectError, attempt: LoginAttempt) -> ConnectError:
    """Add what was tried before to the error of a prompt that cannot be answered."""
    error.hint += unused_hint(attempt.endpoint.unused, ("controlpath",))
    if attempt.tried:
        error.message += f"; tried: {', '.join(attempt.tried)}"
    return error


def silent(attempt: LoginAttempt, limit: float) -> ConnectError:
    """Return the error for a server that stops answering during the login."""
    return ConnectError(
        f"{attempt.endpoint.label} did not answer for {limit:.0f} s during the login; {_tried(attempt)}",
        "Check that the server is not overloaded, and that its name service and PAM modules answer.",
    )


def closed(attempt: LoginAttempt, error: Exception) -> ConnectError:
    """Return the error for a server that closes the connection during the login.

    What PAM says against the account comes as a banner, behind any banner of sshd's own.
    """
    from oz_installer.remote.ssh.refusals import known_refusal

    label, user = attempt.endpoint.label, attempt.endpoint.user
    text = attempt.messages.banner.decode("utf-8", "replace")
    told = f"; it said: {safe_line(text, LONGEST_REASON)}" if text.strip() else ""
    tried = _tried(attempt)
    if known := known_refusal(text, user):
        return ConnectError(f"{label}: {known[0]}{told}; {tried}", known[1])
    kind = "" if isinstance(error, EOFError) else f" ({safe_line(str(error) or type(error).__name__, 120)})"
    hint = "As root there, `journalctl -t sshd -t sshd-session` or /var/log/auth.log gives the reason."
    if attempt.prompts:
        hint = "Answer its prompts sooner: sshd ends a login after LoginGraceTime, usually 120 s. " + hint
    elif attempt.keys > 1:
        hint = (
            "Probably too many keys were tried (MaxAuthTries): set `key_file` of the node, which is tried "
            "first, or IdentityFile with `IdentitiesOnly yes` for it in ~/.ssh/config. " + hint
        )
    return ConnectError(f"{label} closed the connection during the login{kind}{told}; {tried}", hint)


def refused(attempt: LoginAttempt) -> ConnectError:
    """Return the error for a server that refused everything."""
    methods = attempt.methods or ()
    tried = ", ".join(attempt.tried) or "nothing (no key and no password available)"
    offers = f"; the server offers {safe_line(', '.join(methods), 200)}" if any(methods) else ""
    label = attempt.endpoint.label
    head = f"{label} refused the login; tried: {tried}{offers}"
    if attempt.passed:
        head = f"{label} accepted {', '.join(attempt.passed)}, but requires more; tried: {tried}{offers}"
    return ConnectError(head, _hint(attempt, methods) + unused_hint(attempt.endpoint.unused, _about(methods)))


def _about(methods: tuple[str, ...]) -> tuple[str, ...]:
    """Return the unused settings that may be what the operator logs in with."""
    kerberos = any(method.startswith("gssapi") for method in methods)
    return tuple(one for one in LOGIN if one != "gssapiauthentication" or kerberos)


def _hint(attempt: LoginAttempt, methods: tuple[str, ...]) -> str:
    user = attempt.endpoint.user
    if attempt.asked:
        return "Try again with the next code; a clock that is wrong here or there spoils codes by time."
    if "password" in attempt.tried:
        return f"Check the password of {user}, and that sshd allows this user to log in."
    if attempt.passed:
        return "Set `password` of the node, which this server requires as well."
    off = [method for method in ("publickey", "password") if method not in attempt.endpoint.methods]
    if off and "publickey" in methods and not attempt.tried:
        return (
            f"The SSH configuration turns off {' and '.join(off)} for this host: set `key_file` or "
            "`password` of the node, or correct ~/.ssh/config."
        )
    if any(label.startswith("certificate ") for label in attempt.tried):
        return (
            f"Show the certificate with `ssh-keygen -L -f` on it: it must be valid now, name {user} as a "
            "principal, and be signed by a key of TrustedUserCAKeys there."
        )
    if any("encrypted" in label for label in attempt.tried):
        return "Set `key_passphrase` of the node, or load the key into ssh-agent."
    if any("not in ssh-agent" in label for label in attempt.tried):
        return "Load the key into ssh-agent (ssh-add), or set `key_file` of the node to a private key."
    if methods and "publickey" not in methods:
        return "Set `password` of the node: this server accepts no keys."
    if any("(not used:" in label for label in attempt.tried):
        return "Close the key file as shown, then run again."
    return f"Add the public key to ~{user}/.ssh/authorized_keys there, or set `key_file` or `password`."


def _tried(attempt: LoginAttempt) -> str:
    return f"tried: {', '.join(attempt.tried) or 'nothing'}"
