"""Every question on its step: a wrong answer is told under its field, with what would be right; a right one
takes that away. A new question without a case here fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual import events

from oz_installer.answers.questions import question, questions
from oz_installer.tui.steps import STEPS
from oz_installer.tui.steps import step_of as step_of_key
from oz_installer.tui.widgets.field import FieldMessage
from oz_installer.tui.widgets.form import Form
from oz_installer.tui.widgets.secret_field import SecretField
from tests.tui.by_keys import asked_now, choose_way, clear, tab_to, type_text
from tests.tui.fake_core import FakeCore
from tests.tui.nodes_case import ANSWERS
from tests.tui.support import Driver, app_of, press, settle, step_of, text_of, wizard

EVERYTHING = (Path(__file__).parents[1] / "journeys" / "everything.yml").read_text(encoding="utf-8")
VARIABLE = "$OZ_PASSWORD"
LONG = "x" * 4097


@dataclass(frozen=True)
class Case:
    """``wrong`` is typed, or is in the file for a choice; ``right`` is typed, or pressed for a choice."""

    wrong: str
    shown: str
    right: str


HOST = Case("db_1/x", "neither a host name nor an IP address", "10.0.0.9")
PORT = Case("99999", "should be from 1 to 65535", "5433")
URL = Case("oz.example.com", "write https://oz.example.com", "https://oz.example.com")
SECRET = Case(VARIABLE, "choose «variable» and enter its name", "s3cret-word")
PATH = Case(LONG, "longer than 4096 characters", "keys/license.key")
POSITIVE = Case("0", "should be above zero", "12")
WHOLE = Case("1.5", "should be a whole number", "90")
SWITCH = Case("maybe", "should be true or false", "space")
NAME = Case("Gate Way", "should be letters, digits and _ . @ - only", "gateway")

CASES: Mapping[str, Case] = {
    "version": Case("2", "should be 1", "space"),
    "scenario": Case("hihg-load", "the closest is high-load", "space"),
    "release": Case("5,2", "should be a release", "space"),
    "engine": Case("dokcer", "the closest is docker", "space"),
    "install_dir": Case("/etc", "should be a folder of its own", "/opt/oz"),
    "public_url": URL,
    "nodes[0].name": Case("API 1", "write api-1", "api9"),
    "nodes[0].host": HOST,
    "nodes[0].roles": Case("gpu", "should be one of api, bio", "space"),
    "nodes[0].address": HOST,
    "nodes[0].user": Case("a b", "should be a login name", "ozadmin"),
    "nodes[0].port": PORT,
    "nodes[0].key_file": PATH,
    "nodes[0].key_passphrase": SECRET,
    "nodes[0].password": SECRET,
    "nodes[0].jump": Case("@x", "should be [user@]host[:port]", "admin@bastion:22"),
    "nodes[0].become": Case("su", "the closest is sudo", "space"),
    "nodes[0].become_password": SECRET,
    "nodes[0].host_key": Case("abc", "as ssh-keygen -lf prints it", "SHA256:" + "Jc7D" * 10 + "abc"),
    "database.host": HOST,
    "database.port": PORT,
    "database.name": NAME,
    "database.user": NAME,
    "database.password": SECRET,
    "database.sslmode": Case("verify", "should be one of disable, allow, prefer", "space"),
    "database.ca_file": PATH,
    "database.admin_user": Case("a b", "should be a login name", "postgres"),
    "database.admin_password": SECRET,
    "storage.type": Case("smb", "should be one of nfs, path, local", "space"),
    "storage.server": HOST,
    "storage.export": Case("srv/oz", "should be an absolute path", "/srv/oz"),
    "storage.options": Case("-o hard", "such as vers=4.1,hard", "hard"),
    "storage.path": Case("/mnt/../oz", "without ..", "/mnt/oz"),
    "license.bio": PATH,
    "license.web_adapter": PATH,
    "components.statistic": SWITCH,
    "components.web_ui": SWITCH,
    "components.one_to_n": SWITCH,
    "components.regula": URL,
    "components.web_adapter": URL,
    "components.monitoring": SWITCH,
    "components.bio_updater": SWITCH,
    "updater.token": SECRET,
    "updater.host": URL,
    "updater.period": WHOLE,
    "air_gapped": SWITCH,
    "proxy.url": Case("proxy:3128", "write http://proxy:3128", "http://proxy.example.com:3128"),
    "network.subnet": Case("10.210.0.1/24", "write 10.210.0.0/24", "10.210.0.0/24"),
    "network.mtu": Case("100", "from 576 to 9216", "1450"),
    "proxy.no_proxy": Case("-a", "no host, domain or address", ".example.com"),
    "broker.type": Case("rabitmq", "the closest is rabbitmq", "space"),
    "broker.host": HOST,
    "broker.port": PORT,
    "broker.user": Case("a b", "letters, digits and _ . - only", "oz"),
    "broker.password": SECRET,
    "registry.server": Case("https://reg.example.com", "write reg.example.com", "reg.example.com"),
    "registry.username": Case("a b", "should be a login name", "robot"),
    "registry.password": SECRET,
    "images": Case("oz-api: Oz API", "should be an image; such as", "oz-api: mine/oz-api:1"),
    "admin.email": Case("root", "should be an e-mail address", "root@example.com"),
    "admin.password": SECRET,
    "load_balancer.type": Case("nginx", "should be one of external, node", "space"),
    "load_balancer.node": Case("API 1", "write api-1", "api2"),
    "workload.apm": POSITIVE,
    "workload.analyses_per_month": Case("1,5", "write 1.5", "1000"),
    "workload.media_mb": Case("many", "should be a number", "1.5"),
    "workload.analyses_per_day": POSITIVE,
    "workload.archive_days": WHOLE,
    "workload.needs_ha": SWITCH,
    "workload.needs_autoscaling": SWITCH,
    "extra.config": Case("lower: 1", "write LOWER", "OZ_LABEL: one"),
    "known_hosts": PATH,
    "unhardened": Case("OZ!", "is no name of a service", "oz-api"),
    "accept": Case("memory", "such as host.memory/api1", "host.memory/api1"),
}
IN_FILE = frozenset({"choice", "boolean"})
"""Kinds that cannot be typed wrong: a wrong one comes with a file."""


def test_every_question_has_a_case() -> None:
    asked = {one.key.replace("[]", "[0]") for one in questions()} - {"nodes"}
    assert asked == set(CASES)


def note(pilot: Driver, key: str) -> str:
    """Return the message below a question's field."""
    for form in pilot.app.screen.query(Form):
        if key in form.keys:
            return str(form.field(key).query_one(FieldMessage).visual)
    if key == "scenario":  # its cards have the line above them
        return str(step_of(pilot).query_one("#scenario-title").render())
    raise AssertionError(f"{key} is asked nowhere:\n{text_of(pilot)}")


