"""The documentation: links lead somewhere, named files exist, and every command and option is described."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from oz_installer import errors
from oz_installer.catalog.release import load_release, releases
from oz_installer.checks.all_checks import CHECKS
from oz_installer.checks.context import Finding, Remedy
from oz_installer.cli.main import oz_install
from oz_installer.console.output.json_documents import plan_json, summary_json
from oz_installer.deploy.plan import Plan, TargetPlan
from oz_installer.topology.summary import Summary
from tests.unit.test_english import BANNED

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "bench" / "RESULTS.md",
    *sorted(DOCS.glob("*.md")),
)
README_LINES = 100
NAMED = re.compile(r"`((?:oz_installer|templates|tests|docs)/[^`\s]*)`")
NAMED_WITH_NAMES = re.compile(r"`((?:oz_installer|templates|tests|docs)/[^`\s]*)` \(((?:`[\w.]+`(?:, )?)+)\)")
LINK = re.compile(r"\]\(([^()\s]+)\)")
PLACEHOLDER = re.compile(r"(?<![A-Za-z0-9])[A-Z]+(?![A-Za-z0-9])")


def without_code(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def headings(page: Path) -> Iterator[tuple[int, str]]:
    """Level and text of each heading."""
    for line in without_code(page.read_text()).splitlines():
        marks, space, text = line.partition(" ")
        if space and marks and set(marks) == {"#"}:
            yield len(marks), text.strip()


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def broken_links(page: Path) -> Iterator[str]:
    """Relative links of a page that lead to no file, or to no heading of it."""
    for target in LINK.findall(without_code(page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        aim = (page.parent / file) if file else page
        if not aim.exists() or (fragment and fragment not in {anchor(text) for _, text in headings(aim)}):
            yield target


def missing_files(page: Path) -> Iterator[str]:
    """Paths in backticks that do not exist; a word in capitals stands for any name."""
    for name in NAMED.findall(page.read_text()):
        if not any(ROOT.glob(PLACEHOLDER.sub("*", name.rstrip("/")))):
            yield name


def missing_names(page: Path) -> Iterator[str]:
    """Names in brackets behind a path, such as (`CHECKS`), that do not occur in that file."""
    for name, words in NAMED_WITH_NAMES.findall(page.read_text()):
        texts = [file.read_text() for file in ROOT.glob(PLACEHOLDER.sub("*", name)) if file.is_file()]
        for word in re.findall(r"`([\w.]+)`", words):
            if not any(re.search(rf"\b{re.escape(word)}\b", text) for text in texts):
                yield f"{name}: {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_named_files_exist(page: Path) -> None:
    assert not list(broken_links(page))
    assert not list(missing_files(page))
    assert not list(missing_names(page))


def test_what_is_broken_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `title`: of it\n[1](#a-title-of-it) [2](none.md) [3](page.md#none) [4](https://example.com)\n"
        "`oz_installer/none.py` `oz_installer/errors.py` `docs/NAME.md` `tests/unit/NAME/none.py`\n"
        "`oz_installer/errors.py` (`OzError`, `NoSuchError`)\n"
    )
    assert list(broken_links(page)) == ["none.md", "page.md#none"]
    assert list(missing_files(page)) == ["oz_installer/none.py", "tests/unit/NAME/none.py"]
    assert list(missing_names(page)) == ["oz_installer/errors.py: NoSuchError"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_in_plain_english(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", without_code(page.read_text()))
    assert BANNED.findall(text) == []


def test_modules_named_in_the_code_exist() -> None:
    package = ROOT / "oz_installer"
    missing = []
    for file in package.rglob("*.py"):
        for name in re.findall(r"``((?:\w+/)*\w+\.py)``", file.read_text()):
            places = [folder / name for folder in (package, *file.parents[:3])]
            if not any(place.exists() for place in (*places, ROOT / "templates" / f"{name}.j2")):
                missing.append(f"{file.relative_to(ROOT)}: {name}")
    assert missing == []


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    readme = PAGES[0].read_text()
    assert len(readme.splitlines()) <= README_LINES
    assert "make test" in readme
    linked = {target.partition("#")[0] for target in LINK.findall(readme)}
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= linked


def test_the_map_names_every_room() -> None:
    text = (DOCS / "architecture.md").read_text()
    package = ROOT / "oz_installer"
    found = {file.parent for file in package.rglob("*.py") if "standins" not in file.parts} - {package}
    assert {str(one.relative_to(ROOT)) for one in found if f"{one.name}/" not in text} == set()


def test_the_map_names_the_file_of_every_check() -> None:
    text = (DOCS / "architecture.md").read_text()
    files = {check.name: type(check).__module__.split(".")[-2:] for check in CHECKS}
    rows = {
        name: [row for row in text.splitlines() if row.startswith("|") and f"`{name}`" in row]
        for name in files
    }
    missing = [
        name
        for name, (family, module) in files.items()
        if not any(f"`{family}`" in row.split("|")[1] and f" {module}.py" in row for row in rows[name])
    ]
    assert missing == []


def commands(
    group: click.Group, context: click.Context, name: str = "oz-install"
) -> Iterator[tuple[str, click.Command]]:
    """Every command of a group by its full name, those of groups within it too."""
    for part in group.list_commands(context):
        command = group.get_command(context, part)
        assert command is not None
        yield f"{name} {part}", command
        if isinstance(command, click.Group):
            yield from commands(command, click.Context(command, parent=context), f"{name} {part}")


def section(page: Path, heading: str) -> str:
    """The text below a heading, without the sections below it."""
    _, found, rest = page.read_text().partition(f"# {heading}\n")
    assert found, f"{page.name} has no section «{heading}»"
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def test_every_command_and_option_is_described() -> None:
    page = DOCS / "commands.md"
    found = dict(commands(oz_install, click.Context(oz_install)))
    assert {"oz-install plan", "oz-install check", "oz-install lab up"} <= set(found)
    for name, command in {"oz-install --answers FILE": oz_install, **found}.items():
        text = section(page, name)
        options = [option for param in command.params for option in param.opts if option.startswith("-")]
        assert [option for option in options if not re.search(rf"`{option}[` ]", text)] == [], name


def test_every_field_of_plan_and_summary_is_described() -> None:
    text = (DOCS / "json.md").read_text()
    plan = plan_json(Plan(targets=(TargetPlan(target="n"),)))
    names = {*plan, *plan["nodes"][0], *summary_json(Summary())}
    assert {name for name in names if f"`{name}`" not in text} == set()
    findings = {field.name for kind in (Finding, Remedy) for field in fields(kind)}
    assert {name for name in findings if f"`{name}`" not in text} == set()


def test_every_exit_code_is_described() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")]
    text = section(DOCS / "commands.md", "Exit codes")
    assert {f"| {kind.exit_code} |" for kind in kinds if f"| {kind.exit_code} |" not in text} == set()
    assert "| 0 |" in text


def test_every_published_port_is_described() -> None:
    text = section(DOCS / "operations.md", "Network")
    ports = [port for name in releases() for service in load_release(name).services for port in service.ports]
    numbers = {number for port in ports for number in (port.host, port.last) if number}
    assert {number for number in numbers if not re.search(rf"\b{number}\b", text)} == set()


def test_the_minimum_versions_of_engines_are_described() -> None:
    text = section(DOCS / "operations.md", "Nodes")
    versions = [engine for name in releases() for engine in load_release(name).engines.values()]
    wanted = {number for one in versions for number in (one.engine, one.compose)}
    assert {number for number in wanted if number not in text} == set()
