"""A guarded Java process: it writes to a file, keeps the data folder's lock, and cannot outlive this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from streams.broker import guard
from streams.broker.data_folder import DataFolder
from streams.broker.errors import BrokerError
from streams.broker.runtime import java_environment


class KafkaProcess:
    """A running command in a data folder, its output in the folder's console log.

    A thread of its own starts the command and waits for it: the kernel ends the command with the *thread* that started
    it, so that must be one that lives as long as the command does, not the caller's.
    """

    def __init__(self, command: Sequence[str], folder: DataFolder) -> None:
        self._started = threading.Event()
        self._ended = threading.Event()
        self._error: OSError | None = None
        self._process: subprocess.Popen[bytes] | None = None
        thread = threading.Thread(target=self._run, args=(command, folder), name="kafka-process", daemon=True)
        thread.start()
        self._started.wait()
        if self._error is not None:
            raise BrokerError(f"{command[0]} cannot be started: {self._error.strerror}") from self._error

    def _run(self, command: Sequence[str], folder: DataFolder) -> None:
        guarded = [sys.executable, "-I", "-S", str(Path(guard.__file__)), str(os.getpid()), *command]
        try:
            with folder.console.open("wb") as console:
                process = subprocess.Popen(
                    guarded,
                    cwd=folder.path,
                    env=java_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=console,
                    stderr=subprocess.STDOUT,
                    pass_fds=(folder.lock,),
                    # A terminal's Ctrl-C goes to this process alone, which then ends Kafka in its own way.
                    start_new_session=True,
                )
        except OSError as error:
            self._error = error
            self._started.set()
            return
        self._process = process
        self._started.set()
        process.wait()
        self._ended.set()

    @property
    def pid(self) -> int:
        """The id of the Java process (the guard becomes it)."""
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; -N where signal N ended it. (Java answers SIGTERM with 143.)"""
        return self._popen.returncode if self._ended.is_set() else None

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end, at most `timeout` seconds, and return the exit code, or None while it still runs."""
        self._ended.wait(timeout)
        return self.exit_code

    def terminate(self) -> None:
        """Ask it to end (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._signal(signal.SIGKILL)

    @property
    def _popen(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the process was never started")
        return self._process

    def _signal(self, number: signal.Signals) -> None:
        # Popen's own lock keeps this from reaching another process that got the id of one already waited for.
        self._popen.send_signal(number)
