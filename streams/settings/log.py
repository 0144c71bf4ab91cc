"""Settings of the logs."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class LogFormat(StrEnum):
    """How a line looks."""

    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """As Python's logging has it."""
        return logging.getLevelNamesMapping()[self.value.upper()]


class LogSettings(Struct, frozen=True, kw_only=True):
    """What the processes that run for long log to stderr. No post's content is ever in it."""

    format: Annotated[
        LogFormat,
        Meta(
            description="`json`: a line is an object with time, level, logger, message, instance, and stage, post id "
            "and trace id where there is one. `text`: for people. `auto`: text on a terminal, JSON elsewhere."
        ),
    ] = LogFormat.AUTO
    level: Annotated[
        LogLevel,
        Meta(
            description="The least that is logged. At `info` a worker says what it serves and when it stops; posts "
            "that were given up by a fault of ours are warnings. `--quiet` logs warnings at least."
        ),
    ] = LogLevel.INFO
