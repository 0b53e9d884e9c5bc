"""Generate docs/answers.md: ``python -m oz_installer.answers.reference > docs/answers.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from oz_installer.answers.questions import Question, Section, sections
from oz_installer.answers.value_rules import RegexRule
from oz_installer.answers.yaml.writer import flow

_HEAD = """\
# answers.yml

Every question that oz-install asks. This page is generated from the questions by
`python -m oz_installer.answers.reference > docs/answers.md`; do not edit it.

You write answers.yml, and `oz-install --answers answers.yml` reads it. The smallest one:

```yaml
version: 1
scenario: poc
public_url: https://oz.example.com
nodes:
  - name: oz1
    host: 10.0.0.11
```

- A key that is left out, or `null`, takes its default. Unknown keys, anchors, aliases and tags are
  errors.
- Put a text in quotes if YAML would read it as something else: `release: "5.2"`.
- Relative paths start at the folder of the answers file; `~` is your home folder.
- A **secret** is `{env: NAME}` (an environment variable), `{file: PATH}` (the first and only line of a
  file that only you can read), `{prompt: true}` (asked for on the terminal, once for all nodes with the
  same login) or the secret itself in quotes. A file that contains a secret itself must have mode 600
  (`chmod 600`).
- Passwords that you leave out are generated once and kept beside the answers, in `answers.secrets.json`.
- `oz-install schema` prints a JSON Schema. In editors with the YAML language server, this first line uses it:
  `# yaml-language-server: $schema=answers.schema.json`
"""
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true`, `false`",
    "secret": "a secret",
    "path": "a path on this machine",
    "list": "a list of texts",
    "map": "texts by name",
    "settings": "values by name",
}


def reference_markdown() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *(line for section in sections() for line in _section(section))])


def _section(section: Section) -> Iterator[str]:
    if not section.key:
        yield "## Top level\n"
    else:
        kind = "A list with one item per node. " if section.many else ""
        yield f"## {section.key}\n\n{kind}{section.label}: {section.help}\n"
    yield "| Key | Meaning | Default | Values |"
    yield "|---|---|---|---|"
    for question in section.questions:
        cells = (
            f"`{question.name}`",
            f"{question.label}. {question.help}",
            _default(question),
            values_text(question),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _default(question: Question) -> str:
    if question.required:
        return "**required**"
    return "" if question.default is None else f"`{flow(question.default)}`"


def values_text(question: Question) -> str:
    """Describe the valid values of a question, as Markdown."""
    if question.choices:
        listed = ", ".join(f"`{flow(choice)}`" for choice in question.choices)
        return f"a list of {listed}" if question.kind == "list" else listed
    if isinstance(question.rule, RegexRule):
        return question.rule.wanted.replace("; such as", ", such as")
    if question.rule is not None and question.rule.__doc__:
        summary = question.rule.__doc__.partition("\n")[0].rstrip(".").replace("``", "`")
        text = summary[0].lower() + summary[1:]
        return f"{text}; or `false`" if question.off else text
    return _KINDS.get(question.kind, "a text")


if __name__ == "__main__":
    sys.stdout.write(reference_markdown())
