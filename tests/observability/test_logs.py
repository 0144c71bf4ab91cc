from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.trace import NonRecordingSpan

from streams.logs import MAX_MESSAGE, about, extra, name_instance, set_about, start_logging
from streams.settings.log import LogFormat, LogLevel, LogSettings
from streams.telemetry import extract

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HOSTILE = 'my secret\n{"level": "fake"}\x1b[2J‮'


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, threading.excepthook
    # A command that ran in this process before may have set a level of its own for ours.
    ours = logging.getLogger("streams")
    our_level = ours.level
    ours.setLevel(logging.NOTSET)
    yield
    ours.setLevel(our_level)
    root.handlers[:] = handlers
    root.setLevel(level)
    threading.excepthook = hook


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def start(out: io.StringIO, kind: LogFormat = LogFormat.JSON, *, quiet: bool = False) -> logging.Logger:
    start_logging(LogSettings(format=kind), quiet=quiet, stream=out)
    return logging.getLogger("streams.test")


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_an_object_with_who_when_and_what(out: io.StringIO) -> None:
    start(out).warning("lost %s partitions", 3)
    name_instance("w-1")
    logging.getLogger("streams.test").info("serving")
    first, second = lines(out)
    assert first["time"].endswith("Z")
    assert len(first["time"]) == len("2026-01-01T00:00:00.000Z")
    del first["time"], second["time"]
    assert first == {"level": "warning", "logger": "streams.test", "message": "lost 3 partitions"}
    assert second == {"level": "info", "logger": "streams.test", "message": "serving", "instance": "w-1"}


def test_a_line_about_a_post_has_its_id_its_stage_and_its_trace(out: io.StringIO) -> None:
    context = extract([("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())])
    assert context is not None
    start(out).warning("given up", extra=extra(about("encode", "p-1", NonRecordingSpan(context))))
    (line,) = lines(out)
    assert (line["stage"], line["post_id"], line["trace_id"]) == ("encode", "p-1", TRACE)


def test_what_a_library_logs_while_a_post_is_worked_on_is_about_that_post_and_no_other_thread(out: io.StringIO) -> None:
    start(out)

    def work() -> None:
        set_about(about("fetch", "p-2"))
        logging.getLogger("some.library").warning("slow")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    logging.getLogger("some.library").warning("elsewhere")
    ours, others = lines(out)
    assert (ours["post_id"], ours["stage"]) == ("p-2", "fetch")
    assert "post_id" not in others


@pytest.mark.parametrize("kind", [LogFormat.JSON, LogFormat.TEXT])
def test_no_name_ends_a_line_or_steers_a_terminal(kind: LogFormat, out: io.StringIO) -> None:
    start(out, kind).warning("from %s", "x", extra=extra(about("ingest", HOSTILE)))
    text = out.getvalue()
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()


@pytest.mark.parametrize("kind", [LogFormat.JSON, LogFormat.TEXT])
def test_of_an_exception_the_type_and_the_places_are_told_and_never_its_text(kind: LogFormat, out: io.StringIO) -> None:
    log = start(out, kind)
    try:
        int(HOSTILE)
    except ValueError:
        log.exception("the sweep failed")
    text = out.getvalue()
    assert "ValueError" in text
    assert "test_logs.py" in text
    assert "secret" not in text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_by_an_exception_is_logged_without_its_text(out: io.StringIO) -> None:
    start(out)

    def fail() -> None:
        raise RuntimeError(HOSTILE)

    thread = threading.Thread(target=fail, name="stage-encode-standard")
    thread.start()
    thread.join()
    (line,) = lines(out)
    assert "stage-encode-standard" in line["message"]
    assert "RuntimeError" in line["message"]
    assert "secret" not in out.getvalue()


def test_a_message_without_end_is_cut(out: io.StringIO) -> None:
    start(out).warning("%s", "x" * 1_000_000)
    assert len(out.getvalue()) < MAX_MESSAGE + 200


def test_auto_is_text_on_a_terminal_and_json_elsewhere(out: io.StringIO) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    start(out, LogFormat.AUTO).warning("hello")
    start(terminal, LogFormat.AUTO).warning("hello")
    assert lines(out)[0]["message"] == "hello"
    assert terminal.getvalue().endswith("warning streams.test: hello\n")


def test_quiet_and_the_level_say_what_is_left_out(out: io.StringIO) -> None:
    log = start(out, quiet=True)
    log.info("serving")
    log.warning("lost")
    start_logging(LogSettings(format=LogFormat.JSON, level=LogLevel.ERROR), quiet=True, stream=out)
    log.warning("lost again")
    assert [line["message"] for line in lines(out)] == ["lost"]
