"""Logs of the processes that run for long: one line an event on stderr, as text or as JSON, and no post's content.

What a line is about (stage, post id, trace id) is known to whoever works on it (`about`), so that libraries and
processors, which know neither Kafka nor traces, need not pass it on. Of an exception a line has the type and the places
of the code, never the text: that may quote what a post said.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import NamedTuple, TextIO

from opentelemetry.trace import Span

from streams.settings.log import LogFormat, LogSettings

MAX_MESSAGE = 2_000
"""Code points of a message: what a library puts into one has no end of its own."""
MAX_FRAMES = 20
"""Innermost calls of an exception."""

_MARK = "modstream_about"


class About(NamedTuple):
    """What a line is about."""

    stage: str | None = None
    post_id: str | None = None
    trace_id: str | None = None


_about: ContextVar[About] = ContextVar(_MARK, default=About())  # noqa: B039 - it is immutable


def about(stage: str | None, post_id: str | None, span: Span | None = None) -> About:
    """What `log.warning(..., extra=extra(about(...)))` and `set_about` take."""
    context = None if span is None else span.get_span_context()
    return About(stage, post_id, f"{context.trace_id:032x}" if context is not None and context.is_valid else None)


def extra(found: About) -> dict[str, About]:
    """For one line: the `extra` of a logging call."""
    return {_MARK: found}


def set_about(found: About) -> None:
    """For every line that this thread or task logs from now on."""
    _about.set(found)


def start_logging(settings: LogSettings, *, quiet: bool = False, stream: TextIO | None = None) -> Formatter:
    """Log as the settings say, from now on and everywhere in this process; also what ends a thread.

    `quiet` logs warnings at least. The formatter that is returned takes the instance's name once it is known.
    """
    out = sys.stderr if stream is None else stream
    as_json = settings.format is LogFormat.JSON or (settings.format is LogFormat.AUTO and not out.isatty())
    handler = logging.StreamHandler(out)
    formatter = JsonLines() if as_json else TextLines()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    # Ours takes the place of what `logging.basicConfig` made; handlers of another kind are somebody else's.
    root.handlers[:] = [handler, *(other for other in root.handlers if type(other) is not logging.StreamHandler)]
    root.setLevel(max(settings.level.number, logging.WARNING) if quiet else settings.level.number)
    threading.excepthook = _thread_ended
    return formatter


def name_instance(name: str) -> None:
    """Say who logs, in every line from now on."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Formatter):
            handler.formatter.instance = name


class Formatter(logging.Formatter):
    """What both formats share."""

    def __init__(self) -> None:
        super().__init__()
        self.instance: str | None = None

    def fields(self, record: logging.LogRecord) -> dict[str, object]:
        """The line's fields, in order; what is not known is not there."""
        found: About = getattr(record, _MARK, None) or _about.get()
        message = record.getMessage()
        if len(message) > MAX_MESSAGE:
            message = message[:MAX_MESSAGE] + "…"
        exception = None
        if record.exc_info and record.exc_info[0] is not None:
            exception = described(record.exc_info[0], record.exc_info[2])
        fields: dict[str, object | None] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
            "instance": self.instance,
            "stage": found.stage,
            "post_id": found.post_id,
            "trace_id": found.trace_id,
            "exception": exception,
        }
        return {name: value for name, value in fields.items() if value is not None}


class JsonLines(Formatter):
    """An object a line, in ASCII: no character of a name can end a line or steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.fields(record))


class TextLines(Formatter):
    """For people: time, level, logger, message, then what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        fields = self.fields(record)
        head = " ".join(str(fields.pop(name)) for name in ("time", "level", "logger"))
        message = fields.pop("message")
        fields.pop("instance", None)
        rest = " ".join(f"{name}={value}" for name, value in fields.items())
        line = f"{head}: {message}" + (f" ({rest})" if rest else "")
        return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)


def described(kind: type[BaseException], trace: TracebackType | None) -> str:
    """An exception without its text: type and places, the innermost first."""
    frames = traceback.extract_tb(trace)[-MAX_FRAMES:]
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames)]
    return " < ".join([kind.__qualname__, *places])


def _thread_ended(arguments: threading.ExceptHookArgs) -> None:
    name = arguments.thread.name if arguments.thread else "?"
    error = described(arguments.exc_type, arguments.exc_traceback)
    logging.getLogger(__name__).error("the thread %s has ended by a fault of ours: %s", name, error)
