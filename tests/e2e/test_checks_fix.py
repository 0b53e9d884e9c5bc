"""``check --fix`` on lab nodes: what is broken for real is mended, and taken back by its own list."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from oz_installer.lab.database import psql
from oz_installer.lab.nodes import known_hosts_lines, node_argv, remove_cgroups, wait_until
from oz_installer.lab.options import MAX_NODES
from tests.e2e.checked_nodes import Bench, bad, secret_file
from tests.e2e.site import LIMIT_SECONDS, Outcome, Site, write_answers

# A lab node but for its engine, which is there and is not started: its init script can do that, but for the
# limits, which cannot be raised inside the lab.
BARE = (
    "sed -i 's/ulimit .*/:/' /etc/init.d/docker; "
    "echo \"DOCKER_OPTS='--cgroup-parent=$OZ_LAB_CGROUP'\" > /etc/default/docker; "
    "exec bash <(sed 's/^exec dockerd .*/exec sleep infinity/' /usr/local/sbin/oz-lab-node)"
)


class Case:
    """One node and answers for it."""

    def __init__(self, site: Site, folder: Path, node: str, **changes: Any) -> None:
        self.site, self.node = site, node
        number = int(node.removeprefix("node"))
        document = site.answers("poc-1")
        row = {**document["nodes"][0], "name": node, "host": str(site.lab.node(number).address), **changes}
        known = folder / "known_hosts"
        known.write_text("\n".join([*known_hosts_lines(site.lab.node(number)), ""]))
        self.answers = write_answers(folder, {**document, "nodes": [row], "known_hosts": str(known)})
        self.list = folder / "answers.undo.txt"

    def check(self, *flags: str) -> Outcome:
        """Of the machine and its engine: such a node has no images yet."""
        only = [word for name in ("host", "engine", "runtime", "container") for word in ("--only", name)]
        return self.site.run("check", "--answers", str(self.answers), *only, *flags)

    def failures(self) -> dict[str, str]:
        """What fails, or is warned of, with what it says."""
        events = self.check("--json").events
        return {
            one["id"].partition("/")[0]: one["seen"]
            for one in events
            if one["event"] == "Finding" and one["level"] != "ok" and not one["accepted"]
        }

    def on(self, script: str) -> str:
        return self.site.on(self.node, script)

    def init(self, *lines: str) -> None:
        """Another init script of the engine's; ``dockerd`` may be run by it, which only waits."""
        script = shlex.join(("#!/bin/sh", *lines))
        self.on(f"cp -f /usr/bin/sleep /run/dockerd; printf '%s\\n' {script} > /etc/init.d/docker")

    def take_back(self) -> None:
        """By the list that was kept."""
        done = self.check("--undo", "--yes")
        assert done.status == 0, done.stderr
        assert "Undone, and recorded in" in done.stderr


