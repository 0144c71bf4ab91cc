"""The flags that commands share: the settings file, the ordinary settings, `--json`."""

from __future__ import annotations

import math
import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path

from streams.settings import Loaded, Settings, catalogue, load_settings

CONNECTION = (
    "kafka.bootstrap_servers",
    "kafka.security.protocol",
    "kafka.security.sasl_mechanism",
    "kafka.security.username",
    "kafka.security.ca_file",
    "topics.prefix",
    "group",
)
"""Which cluster, which topics, which chain. A password is no flag: every user of a machine sees its command lines."""

MODEL = ("pack", "policy")

MEDIA = ("store.url", "media.file_roots")

WORKER = (*CONNECTION, *MODEL, *MEDIA, "delivery", "instance", "state_dir", "http.host", "http.port")

TOPICS = ("topics.partitions", "topics.replication")

CONSOLE = ("console.host", "console.port", "console.workers")

_SHORT = {"kafka.bootstrap_servers": "--bootstrap-servers"}
"""The one that is typed every day has a short form too."""

_PREFIX = "setting:"


def add_settings(parser: ArgumentParser, names: Sequence[str]) -> None:
    """`--config` and a flag for each setting named; all others are set in the file or the environment."""
    group = parser.add_argument_group(
        "settings", "docs/settings.md has all of them, with their names in the file and in the environment."
    )
    group.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML)")
    for name in names:
        entry = catalogue()[name]
        spellings = [_SHORT[name], entry.flag] if name in _SHORT else [entry.flag]
        group.add_argument(
            *spellings,
            dest=_PREFIX + name,
            metavar=name.rpartition(".")[2].upper(),
            help=entry.description.replace("%", "%%"),
        )


def given(args: Namespace) -> dict[str, str]:
    """Setting -> value, for those that were given as flags."""
    return {
        name.removeprefix(_PREFIX): value
        for name, value in vars(args).items()
        if name.startswith(_PREFIX) and value is not None
    }


def load(args: Namespace) -> Loaded:
    """The settings in force and where each came from. Raises SettingsError."""
    return load_settings(args.config, os.environ, given(args))


def settings_of(args: Namespace) -> Settings:
    """The settings in force. Raises SettingsError."""
    return load(args).settings


def add_json(parser: ArgumentParser, what: str = "print JSON instead of a table") -> None:
    parser.add_argument("--json", action="store_true", help=what)


def count(text: str) -> int:
    """A whole number above 0."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ArgumentTypeError(f"{text!r}: expected a whole number above 0")
    return int(text)


def seconds(text: str) -> float:
    """A time span above 0."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise ArgumentTypeError(f"{text!r}: expected a number of seconds above 0")
    return found
