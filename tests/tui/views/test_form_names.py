"""Texts of the core with the labels of the forms."""

from __future__ import annotations

import pytest

from oz_installer.tui.messages import JobFailed, JobFinished
from oz_installer.tui.views.problem_text import form_names, with_form_names


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Correct `key_file` of the node.", "Correct «Private key file» of the node."),
        ("give `key_file` or `password`.", "give «Private key file» or «SSH password»."),
        ('write `host_key: "SHA256:x"` into it', 'write «Host key»: "SHA256:x" into it'),
        ("try `getent hosts` with it", "try `getent hosts` with it"),
        ("or set database.sslmode to require.", "or set «Database: TLS mode» to require."),
        ("or set registry.server.", "or set «Registry: Server»."),
        ("nodes[1].host is the same", "«Host» is the same"),
        ("Switch ssl on in postgresql.conf", "Switch ssl on in postgresql.conf"),
        ("see answers.secrets.json on db.example.com", "see answers.secrets.json on db.example.com"),
        ("accept host.memory/api1", "accept host.memory/api1"),
        ("chmod 600 /a/x.secrets.d/database.password", "chmod 600 /a/x.secrets.d/database.password"),
        ("see database.host/x and ~/admin.password", "see database.host/x and ~/admin.password"),
    ],
)
def test_keys_of_the_file_are_fields_of_the_form(written: str, shown: str) -> None:
    assert form_names(written) == shown


def test_hints_of_jobs_are_worded_and_all_else_is_left_alone() -> None:
    failed = JobFailed(
        job="x", message="answers.yml:3: database.host: is wrong", hint="Correct database.host."
    )
    assert with_form_names(failed) == JobFailed(
        job="x", message=failed.message, hint="Correct «Database: Host»."
    )
    done = JobFinished(job="x", result="database.host")
    assert with_form_names(done) is done
