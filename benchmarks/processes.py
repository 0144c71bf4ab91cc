"""The process of what is measured: started apart, watched, always ended, and heard when it fails."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.watch import Watch

READY_S = 120.0
"""Until a worker is ready: models load within seconds, on a busy machine within a minute."""
STOP_S = 30.0
"""From SIGTERM to SIGKILL: a worker drains for up to 25 s."""
LOOK_EVERY_S = 0.1
"""How often it is seen whether a process still lives while it is waited for."""
TOLD = 4000
"""Characters of a failed process's log that are shown."""


class SubjectFailed(Exception):
    """A process that was to be measured ended; the message holds the end of its log."""


class Subject:
    """`python -m MODULE ARGUMENTS` as a context: leaving it ends the process, by force if it must be."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        folder: Path,
        env: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> None:
        """Its log goes to a file in `folder`; `env` is added to this process's environment. `python`: another one, for
        what cannot be installed beside the project."""
        self._command = [python, "-m", module, *arguments]
        self._env = {**os.environ, **(env or {})}
        self._log = folder / f"{module.rpartition('.')[2]}-{time.monotonic_ns()}.log"
        self._popen: subprocess.Popen[str] | None = None
        self._ready = threading.Event()
        self._printed: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._watch: Watch | None = None

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._popen = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._env,
                cwd=Path(__file__).resolve().parents[1],
            )
        self._watch = Watch(self._popen.pid)
        self._watch.__enter__()
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        popen = self._started()
        if popen.poll() is None:
            popen.terminate()
        try:
            popen.wait(STOP_S)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()
        self.watch.__exit__(kind, error, trace)
        self._listener.join()
        for pipe in (popen.stdin, popen.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # a question that nobody was left to read
                    pipe.close()

    @property
    def watch(self) -> Watch:
        """What it took, also after its end."""
        if self._watch is None:
            raise RuntimeError("the process has not been started")
        return self._watch

    def wait_ready(self) -> None:
        """Until it has printed `ready`. Raises `SubjectFailed`."""
        deadline = time.monotonic() + READY_S
        while not self._ready.wait(LOOK_EVERY_S):
            self.check()
            if time.monotonic() > deadline:
                raise SubjectFailed(f"{self._name} was not ready within {READY_S:.0f} s:\n{self._told()}")

    def check(self) -> None:
        """Raises `SubjectFailed` if it has ended."""
        code = self._started().poll()
        if code is not None:
            raise SubjectFailed(f"{self._name} ended with exit code {code}:\n{self._told()}")

    def ask(self, question: str, timeout_s: float) -> str:
        """Give it a line, and return the next one that it prints. Raises `SubjectFailed`."""
        stdin = self._started().stdin
        assert stdin is not None
        with suppress(BrokenPipeError):  # it has ended, as is told below
            stdin.write(f"{question}\n")
            stdin.flush()
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return self._printed.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self.check()
            if time.monotonic() > deadline:
                raise SubjectFailed(f"{self._name} did not answer within {timeout_s:.0f} s:\n{self._told()}")

    def finish(self, timeout_s: float) -> str:
        """Wait for its end and return what it printed. Raises `SubjectFailed` unless it ended well."""
        try:
            code = self._started().wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise SubjectFailed(f"{self._name} did not end within {timeout_s:.0f} s:\n{self._told()}") from None
        if code != 0:
            self.check()
        self._listener.join()
        return "".join(self._printed.get() for _ in range(self._printed.qsize()))

    def _listen(self) -> None:
        stdout = self._started().stdout
        assert stdout is not None
        for line in stdout:
            if line.strip() == "ready":
                self._ready.set()
            else:
                self._printed.put(line)

    @property
    def _name(self) -> str:
        return " ".join(self._command[1:])

    def _told(self) -> str:
        return self._log.read_text(errors="replace")[-TOLD:]

    def _started(self) -> subprocess.Popen[str]:
        if self._popen is None:
            raise RuntimeError("the process has not been started")
        return self._popen
