"""Resolve the secrets that the answers refer to, and generate the others (see ``store.py``)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from oz_installer.answers.local_files import chmod_hint, foreign_owner, resolve_path
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import Section, root
from oz_installer.answers.safe_text import unprintable_character
from oz_installer.answers.secrets.store import SecretStore
from oz_installer.errors import AnswersError, Problem
from oz_installer.frozen import dataclass
from oz_installer.secret import Masker, Secret

LARGEST = 64 * 1024
"""Maximum size of a file with a secret, in bytes."""

Ask = Callable[[str], Secret]
"""Prompts the operator on the terminal for the secret that the label names, without echo."""


class Secrets(Mapping[str, Secret]):
    """Secrets by slot: ``database.password``, ``nodes.api1.password``; their values never print.

    ``made`` are the secrets generated now and stored nowhere yet (``SecretStore.add`` stores them);
    ``generated`` are the slots of these and of the secrets that earlier runs generated.
    """

    def __init__(
        self,
        values: Mapping[str, Secret],
        made: Mapping[str, Secret] | None = None,
        kept: Iterable[str] = (),
    ) -> None:
        self.made: Mapping[str, Secret] = dict(made or {})
        self.generated = (*kept, *self.made)
        self._values = {**values, **self.made}

    def __getitem__(self, slot: str) -> Secret:
        return self._values[slot]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._values)})"

    def of_node(self, name: str, field: str) -> Secret | None:
        """Return a node's ``password``, ``key_passphrase`` or ``become_password``, or None."""
        return self._values.get(f"nodes.{name}.{field}")

    def masker(self) -> Masker:
        """Return a masker that hides every secret in a text."""
        return Masker(tuple(self._values.values()))


@dataclass(frozen=True, kw_only=True)
class SecretReference:
    """A reference to a secret in the answers; references with the same ``label`` share a prompt."""

    slot: str
    key: str
    label: str
    ref: SecretRef


class _Missing(Exception):
    """A secret is not available; the text is ``problem; hint``."""


def references(answers: Answers) -> tuple[SecretReference, ...]:
    """Return every reference to a secret, in file order."""
    found: list[SecretReference] = []
    for section in root().items:
        if not isinstance(section, Section):
            continue
        models = getattr(answers, section.name)
        for index, model in enumerate(models if section.many else (models,)):
            for question in section.questions:
                ref = getattr(model, question.name) if question.kind == "secret" else None
                if ref is None:
                    continue
                prefix = f"{section.key}.{model.name}" if section.many else section.key
                key = f"{section.key}[{index}]" if section.many else section.key
                label = _label(answers, section, question.name, question.label, model)
                found.append(
                    SecretReference(
                        slot=f"{prefix}.{question.name}", key=f"{key}.{question.name}", label=label, ref=ref
                    )
                )
    return tuple(found)


def _label(answers: Answers, section: Section, name: str, label: str, model: object) -> str:
    """Return the label of a prompt; nodes with the same login or key file share one."""
    if not section.many:
        return f"{section.label}: {label.lower()}"
    if name == "key_passphrase":
        return f"{label} of {getattr(model, 'key_file', None) or 'the SSH key'}"
    alike = [
        node.name
        for node in answers.nodes
        if node.user == getattr(model, "user", None) and getattr(node, name) == getattr(model, name)
    ]
    return f"{label} of {getattr(model, 'user', None) or 'your login'} on {', '.join(alike)}"


