"""The structure of the package: imports without circles, small files and functions, names of one meaning."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import oz_installer

PACKAGE = Path(oz_installer.__file__).parent
LINES, FUNCTION, FOLDER = 300, 40, 22
"""Limits: lines of a file, lines of a function, Python files of a folder."""

TESTS = ("unit", "tui")
"""Folders of tests that follow the rooms, and keep their limit."""

SHARED: Mapping[str, frozenset[str]] = {
    "answers": frozenset({"flow"}),  # the writer's, from the beginning
    "checks": frozenset({"parse", "log_in"}),  # of registry names; of brokers, instead of «talk»
}
"""Names that had several meanings in a room and have one now."""

FORMER: Mapping[str, str] = {
    "answers": """
        Broken Draft Judge JudgedRows Refused Scalar.look SecretStore.keep Typed Working amiss build
        distinct edited flow keep let_go located look moved own resolve restore store_path together
    """,
    "catalog": """
        Door Health Oldest Place Verify build
    """,
    "checks": """
        Answer Attempt Broker BrokerAttempt.said DatabaseFacts.knock Door Gate Ground Held Knock Listed
        Look.shown Looked Means NO_MEANS Names Passage Place Place.patience Registry
        RegistryClient.enter Seen Site Spot Started Survey Term Updater Wall Way as_they_come ask asking
        because beside_the_login blocking broken by_hand clock count enter filled hanging in_order knock
        lacks log_in look means_of number of_iptables of_nft opening parse passing refuse_full
        refused_admin room run said span stopping survey talk unreached unresolved verifier ways
        whole_script
    """,
    "cli": """
        Commands Options guarded to_be_completed
    """,
    "console": """
        Face Fixed Lines Live Shared Tolerant accepting asker carry_out could_not examined face
        interruptible kind_for looked masked opened_by patience refuse rehearse stoppable task_of told
    """,
    "deploy": """
        Aborting Gate.keep Hearing Run.shown alive as_they_are back conclusion counted finished folded
        forget judge last_words look merged own_checks require restore run_checks settle states verified
        warm_up were_started why
    """,
    "formatting": """
        Board Lane clean clock hidden joined told
    """,
    "installation": """
        Blueprint Blueprint.shown Done Lines Looked PureCore.judge RunReport.heard_by Seat Seat.moved
        Seating Survey Tried UndoList WizardCore.keep called carry_out elsewhere examine limited look
        look_at lookers masked open_some opener require shown site_of sum_up survey taking_back
    """,
    "lab": """
        clean
    """,
    "remote": """
        Distribution.said Exchange Lack LivePacketizer LiveTransport SessionSlots Silence Verdict Way
        in_order judge keys_of lacks load log_in resolve save together told
    """,
    "render": """
        Site patience
    """,
    "topology": """
        Placed Probe.asker hanging merged
    """,
    "tui": """
        Asked Asking Breathing Commands Drafting Feed Filing Follower HasDraft Heard Hold InOrder Judged
        Judging Kept Lasting Leaving Lines Mode Note Occupied Opened OrderedApp Owner Passed Push
        QuietBars Report Said Saving Sheet Stage Stash SteadyParts Subject TestedScreen Tidying Told
        Trial Trials Trying Waiting Words advance barred_words carry_out findings_text in_form judge
        look said short_turns worded DraftKeeper.kept_last DraftKeeper.let_go FileController._away
        FileController._gone FileController.heard Jobs.news Notice.words StepScreen.heard StepScreen.say
        StepState.words
    """,
}
"""Classes, functions and methods by room that had more than one meaning, or none, under their old names."""

PRIVATE_WORDS = frozenset({"hear", "heard", "hears", "news", "said", "say", "says", "tell", "tells", "told"})
"""Words of a private vocabulary, which no name of the wizard or of its tests consists of."""


@cache
def modules() -> Mapping[str, ast.Module]:
    """Every module of the package by its dotted name."""
    return {
        _dotted(file): ast.parse(file.read_text(encoding="utf-8")) for file in sorted(PACKAGE.rglob("*.py"))
    }


def _dotted(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(name: str) -> set[str]:
    """The modules of the package that a module imports, within functions and for types, too."""
    found: set[str] = set()
    for node in ast.walk(modules()[name]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            whole = {f"{node.module}.{alias.name}" for alias in node.names} & modules().keys()
            found |= whole if len(whole) == len(node.names) else {node.module, *whole}
    return (found & modules().keys()) - {name}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of modules of which each imports each other, if only by detours."""
    reached = {name: _reachable(name, graph) for name in graph}
    groups = {
        frozenset({name, *(other for other in others if name in reached[other])})
        for name, others in reached.items()
        if name in others
    }
    return sorted(sorted(group) for group in groups)


def _reachable(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    left = list(graph[start])
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left.extend(graph[name])
    return seen


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": {"d"}, "f": {"a"}}
    assert circles(graph) == [["a", "b", "c"], ["d", "e"]]


def test_imports_have_no_circle() -> None:
    """Imports for types count: a circle of them is a circle in the reader's head."""
    assert circles({name: imports(name) for name in modules()}) == []


def test_files_are_short() -> None:
    long = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if len(file.read_text(encoding="utf-8").splitlines()) > LINES
    }
    assert long == set()


def test_functions_are_short() -> None:
    long = {
        f"{file.relative_to(PACKAGE).as_posix()}:{node.name}"
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(modules()[_dotted(file)])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION
    }
    assert long == set()


def test_folders_are_small() -> None:
    tests = Path(__file__).parents[1]
    folders = {file.parent for top in (PACKAGE, *map(tests.joinpath, TESTS)) for file in top.rglob("*.py")}
    counts = {one.as_posix(): len(list(one.glob("*.py"))) for one in folders}
    assert {folder: count for folder, count in counts.items() if count > FOLDER} == {}


@pytest.mark.parametrize("room", FORMER)
def test_former_names_are_gone(room: str) -> None:
    within = f"oz_installer.{room.removesuffix('.py')}"
    names = set(FORMER[room].split()) - SHARED.get(room, frozenset())
    kept = {
        f"{module}: {name}"
        for module, tree in modules().items()
        if f"{module}.".startswith(f"{within}.") and ".standins." not in module
        for name in _defined(tree)
        if name in names
    }
    assert kept == set()


@pytest.mark.parametrize("room", [PACKAGE / "tui", Path(__file__).parents[1] / "tui"], ids=["tui", "tests"])
def test_names_are_no_private_words(room: Path) -> None:
    kept = {
        f"{file.relative_to(room).as_posix()}:{line} {name}"
        for file in sorted(room.rglob("*.py"))
        for line, name in _named(ast.parse(file.read_text(encoding="utf-8")))
        if name.strip("_").lower() in PRIVATE_WORDS
    }
    assert kept == set()


def _named(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield every name that a module gives: functions, classes, arguments, variables, attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.MatchAs(name=str(name)):
                yield node.lineno, name


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{inner.name}"
                elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                    yield f"{node.name}.{inner.target.id}"


def test_no_class_or_type_name_stands_for_two_things() -> None:
    places: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            for name in _type_names(node):
                places.setdefault(name, []).append(str(path.relative_to(PACKAGE)))
    assert len(places) > 300
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def _type_names(node: ast.stmt) -> Iterator[str]:
    """Yield the public class, or the public alias of a type, that a statement makes."""
    if isinstance(node, ast.ClassDef):
        names = [node.name]
    elif isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    else:
        return
    yield from (name for name in names if name[0].isupper() and not name.isupper())