def on_screen(pilot: Driver) -> str:
    """Return the screen's text in one line, without frames and scroll bars."""
    return " ".join(re.sub("[│\u2581-\u2588]", " ", text_of(pilot)).split())


async def go_to(pilot: Driver, key: str) -> None:
    """The cursor stands in the question's field; a node's stand in a form of their own."""
    inside = pilot.app.screen is not step_of(pilot)
    if inside and key.startswith("nodes[0]."):
        await tab_to(pilot, key)
    else:
        if inside:
            await press(pilot, "ctrl+n")
        step_of(pilot).focus_key(key)
    await settle(pilot)
    assert asked_now(pilot) == key, text_of(pilot)


async def put_wrong(pilot: Driver, key: str, case: Case) -> None:
    """Type the value, or open a file that has it."""
    app = app_of(pilot)
    if question(key).kind in IN_FILE or key in ("nodes[0].roles", "release"):
        app.edit(app.session.working.without(key).with_text(key, case.wrong))
    elif len(case.wrong) > 100:
        await clear(pilot)
        assert pilot.app.focused is not None
        pilot.app.focused.post_message(events.Paste(case.wrong))
    else:
        await put_typed(pilot, case.wrong)
    await settle(pilot)


async def put_typed(pilot: Driver, text: str) -> None:
    """Type in place of what is there."""
    focused = pilot.app.focused
    if focused and any(isinstance(one, SecretField) for one in focused.ancestors):
        await choose_way(pilot)
    await clear(pilot)
    await type_text(pilot, text)


async def put_right(pilot: Driver, case: Case) -> None:
    """Press it, or type it."""
    if case.right in ("space", "right"):
        await press(pilot, case.right)
    else:
        await put_typed(pilot, case.right)
        await settle(pilot)


@pytest.mark.parametrize("step", [one.id for one in STEPS if any(step_of_key(k) == one.id for k in CASES)])
async def test_what_is_wrong_is_told_and_what_is_right_takes_it_away(step: str) -> None:
    core = FakeCore({ANSWERS: EVERYTHING})
    async with wizard(core, path=ANSWERS, step=step, size=(80, 24)) as pilot:
        app = app_of(pilot)
        for key, case in CASES.items():
            if step_of_key(key) != step:
                continue
            before = app.session.working
            if key == "storage.path":
                app.edit(
                    before.without("storage.server")
                    .without("storage.export")
                    .with_value("storage.type", "path")
                )
                await settle(pilot)
            if key in ("version", "accept"):  # these have a field only while they are wrong
                app.edit(before.with_text(key, case.wrong))
                await settle(pilot)
            await go_to(pilot, key)
            await put_wrong(pilot, key, case)
            assert case.shown in " ".join(note(pilot, key).split()), key
            if key != "database.ca_file":  # its note is below the fold; the field above it is seen
                assert case.shown in on_screen(pilot), text_of(pilot)
            assert "! " in note(pilot, key)
            await put_right(pilot, case)
            assert "! " not in note(pilot, key), f"{key}: {note(pilot, key)}"
            app.edit(before)
            await settle(pilot)