def resolve_secrets(
    answers: Answers,
    *,
    base: Path,
    ask: Ask | None = None,
    store_path: Path | None = None,
    slots: Iterable[str] = (),
    wanted: Callable[[str], bool] = lambda _: True,
    environ: Mapping[str, str] | None = None,
    place: Callable[[Problem], Problem] = lambda problem: problem,
    also: Sequence[Problem] = (),
) -> Secrets:
    """Fetch all secrets of the answers; read those of ``slots`` from the store or generate them.

    Generated secrets are not written anywhere. ``base`` is the answers file's folder; ``ask`` is None without
    a terminal; ``wanted`` selects slots (a rendering needs no SSH password); ``place``
    (``LoadedAnswers.with_location``) adds file and line to problems. Raises AnswersError with every problem,
    including those in ``also``, which were found elsewhere and have a location already. Prompts come last, if
    there is no other problem.
    """
    needed = [one for one in references(answers) if wanted(one.slot)]
    values, problems = _fetch_all(needed, base, os.environ if environ is None else environ, ask is not None)
    if ask is not None and not problems and not also:
        _prompt([one for one in needed if one.ref.kind == "prompt"], ask, values, problems)
    if problems or also:
        placed = sorted([*also, *map(place, problems)], key=lambda problem: problem.line or 0)
        source = next((problem.source for problem in placed if problem.source), "the answers")
        raise AnswersError(f"{source} cannot be used", problems=placed)
    missing = [slot for slot in slots if slot not in values]
    if not missing:
        return Secrets(values)
    if store_path is None:
        raise AnswersError(
            "generated secrets cannot be stored without an answers file", "save the answers to a file first"
        )
    kept = SecretStore(store_path).read()
    found = {slot: kept[slot] for slot in missing if slot in kept}
    made = {slot: Secret.generate() for slot in missing if slot not in kept}
    return Secrets({**values, **found}, made, found)


def _fetch_all(
    needed: Sequence[SecretReference], base: Path, environ: Mapping[str, str], can_ask: bool
) -> tuple[dict[str, Secret], list[Problem]]:
    """Fetch all secrets that need no prompt; return them with the problems."""
    values: dict[str, Secret] = {}
    problems: list[Problem] = []
    for one in needed:
        try:
            if one.ref.kind != "prompt":
                values[one.slot] = _fetch(one.ref, base, environ)
            elif not can_ask:
                raise _Missing("needs a prompt, but there is no terminal; write {env: NAME} or {file: PATH}")
        except _Missing as missing:
            problems.append(_problem(one.key, str(missing)))
    return values, problems


def _problem(key: str, text: str) -> Problem:
    message, _, hint = text.partition("; ")
    return Problem(key=key, message=message, hint=hint)


def _prompt(
    needed: list[SecretReference], ask: Ask, values: dict[str, Secret], problems: list[Problem]
) -> None:
    typed: dict[str, Secret] = {}
    for one in needed:
        if one.label not in typed:
            typed[one.label] = ask(one.label)
            if problem := _text_problem(typed[one.label].reveal()):
                problems.append(_problem(one.key, f"the typed secret {problem}"))
        values[one.slot] = typed[one.label]


def _text_problem(text: str) -> str | None:
    if not text:
        return "is empty"
    if bad := unprintable_character(text):
        return f"holds the control character {bad}; use one line of printable characters"
    return None


def _fetch(ref: SecretRef, base: Path, environ: Mapping[str, str]) -> Secret:
    if ref.kind == "plain":
        return Secret(ref.where)
    if ref.kind == "env":
        if ref.where not in environ:
            raise _Missing(f"the environment variable {ref.where} is not set; export it before the run")
        text, name = environ[ref.where], f"the environment variable {ref.where}"
    else:
        path = resolve_path(ref.where, base)
        text, name = _secret_file(path), str(path)
    if problem := _text_problem(text):
        raise _Missing(f"{name} {problem}")
    return Secret(text)


def secret_file_problem(ref: SecretRef, base: Path) -> str:
    """Return why the file of a secret cannot be used (``problem; hint``); empty when it can."""
    try:
        _fetch(ref, base, {})
    except _Missing as missing:
        return str(missing)
    return ""


def _secret_file(path: Path) -> str:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _Missing(f"{path} is not a regular file")
            if owner := foreign_owner(status):
                raise _Missing(f"{path} {owner}; make it yours: chown $(id -u) {path}")
            if status.st_mode & (stat.S_IRGRP | stat.S_IROTH):
                raise _Missing(f"{path} can be read by others; {chmod_hint(path)}")
            text = stream.read(LARGEST + 1).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Missing(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise _Missing(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(text) > LARGEST:
        raise _Missing(f"{path} is larger than {LARGEST // 1024} KiB")
    return text.removesuffix("\n").removesuffix("\r")
