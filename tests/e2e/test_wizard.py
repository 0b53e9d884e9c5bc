"""The wizard in a real terminal, by keys alone, from nothing to an installation that works."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.by_keys import ADMIN, EMAIL, INSTALLING, MEDIUM, POC, Operator
from tests.e2e.site import Site, write_answers
from tests.e2e.terminal import terminal
from tests.e2e.works import assert_all_well, post


def assert_administrator(one: Operator, api: int) -> None:
    """The account that was typed is the account that there is."""
    url = f"http://{one.address(api)}:8880/api/authorize/auth"
    status, said = post(url, {"credentials": {"email": EMAIL, "password": ADMIN}})
    assert status == 200, said


def test_poc_2_with_a_wrong_password_on_the_way(clean: Site, tmp_path: Path) -> None:
    with terminal(tmp_path) as at:
        one = Operator(clean, at)
        one.ssh_config("oz-api", 2)
        one.start()
        one.choose(POC)
        one.add_node(1)
        one.import_node(2, "oz-api")
        one.test_nodes(2)
        one.on("Database")
        one.name_database()
        one.wrong_password()
        one.right_password()
        one.on("Storage", "F5: Test on the api nodes")
        at.press("F5")
        at.see("Tested: ok.", "/opt/oz/data/media on the node itself")
        one.on("Access", "Client token")
        one.access(api=2)
        one.on("Review", "┌─ users ─", "oz-api · api")
        one.no_secret_is_told()
        one.save()
        one.on("Preflight", "[ Run the checks ]")
        one.preflight()
        one.on("Install", "[ Install ]")
        one.install()
        one.leave()
        assert_all_well(clean, one.answers)
        assert_administrator(one, api=2)
        one.nothing_to_do(2)
        one.no_secret_is_told()


def test_medium_4(clean: Site, tmp_path: Path) -> None:
    with terminal(tmp_path) as at:
        one = Operator(clean, at)
        one.start()
        one.choose(MEDIUM)
        one.add_node(1)
        for number in (2, 3, 4):
            one.copy_node(number)
        one.test_nodes(4)
        one.on("Database")
        one.name_database()
        one.right_password()
        one.on("Storage", "Shared storage is needed")
        at.press("Left")
        at.see("(•) an existing mount")
        at.press("Enter")
        at.fill(("Path", "/mnt/oz"))
        at.press("F5")
        at.see("Tested: ok.", "sees what node1 writes")
        one.on("Access", "Client token")
        one.access(api=1)
        one.on("Review", "┌─ users ─")
        one.save()
        one.on("Preflight", "[ Run the checks ]")
        one.preflight()
        one.on("Install", "[ Install ]")
        one.install()
        one.leave()
        assert_all_well(clean, one.answers)
        assert_administrator(one, api=1)
        assert_administrator(one, api=2)
        one.nothing_to_do(4)
        one.no_secret_is_told()


def test_stopped_by_ctrl_c_and_finished_later(clean: Site, tmp_path: Path) -> None:
    """In a small window: left in the middle of the questions first, then of the installation."""
    with terminal(tmp_path, columns=80, rows=24) as at:
        one = Operator(clean, at)
        one.start()
        one.choose(POC)
        one.add_node(1)
        one.test_nodes(1)
        one.on("Database")
        one.name_database()
        one.secret(one.password)
        at.press("C-c")
        assert "Your answers are kept as a draft" in at.ended(130)
        one.no_secret_is_told()

        at.command("oz-install")
        at.see("Continue answers.yml", "at Database")
        at.press("Enter")
        one.arrive("Database", "(•) your own server", "! Was not saved; type it again")
        one.right_password()
        one.on("Storage", "F5: Test on the api nodes")
        one.on("Access", "Public URL")
        one.access(api=1)
        one.save()
        one.on("Review")
        one.on("Preflight", "[ Run the checks ]")
        one.preflight()
        one.on("Install")

        before = clean.shape("node1")
        one.begin()
        at.see("Start the API and its queues", limit=INSTALLING)
        at.press("C-c")
        at.see("An installation is running. Stop it?", "[ Keep running")
        at.press("BTab", "Enter")
        at.see("! Not installed", "stopped at your request", "left on the node", limit=INSTALLING)
        at.see("changes of this run were rolled back", "[ Try again ]")
        assert clean.shape("node1") == before
        one.leave()

        one.open_again()
        one.install()
        one.leave()
        assert_all_well(clean, one.answers)
        assert_administrator(one, api=1)
        one.nothing_to_do(1)
        one.no_secret_is_told()


@pytest.mark.slow
def test_a_terminal_that_closes_in_the_middle(clean: Site, tmp_path: Path) -> None:
    """Nobody can be asked: it is stopped cleanly, and the wizard is gone; the next run finishes."""
    with terminal(tmp_path) as at:
        one = Operator(clean, at)
        write_answers(at.work, clean.answers("poc-1"))
        before = clean.shape("node1")
        one.open_again()
        one.begin()
        at.see("Start the API and its queues", limit=INSTALLING)
        assert running_in(at.work)
    until = time.monotonic() + INSTALLING
    while running_in(at.work):
        assert time.monotonic() < until, "the wizard stays without its terminal"
        time.sleep(0.2)
    assert clean.shape("node1") == before
    done = clean.install(one.answers)
    assert done.status == 0, done.stderr
    assert_all_well(clean, one.answers)


def running_in(folder: Path) -> list[str]:
    """Processes at work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
    return found
