"""Doing what a page says: its shell commands, one after the other, as a reader would type them."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.pages import ROOT, SHELL, blocks, joined_lines

UP = "make up"
RUNNING = ("modstream worker", UP)
"""Commands that run until they are stopped."""

ACTIVATE = ". .venv/bin/activate"
"""What the tests' own environment stands for."""

PATIENCE_S = 90.0
"""For a worker to load its models and join, and for one command. Only a failing test waits that long."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended with 0, and what it printed."""

    command: str
    stdout: str
    stderr: str


@dataclass
class Follower:
    """A reader in `folder`, with `environment` already exported: what a page says of these variables is left out."""

    folder: Path
    environment: Mapping[str, str]
    left_out: Collection[str] = ()
    """Beginnings of commands that are run elsewhere."""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])
    first_words: list[str] = field(default_factory=list[str])
    """The first line of each that ran until it was stopped."""

    def follow(self, page: Path) -> list[Done]:
        """Every command of the page; of `make` what it would do. A block with commands that run until they are stopped
        ends those of the blocks before it."""
        exported: dict[str, str] = {}
        return [done for block in blocks(page, SHELL) for done in self._block(joined_lines(block), exported)]

    def _block(self, lines: Sequence[str], exported: dict[str, str]) -> Iterator[Done]:
        if any(line.startswith(RUNNING) for line in lines):
            self.stop()
        for line in lines:
            if not line.strip() or line == ACTIVATE or line.startswith(tuple(self.left_out)):
                continue
            words = shlex.split(line)
            if words[0] == "export":
                exported |= dict(word.split("=", 1) for word in words[1:])
            elif line.startswith(RUNNING):
                self._start(line, {**exported, **self._given()})
            elif words[0] == "make":
                yield self.run(shlex.join(["make", "--dry-run", f"--directory={ROOT}", *words[1:]]), exported)
            else:
                yield self.run(line, exported)

    def stop(self) -> None:
        """End what still runs."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        while self.processes:
            process = self.processes.pop()
            process.wait(PATIENCE_S)
            if process.stdout is not None:
                process.stdout.close()

    def _given(self) -> dict[str, str]:
        scripts = Path(sys.executable).parent
        return {**os.environ, **self.environment, "PATH": f"{scripts}:{os.environ['PATH']}"}

    def run(self, line: str, exported: Mapping[str, str] | None = None) -> Done:
        """One command, which has to end with 0."""
        ended = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env={**(exported or {}), **self._given()},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert ended.returncode == 0, f"{line}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
        return Done(line, ended.stdout, ended.stderr)

    def _start(self, line: str, environment: Mapping[str, str]) -> None:
        """Run it until `stop`; back when it has said that it is ready, on its standard output."""
        words = ["modstream", "up"] if line == UP else shlex.split(line)
        log = self.folder / f"process-{len(self.processes)}.log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(words, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=stderr)
        self.processes.append(process)
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        assert readable, f"{line} was not ready within {PATIENCE_S:g} s:\n{log.read_text()[-3000:]}"
        first = process.stdout.readline()
        self.first_words.append(first.decode())
        assert first, f"{line} ended before it was ready:\n{log.read_text()[-3000:]}"


@contextmanager
def follower(folder: Path, environment: Mapping[str, str], left_out: Collection[str] = ()) -> Generator[Follower]:
    """One who leaves nothing running."""
    reader = Follower(folder, environment, left_out)
    try:
        yield reader
    finally:
        reader.stop()
