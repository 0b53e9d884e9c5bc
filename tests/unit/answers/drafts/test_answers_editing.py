"""Other answers in a file that somebody wrote: it says them, and its comments and looks stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oz_installer.answers.drafts.round_trip import update_text
from oz_installer.answers.drafts.working_copy import WorkingCopy
from oz_installer.answers.file import loads, parse_text
from oz_installer.answers.model import Answers, SecretRef
from oz_installer.answers.questions import questions
from oz_installer.answers.yaml.parser import comments
from oz_installer.answers.yaml.writer import as_values, dumps
from tests.unit.answers.answers_strategies import answers
from tests.unit.answers.test_answers_round_trip import SLOW

SOURCE = """\
# yaml-language-server: $schema=answers.schema.json
# Oz of the branch office

# poc is enough for them
scenario: poc   # see ticket 7
public_url: https://oz.example.com

nodes:
  # rack A
  - name: api1      # front
    host: 10.0.0.11
    # as on all our servers
    user: oz
  # rack B
  - {name: bio1, host: 10.0.0.12}   # the BIO
  # rack C is empty

# theirs
database: {host: db, port: 5432, password: {env: DB}}  # main
  # no TLS there
storage:
  type: nfs  # fast
  server: nfs1
  # asked for by Ann
  export: /srv/oz
images:
  # patched
  oz-api: mirror/oz-api:5
# the end
"""


def opened(text: str = SOURCE) -> WorkingCopy:
    return WorkingCopy.of(parse_text(text))


def written(working: WorkingCopy, source: str = SOURCE) -> str:
    return update_text(source, working.values_and_texts())


def changes(working: WorkingCopy) -> list[str]:
    """The lines that are not as in SOURCE: + those that came, - those that went."""
    was, now = SOURCE.splitlines(), written(working).splitlines()
    return [f"-{line}" for line in was if line not in now] + [f"+{line}" for line in now if line not in was]


def test_nothing_changed() -> None:
    assert written(opened()) == SOURCE
    assert written(opened().with_value("engine", "docker")) == SOURCE


def test_one_line_changes_for_one_answer() -> None:
    assert changes(opened().with_value("scenario", "medium")) == [
        "-scenario: poc   # see ticket 7",
        "+scenario: medium  # see ticket 7",
    ]
    assert changes(opened().with_text("nodes[0].name", "web")) == [
        "-  - name: api1      # front",
        "+  - name: web  # front",
    ]
    assert changes(opened().with_text("nodes[1].port", "x")) == [
        "-  - {name: bio1, host: 10.0.0.12}   # the BIO",
        "+  - {name: bio1, host: 10.0.0.12, port: x}  # the BIO",
    ]
    assert changes(opened().with_text("database.name", "oz")) == [
        "-database: {host: db, port: 5432, password: {env: DB}}  # main",
        "+database: {host: db, port: 5432, name: oz, password: {env: DB}}  # main",
    ]
    assert changes(opened().with_text("storage.server", "nfs2")) == ["-  server: nfs1", "+  server: nfs2"]
    assert changes(opened().with_text("images", "oz-api: a/b:5\noz-webui: a/c")) == [
        "-  oz-api: mirror/oz-api:5",
        '+  oz-api: "a/b:5"',
        "+  oz-webui: a/c",
    ]


def test_what_is_new_stands_in_the_order_of_the_questions() -> None:
    working = (
        opened()
        .with_value("engine", "podman")
        .with_text("nodes[0].port", "2222")
        .with_value("accept", ("a",))
    )
    lines = written(working).splitlines()
    assert lines[lines.index("scenario: poc   # see ticket 7") + 1] == "engine: podman"
    assert lines[lines.index("    user: oz") + 1] == "    port: 2222"
    assert lines[-2:] == ["accept: [a]", "# the end"]
    assert lines[lines.index("storage:") - 1] == "  # no TLS there"


def test_nodes_take_their_comments_along() -> None:
    moved = written(opened().move_node(1, -1))
    assert (
        moved.index("# rack B")
        < moved.index("name: bio1")
        < moved.index("# rack A")
        < moved.index("name: api1")
    )
    added = written(opened().add_node({"name": "bio2", "host": "10.0.0.13"})).splitlines()
    assert added[added.index("  - {name: bio1, host: 10.0.0.12}   # the BIO") + 1 :][:2] == [
        "  - name: bio2",
        "    host: 10.0.0.13",
    ]
    removed = written(opened().remove_node(0))
    assert "# rack A" not in removed
    assert "# rack B" in removed
    assert "# rack C is empty" in removed
    assert "nodes: []" in written(opened().remove_node(0).remove_node(0))


def test_what_is_left_out_goes_with_its_own_comments() -> None:
    assert changes(opened().without("storage.export")) == ["-  # asked for by Ann", "-  export: /srv/oz"]
    text = written(opened().without("images"))
    assert "patched" not in text
    assert text.endswith("export: /srv/oz\n# the end\n")


LOST = """\
scenario: poc
databse:
  host: x  # typo
  port: 1