@pytest.fixture
def bare(site: Site) -> Iterator[str]:
    """A node of the lab whose engine does not run."""
    lab, node = site.lab, site.lab.node(MAX_NODES)
    inspected = subprocess.run(
        ["docker", "inspect", "-f", "{{.Config.Image}}", lab.node(1).container],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    key = lab.key.with_suffix(".pub").read_text().strip()
    argv = node_argv(lab, node, inspected.stdout.strip(), key)
    assert argv.pop() == "oz-lab-node"
    subprocess.run(["docker", *argv, "bash", "-c", BARE], check=True, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: "sshd" in site.on(node.name, "ps -eo comm"), "sshd did not start", node)
        yield node.name
    finally:
        subprocess.run(["docker", "rm", "-fv", node.container], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["docker", "volume", "rm", "-f", node.volume], check=True, stdout=subprocess.DEVNULL)
        remove_cgroups(node.cgroup)


def test_an_engine_that_does_not_run_is_started(site: Site, bare: str, tmp_path: Path) -> None:
    case = Case(site, tmp_path, bare)
    assert "does not answer" in case.failures()["engine"]

    asked = case.check("--fix")
    assert asked.status == 2
    assert "service docker start" in asked.stderr
    assert "Add --yes" in asked.stderr
    assert not case.list.exists()
    assert "dockerd" not in case.on("ps -eo comm")

    done = case.check("--fix", "--yes")
    assert done.status == 0, done.stderr
    assert "0 failures" in done.stdout
    assert f"those that undo them, are in {case.list}" in done.stderr
    assert case.failures() == {}

    case.take_back()
    assert "engine" in case.failures()


@pytest.mark.slow
def test_an_engine_that_is_not_there_is_installed(site: Site, bare: str, tmp_path: Path) -> None:
    """By the distribution's own packages, from its mirror."""
    case = Case(site, tmp_path, bare)
    case.on("DEBIAN_FRONTEND=noninteractive apt-get -y remove docker.io docker-cli docker-compose")
    assert case.failures()["engine"] == "Docker is not installed"
    done = case.check("--fix", "--yes", "--json")
    assert done.status == 0, done.stderr + done.stdout
    told = [one for one in done.events if one["event"] in ("Remedy", "Mended")]
    assert [one["event"] for one in told] == ["Remedy", "Mended"]
    assert told[0]["id"] == f"engine/{bare}"
    assert told[1]["error"] == ""
    assert case.failures() == {}
    case.take_back()
    assert case.failures()["engine"] == "Docker is not installed"
    assert "docker.io" not in case.on(
        "dpkg-query -W -f '${Package} ${db:Status-Status}\\n' | grep ' installed'"
    )


def test_a_login_without_rights_gets_them(clean: Site, tmp_path: Path) -> None:
    """It is not in the group docker and cannot make the install folder, but sudo asks it for no password."""
    case = Case(clean, tmp_path, "node1", user="ozadmin", become="none")
    case.on("gpasswd -d ozadmin docker")
    try:
        before = case.failures()
        assert "this login may not use Docker" in before["engine"]
        assert before["host.folder"] == "this login may not write to /opt"
        done = case.check("--fix", "--yes")
        assert done.status == 0, done.stderr + done.stdout
        assert "docker" in case.on("id -nG ozadmin").split()
        assert case.on("stat -c '%U %a' /opt/oz").strip() == "ozadmin 700"
        assert case.failures() == {}
        case.take_back()
        assert case.failures() == before
    finally:
        case.on("usermod -aG docker ozadmin; rm -rf /opt/oz")


def test_a_login_with_sudo_has_the_engine_started_at_boot(clean: Site, tmp_path: Path) -> None:
    """By a systemctl that notes it: nodes of the lab have no systemd."""
    case, state = Case(clean, tmp_path, "node1", user="ozadmin", become="none"), "/run/boot"
    word = f'case $1 in is-enabled) cat {state} ;; enable | disable) echo "$1"d > {state} ;; esac'
    systemctl = shlex.join(("#!/bin/sh", word))
    tool, folder = "/usr/local/bin/systemctl", "/run/systemd/system"
    case.on(
        f"mkdir -p {folder}; printf '%s\\n' {systemctl} > {tool}; chmod 755 {tool}; echo disabled > {state}"
    )
    try:
        assert case.failures()["runtime.boot"] == "docker.service is disabled"
        done = case.check("--fix", "--yes")
        assert done.status == 0, done.stderr
        assert "sudo -n systemctl enable docker.service" in done.stderr
        assert case.on(f"cat {state}").strip() == "enabled"
        assert "runtime.boot" not in case.failures()
        case.take_back()
        assert case.on(f"cat {state}").strip() == "disabled"
        case.on(f"echo masked > {state}")
        done = case.check("--fix", "--yes", "--json")
        hints = [one["hint"] for one in done.events if one.get("id") == "runtime.boot/node1"]
        assert hints[-1] == "Run as root: systemctl unmask docker.service && systemctl enable docker.service"
        assert case.on(f"cat {state}").strip() == "masked"
    finally:
        case.on(f"rm -rf {tool} {folder} {state} /opt/oz")


def test_where_sudo_asks_for_a_password_nothing_is_promised(clean: Site, tmp_path: Path) -> None:
    case = Case(clean, tmp_path, "node1", user="ozpw", become="none")
    done = case.check("--fix")
    assert done.status == 3
    assert "check --fix has no fix for these findings" in done.stderr
    assert "this login may not use Docker" in done.stdout


def test_a_folder_that_everybody_may_write(clean: Site, tmp_path: Path) -> None:
    case = Case(clean, tmp_path, "node1")
    case.on("mkdir -m 777 /opt/oz")
    try:
        assert set(case.failures()) == {"host.owner"}
        done = case.check("--fix", "--yes")
        assert done.status == 0, done.stderr
        assert case.on("stat -c %a /opt/oz").strip() == "775"
        again = case.check("--fix", "--yes")
        assert again.status == 0
        assert "There is nothing to fix." in again.stderr
        case.on("chown ozpw /opt/oz")
        done = case.check("--fix", "--yes")
        assert done.status == 0, done.stderr
        assert case.on("stat -c '%U %a' /opt/oz").strip() == "root 775"
        case.take_back()
        assert case.on("stat -c '%U %a' /opt/oz").strip() == "ozpw 777"
        again = case.check("--undo", "--yes")
        assert again.status == 0
        assert "There is nothing to undo." in again.stderr
    finally:
        case.on("rmdir /opt/oz")


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_it_is_asked(clean: Site, tmp_path: Path, answer: str) -> None:
    case = Case(clean, tmp_path, "node1")
    case.on("mkdir -m 777 /opt/oz")
    keyboard, terminal = pty.openpty()
    try:
        command = [sys.executable, "-m", "oz_installer", "check", "--answers", str(case.answers), "--fix"]
        with subprocess.Popen(
            command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            os.write(keyboard, f"{answer}\n".encode())
            _, told = process.communicate(timeout=LIMIT_SECONDS)
        assert "chmod o-w /opt/oz" in told
        assert "Continue? [y/N]" in told
        assert process.returncode == (0 if answer == "y" else 130), told
        assert case.on("stat -c %a /opt/oz").strip() == ("775" if answer == "y" else "777")
        assert case.list.exists() is (answer == "y")
    finally:
        os.close(keyboard)
        os.close(terminal)
        case.on("rmdir /opt/oz")


def test_an_engine_that_is_slow_is_warned_of_and_left_alone(clean: Site, tmp_path: Path) -> None:
    case, tool = Case(clean, tmp_path, "node1"), "/usr/local/bin/docker"
    lines = ("#!/bin/sh", '[ "$1" != info ] || exec sleep 60', 'exec /usr/bin/docker "$@"')
    case.on(f"printf '%s\\n' {shlex.join(lines)} > {tool}; chmod 755 {tool}")
    try:
        assert case.failures() == {"engine": "the engine is slow: docker info does not answer within 5 s"}
        fixed = case.check("--fix", "--yes")
        assert fixed.status == 0, fixed.stderr
        assert "check --fix has no fix for these findings" in fixed.stderr
    finally:
        case.on(f"rm {tool}")
    assert case.failures() == {}


def test_a_role_and_a_database_are_made_and_dropped_again(bench: Bench) -> None:
    """By the administrator, once for both nodes; no password is written down anywhere."""
    bench.sql("CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'canary-boss'")
    database = {
        **bench.site.answers("medium-2")["database"],
        "name": "fixed",
        "user": "fixed_user",
        "password": secret_file(bench, "fixed", "canary-fixed-'$1\"é"),
        "admin_user": "boss",
        "admin_password": secret_file(bench, "boss", "canary-boss"),
    }
    answers = str(bench.answers(database=database))
    try:
        done = bench.site.run("check", "--answers", answers, "--only", "database", "--fix", "--yes")
        assert done.status == 0, done.stderr + done.stdout
        written = (bench.folder / "answers.undo.txt").read_text()
        assert written.count('  run   CREATE DATABASE "fixed"') == 1
        assert "canary" not in done.stdout + done.stderr + written
        assert bad(bench.check(database=database)) == {}

        def undo(file: str) -> tuple[int, str]:
            back = bench.site.run("check", "--answers", file, "--undo", "--yes")
            return back.status, back.stderr

        moved = bench.folder / "moved" / "answers.yml"
        moved.parent.mkdir()
        other = yaml.safe_load(Path(answers).read_text())
        other["database"]["port"] = 5999
        moved.write_text(yaml.safe_dump(other))
        (moved.parent / "answers.undo.txt").write_text(written)
        status, said = undo(str(moved))
        assert (status, "and the answers name" in said) == (3, True), said

        bench.sql("\\connect fixed\nCREATE TABLE precious (n int);")
        status, said = undo(answers)
        assert (status, "database fixed holds 1 tables" in said) == (3, True), said
        assert "n=1" in psql(
            bench.site.lab, "SELECT 'n=' || count(*) FROM pg_database WHERE datname = 'fixed'"
        )
        bench.sql("\\connect fixed\nDROP TABLE precious;")
        status, said = undo(answers)
        assert status == 0, said
        there = "SELECT 'n=' || count(*) FROM pg_roles WHERE rolname = 'fixed_user'"
        assert "n=0" in psql(bench.site.lab, there)
    finally:
        bench.sql("DROP DATABASE IF EXISTS fixed WITH (FORCE)")
        bench.sql("DROP ROLE IF EXISTS fixed_user")
        bench.sql("DROP ROLE IF EXISTS boss")
