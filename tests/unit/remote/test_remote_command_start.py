"""The line for a login shell, the marks of a command that starts, and the classes of refusal."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oz_installer.remote.ssh.command_line import Marks, command_line
from oz_installer.remote.ssh.refusals import Refusal, refusal_error
from oz_installer.remote.ssh.start_watch import MOST_BYTES, StartWatch

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
SHELLS = [
    argv for argv in (("dash",), ("bash",), ("busybox", "sh"), ("tcsh",), ("fish",)) if shutil.which(argv[0])
]
FAKE_SUDO = """#!/bin/sh
[ "$1 $2 $4" = "-S -p --" ] || exit 9
printf %s "$3" | sed s/%%/%/ >&2
IFS= read -r password && [ "$password" = "pass word" ] || exit 1
shift 4
exec "$@"
"""


@settings(max_examples=40, deadline=None)
@given(
    st.lists(TEXT, min_size=1, max_size=4), st.binary(max_size=300), st.booleans(), st.sampled_from(SHELLS)
)
def test_argv_and_stdin_arrive_unchanged_through_any_login_shell(
    tmp_path_factory: pytest.TempPathFactory,
    words: list[str],
    data: bytes,
    become: bool,
    shell: tuple[str, ...],
) -> None:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "sudo").write_text(FAKE_SUDO)
    (folder / "sudo").chmod(0o755)
    marks = Marks()
    argv = ["sh", "-c", 'printf "%s\\0" "$@"; cat', "sh", *words]
    line = command_line(argv, marks, become=become, stdin=True)
    assert "\n" not in line
    assert line.isascii()
    done = subprocess.run(
        [*shell, "-c", line],
        input=(b"pass word\n" if become else b"") + data,
        capture_output=True,
        check=True,
        env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)},
    )
    watch = StartWatch(marks, become=become)
    assert watch.take("stdout", done.stdout) == b"".join(w.encode() + b"\0" for w in words) + data
    assert watch.take("stderr", done.stderr) == b""
    assert (watch.started, watch.prompts, watch.login_ran) == (True, int(become), become)


def test_a_login_that_is_root_by_another_name_needs_no_sudo(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho 0\n")
    (tmp_path / "id").chmod(0o755)
    marks = Marks()
    line = command_line(["echo", "a b"], marks, become=True, stdin=False, ask_uid=True)
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, env={"PATH": f"{tmp_path}:/bin"}, check=True
    )
    watch = StartWatch(marks, become=True)
    assert watch.take("stdout", done.stdout) == b"a b\n"
    watch.take("stderr", done.stderr)
    assert (watch.is_root, watch.prompts) == (True, 0)


def test_without_stdin_a_command_reads_nothing() -> None:
    line = command_line(["cat"], Marks("0" * 16), become=False, stdin=False)
    done = subprocess.run(["sh", "-c", line], input=b"password\n", capture_output=True, check=True)
    assert done.stdout == b"oz-install:0000000000000000:run\n"


@given(st.integers(1, 40), st.binary(max_size=60), st.binary(max_size=60))
def test_noise_and_output_are_kept_apart_however_they_are_cut(size: int, noise: bytes, output: bytes) -> None:
    watch = StartWatch(Marks("ab" * 8), become=False)
    data = noise + watch.marks.run + output
    own = b"".join(watch.take("stdout", data[at : at + size]) for at in range(0, len(data), size))
    assert (own, bytes(watch.before["stdout"])) == (output, noise)
    assert watch.started


def test_a_program_holds_none_of_its_marks() -> None:
    """A shell that echoes what it runs prints neither the prompt nor a mark."""
    marks = Marks()
    line = command_line(["true"], marks, become=True, stdin=True, ask_uid=True)
    shown = line.replace("eval", "printf %s", 1)
    program = subprocess.run(["sh", "-c", shown], capture_output=True, check=True).stdout
    assert marks.token.encode() in program
    for mark in (marks.run, marks.login, marks.root, marks.no_sudo, marks.prompt):
        assert mark.rstrip(b"\n") not in program


@pytest.mark.parametrize(
    ("printed", "question"),
    [
        ("{prompt}", ""),
        ("[sudo: {prompt}] Password: ", ""),
        ("{prompt}Verification code: ", "Verification code:"),
        ("Lecture: be careful\n", ""),
        ("{prompt}Changing password for u.\n[sudo] password for %p: ", "[sudo] password for %p:"),
    ],
)
def test_sudo_rs_and_other_questions_of_sudo(printed: str, question: str) -> None:
    watch = StartWatch(Marks(), become=True)
    prompt = watch.marks.prompt.decode()
    watch.take("stderr", watch.marks.login + printed.format(prompt=prompt).encode())
    assert watch.question == question


def test_a_login_that_prints_without_end_is_given_up() -> None:
    watch = StartWatch(Marks(), become=True)
    watch.take("stdout", b"y\n" * (MOST_BYTES // 2))
    assert not watch.is_hopeless
    watch.take("stdout", b"y\n")
    assert watch.is_hopeless


def judged(text: str, *, prompts: int = 0, gave: bool = True, login: bool = True, sudo: bool = True) -> str:
    error = refusal_error(
        Refusal(
            node="n",
            user="u",
            text=text,
            status=1,
            login_ran=login,
            has_sudo=sudo,
            prompts=prompts,
            gave_password=gave,
            question="",
            command="ssh -T u@h id",
        )
    )
    assert error.hint
    return f"{error.message}\n{error.hint}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sudo: sorry, you must have a tty to run sudo", "Defaults:u !requiretty"),
        (
            "WARNING: Your password has expired.\nPassword change required but no TTY available.",
            "the password of u",
        ),
        (
            "You are required to change your password immediately (administrator enforced).",
            "the password of u",
        ),
        ("sudo: Account or password is expired, reset your password and try again", "the password of u"),
        (
            "sudo: account validation failure, is your account locked?",
            "the account u has expired",
        ),
        ("Your account has expired; please contact your system administrator.", "the account u has expired"),
        ("u is not in the sudoers file.", "u ALL=(ALL) ALL"),
        ("Sorry, user u is not allowed to execute '/bin/sh' as root on h.", "u ALL=(ALL) ALL"),
        ("sudo-rs: I'm sorry u. I'm afraid I can't do that", "u ALL=(ALL) ALL"),
        ("sudo: /etc/sudo.conf is owned by uid 1000", "it said: sudo: /etc/sudo.conf is owned by uid 1000"),
    ],
)
def test_words_of_the_c_locale_have_their_hints(text: str, words: str) -> None:
    assert words in judged(text)


def test_marks_and_prompts_decide_before_words() -> None:
    assert "sudo is not installed" in judged("anything", login=False, sudo=False)
    assert "requires a password" in judged("", prompts=1, gave=False)
    assert "does not accept the password" in judged("какие-то слова", prompts=2)
    assert "does not accept" in judged("sudo: 1 incorrect password attempt", prompts=1)
    assert "the login of u did not run the command (status 1); it said: nothing" in judged("", login=False)
