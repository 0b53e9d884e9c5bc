"""Whether the passwords that oz-install made and keeps beside the answers are the ones that are installed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence

from oz_installer.answers.secrets.store import mismatch_text, restore_hint
from oz_installer.checks.base import ShellCheck
from oz_installer.checks.context import CheckContext, CheckedNode, Finding, GeneratedSecrets

Prints = Mapping[str, str]
"""Fingerprints of passwords by slot."""


class SecretsCheck(ShellCheck[Prints]):
    """By the fingerprints that a node has on record. Says nothing where nothing is installed."""

    name = "passwords"
    title = "Passwords"

    def script(self, context: CheckContext, node: CheckedNode) -> str:
        """What the installed generation left; a look has the rights of an installation."""
        del node
        record = shlex.quote(f"{context.install_dir}/current/record.json")
        return f"[ ! -r {record} ] || soon cat {record}"

    def parse(self, text: str) -> Prints:
        """None of a node where nothing is installed, or only what kept none yet."""
        if not text.strip():
            return {}
        record = json.loads(text)
        kept = record.get("secrets") or {} if isinstance(record, dict) else None
        if not isinstance(kept, dict):
            raise ValueError("no record of an installation")
        return {str(slot): str(fingerprint) for slot, fingerprint in kept.items()}

    def judge(self, context: CheckContext, node: CheckedNode, facts: Prints) -> Iterator[Finding]:
        """A password that only the node has on record belongs to what the answers have no more."""
        own = context.own_passwords
        both = [slot for slot in own.fingerprints if slot in facts] if own else []
        if own is None or not both:
            return
        other = [slot for slot in both if own.fingerprints[slot] != facts[slot]]
        if not other:
            yield self.finding(node, "ok", f"those of {own.file.name}")
            return
        yield self.finding(
            node,
            "failure",
            f"{own.file} {_amiss(own, other)}",
            needed="the passwords that are installed",
            why="With different passwords the services cannot log in to each other, "
            "so an installation stops first.",
            hint=f"{restore_hint(context.install_dir)}; or set new ones on purpose: "
            "install with --new-secrets.",
        )


def _amiss(own: GeneratedSecrets, other: Sequence[str]) -> str:
    lacking = [slot for slot in other if slot in own.lacking]
    return mismatch_text(own.is_lost, lacking, [slot for slot in other if slot not in lacking])
