"""The preflight of an installation: nothing is changed while a check fails or a warning is not accepted."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from oz_installer.checks.model import Finding
from oz_installer.deploy.saying import counted
from oz_installer.errors import PreflightError
from oz_installer.installation import Prepared
from oz_installer.unattended.checking import examined, findings_json, findings_text, refuse
from oz_installer.unattended.context import Flags
from oz_installer.unattended.streams import is_interactive, write


def preflight(prepared: Prepared, flags: Flags) -> None:
    """Examine everything. Raises PreflightError when something fails, or is only warned of and neither
    accepted nor, on a terminal, about to be asked; Interrupted."""
    if flags.skip_checks:
        return
    found = examined(prepared, flags)
    accepted = prepared.blueprint.answers.accept
    bad = [one for one in found if one.level != "ok" and not one.is_accepted(accepted)]
    if bad and flags.json:
        write(sys.stdout, findings_json(bad, accepted, total=False))
    elif bad:
        write(sys.stderr, findings_text(bad, accepted, of=found))
    refuse(bad)
    if bad and (flags.yes or not is_interactive(sys.stdin)):
        raise _not_accepted(bad)


def _not_accepted(warnings: Sequence[Finding]) -> PreflightError:
    ids = " ".join(f"--accept {name}" for name in dict.fromkeys(_short(one.id) for one in warnings))
    return PreflightError(
        f"{counted(len(warnings), 'warning')} not accepted; nothing was changed",
        f"Mend what is warned of, or accept it: {ids} (or accept: in the answers; with /NODE for one node).",
    )


def _short(name: str) -> str:
    """``host.memory`` of ``host.memory/api1``; an id without a dot needs its node."""
    about = name.partition("/")[0]
    return about if "." in about else name
