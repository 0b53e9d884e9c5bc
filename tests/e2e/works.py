"""Whether an installation is healthy and does its work, and what a run changed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

from oz_installer.answers.secrets.store import SecretStore
from tests.e2e.site import Site

WELL = {"healthy", "running", "finished"}


def different(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> set[str]:
    return {
        name
        for node in before
        for name in {*before[node], *after[node]}
        if before[node].get(name) != after[node].get(name)
    }


def assert_all_well(site: Site, path: Path) -> None:
    status = site.run("status", "--answers", str(path), "--json")
    assert status.status == 0, status.stderr
    rows = status.events[-1]["services"]
    assert rows
    ill = [row for row in rows if row["state"] not in WELL]
    assert not ill, ill


def assert_works(site: Site, path: Path, document: dict[str, object]) -> None:
    """A whole analysis through nginx of every api node: queue, worker, BIO and database take part."""
    status = site.run("status", "--answers", str(path), "--json").events[-1]
    urls = [row["url"] for row in status["urls"] if row["url"].endswith("/api/version")]
    assert urls
    password = SecretStore(path.with_suffix(".secrets.json")).read()["admin.password"].reveal()
    credentials = {"credentials": {"email": "admin@oz.local", "password": password}}
    for url in urls:
        base = url.removesuffix("/api/version")
        login, said = post(f"{base}/api/authorize/auth", credentials)
        assert login == 200, said
        wrong = {"credentials": {"email": "admin@oz.local", "password": "wrong"}}
        assert post(f"{base}/api/authorize/auth", wrong)[0] == 401
        token = json.loads(said)["access_token"]
        status_code, body = post(f"{base}/api/analyses", {}, {"X-Forensic-Access-Token": token})
        assert status_code == 200, body
    assert document


def post(url: str, document: object, headers: dict[str, str] | None = None) -> tuple[int, str]:
    request = urllib.request.Request(
        url,
        json.dumps(document).encode(),
        {"Content-Type": "application/json", **(headers or {})},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
