"""What `modstream up` starts beside the worker."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

import pytest

from commands import up
from streams.broker.ports import free_port
from streams.local import WorkerProcess, console_port
from streams.settings import ConsoleSettings, Settings


def arguments(*flags: str) -> Namespace:
    parser = ArgumentParser()
    up.configure(parser)
    return parser.parse_args(flags)


def test_a_console_that_cannot_start_is_said_and_takes_nothing_down(capfd: pytest.CaptureFixture[str]) -> None:
    with WorkerProcess([sys.executable, "-c", "raise SystemExit(3)"], 5.0, name="console") as console:
        assert up._still(lambda: console.wait_ready(30)) is False
    said = capfd.readouterr().err
    assert "the console ended with exit code 3" in said
    assert "the chain goes on without it" in said


def test_the_console_is_told_what_the_worker_is_and_no_more() -> None:
    args = arguments("--pack=p", "--console-host=::1", "--store-url=s", "--group=g", "--instance=i")
    command = up.console_command(args, {"console.port": "8123", "console.workers": "http://127.0.0.1:1"})
    assert command[command.index("commands") + 1] == "console"
    flags = command[command.index("console") + 1 :]
    assert set(flags) == {
        "--console-host=::1",
        "--console-port=8123",
        "--console-workers=http://127.0.0.1:1",
        "--store-url=s",
        "--group=g",
    }


def test_the_consoles_port_is_the_one_that_is_set_while_it_is_free() -> None:
    wanted = free_port()
    assert console_port(Settings(console=ConsoleSettings(port=wanted))) == wanted
    assert console_port(Settings(console=ConsoleSettings(port=0))) > 0
