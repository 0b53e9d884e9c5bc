"""The engine that labs share: several that come up at once start one; it is stopped by who asks for that."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from oz_installer.deploy.process_identity import started_at
from oz_installer.lab import engine


class Engines:
    """Stands in for dockerd: a program that answers from its start on."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[bytes]] = []
        self.at_once, self.most = 0, 0
        self._lock = threading.Lock()

    def answers(self) -> bool:
        """Whether one is there; two that ask at once would both hear no."""
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(0.05)
        with self._lock:
            self.at_once -= 1
        return bool(self.started)

    def start(self, _say: object) -> None:
        """Start it, as the note says then."""
        process = subprocess.Popen(["sleep", "600"])
        self.started.append(process)
        engine._pid_file().write_text(f"{process.pid} {started_at(process.pid)}")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Engines]:
    made = Engines()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(engine, "missing_packages", lambda _ready: [])
    monkeypatch.setattr(engine, "engine_answers", made.answers)
    monkeypatch.setattr(engine, "_start", made.start)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


def test_of_several_labs_one_starts_it(engines: Engines) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: engine.ensure_tools(print), range(4)))
    assert len(engines.started) == 1
    assert engines.most == 1


def test_it_is_stopped_once_and_only_ours(engines: Engines) -> None:
    engine.ensure_tools(print)
    (process,) = engines.started
    threading.Thread(target=process.wait, daemon=True).start()  # its parent: a zombie is not gone
    said: list[str] = []
    assert engine.stop_engine(said.append)
    assert str(process.pid) in said[0]
    assert not engine.stop_engine(said.append)
    engine._pid_file().write_text(f"{process.pid} 1")  # another process has that number now
    assert not engine.stop_engine(said.append)