public_url: &url https://oz.example.com
nodes:
  - name: a
    host: b
    prt: 22
  -
    # the second
    name: b
    host: c
    nmae: b
engine: docker
engine: podman
components: [1]
license:
  bio: [x]
release: 5.2
"""


LOST_WRITTEN = """\
# databse:
#   host: x  # typo
    # prt: 22
# engine: podman
# components: [1]
#   bio: [x]
public_url: https://oz.example.com
release: "5.2"
"""


def test_what_no_answer_can_hold_becomes_a_comment() -> None:
    working = opened(LOST)
    assert working.problems() == ()
    assert len(working.lost) == 7
    text = written(working, LOST)
    for line in LOST_WRITTEN.splitlines():
        assert line in text.splitlines(), line
    assert loads(text) == working.answers()
    assert written(opened(text), text) == text


@pytest.mark.parametrize(
    "source",
    [
        "# a\n{scenario: poc, # b\n public_url: 'https://x'}\n# c",
        "# a\n\n# b\n# c",
        "%YAML 1.2\n# a\n---\n# b\nscenario: poc # c",
        "# a\r\nscenario: poc  # b\r\n# c\r\n",
        "---\nscenario: poc  # a\nextra:  # b\n  config:\n    A: |  # c\n      x y\n...\n",
        "scenario:  # a\n  poc\nnodes:\n# b\n- # c\n  name: x\n",
    ],
)
def test_comments_of_other_looks_stay(source: str) -> None:
    working = (
        opened(source).with_value("scenario", "medium").with_text("public_url", "https://oz.example.com")
    )
    working = working.with_value("extra.config", {"A": "B"})
    text = written(working, source)
    assert opened(text).values_and_texts() == working.values_and_texts()
    assert [comment.text for comment in comments(text)] == ["# a", "# b", "# c"]
    assert ("\r\n" in text) == ("\r\n" in source)


def test_json_stays_readable() -> None:
    source = '{"scenario": "poc", "nodes": [{"name": "a", "host": "b"}]}'
    working = opened(source).with_text("public_url", "https://oz.example.com")
    assert loads(written(working, source)) == working.answers()


@SLOW
@given(answers(), answers(), st.booleans(), st.sampled_from((0, 1, 2)))
def test_any_answers_in_any_file(old: Answers, new: Answers, explicit: bool, nodes: int) -> None:
    keep = [question.key for question in questions()] if explicit else ()
    source = "".join(f"{line}\n" for line in dumps(old, keep=keep, comments=True).splitlines())
    values = as_values(new)
    if nodes:
        values["nodes"] = as_values(old, keep)["nodes"][: nodes - 1] + values["nodes"]
    text = update_text(source, values)
    assert WorkingCopy.of(parse_text(text)).values == values
    helps = {question.help for question in questions() if question.section == "" and question.name in values}
    assert helps <= {comment.text.removeprefix("# ") for comment in comments(source)} | helps
    assert text.splitlines()[0] == source.splitlines()[0]


def test_secrets_that_move_leave_nothing_behind() -> None:
    source = SOURCE.replace("{env: DB}", "'canary'")
    working = opened(source).with_value("database.password", SecretRef(kind="file", where="x/y"))
    assert "canary" not in written(working, source)
    source = source.replace("host: db,", "hots: db, host: db,")
    working = opened(source).with_value("database.password", SecretRef(kind="file", where="x/y"))
    assert "# database: {hots: db, host: db, port: 5432, password: '********'}  # main" in written(
        working, source
    )
