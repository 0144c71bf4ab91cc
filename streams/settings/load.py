"""From environment, file and flags to the settings, and where each value came from.

In rising order: default, environment, file, flag. Whatever cannot be meant (an unknown name, a value of the wrong type
or out of its bounds, settings that contradict each other) is an error, and all errors are told at once.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from streams.settings.catalogue import ENV_PREFIX, Entry, catalogue, sections, shown
from streams.settings.contradictions import contradictions
from streams.settings.private import MASK, Overrides, Secret
from streams.settings.reading import read_text, read_value
from streams.settings.tree import Settings

CONFIG_VARIABLE = ENV_PREFIX + "CONFIG"
"""Names the settings file where no flag does; itself no setting."""

# Kubernetes tells every pod of a namespace of its services: for one named `modstream`, with variables of our prefix.
_READ_ELSEWHERE = frozenset({CONFIG_VARIABLE, "MODSTREAM_CACHE_DIR", "MODSTREAM_MAVEN_MIRROR", "MODSTREAM_BROKER_PORT"})
"""Variables of ours that are no settings: the settings file's own name, and what the local broker is told by."""

_SERVICE_LINK = re.compile(r"MODSTREAM_(\w+_)?SERVICE_(HOST|PORT(_\w+)?)|MODSTREAM_(\w+_)?PORT(_\d+_\w+)?")

_MAX_QUOTED = 200
"""A value is quoted so that a person recognises it; nobody recognises a megabyte."""

_SECRET = msgspec.inspect.type_info(Secret)


class SettingsError(ValueError):
    """Settings that cannot be used. Each of `problems` names setting, source and value, and what is expected."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from: `where` is the variable, the file and key, or the flag, fit for a message."""

    kind: Literal["default", "environment", "file", "flag"]
    where: str

    def __str__(self) -> str:
        return self.where


DEFAULT = Source("default", "default")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and for every dotted name the source of its value."""

    settings: Settings
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that somebody wrote, not yet read. `read` raises ValueError with what was expected."""

    raw: object
    source: Source
    read: Callable[[Entry, Any], Any]


def load_settings(
    toml_path: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Loaded:
    """The settings in force.

    `env` is the environment (pass `os.environ`): variables that start with `MODSTREAM_` are settings, and an empty one
    is not set. `toml_path` is the settings file; without it, the one that `MODSTREAM_CONFIG` names, if any. `flags`
    are values by dotted name, as texts or as what they are; None is not set.

    Raises SettingsError.
    """
    env, flags, problems = env or {}, flags or {}, list[str]()
    if toml_path is None and env.get(CONFIG_VARIABLE):
        toml_path = Path(env[CONFIG_VARIABLE]).expanduser()
    given = dict(_from_environment(env, problems))
    if toml_path is not None:
        given |= dict(_from_file(toml_path, problems))
    given |= dict(_from_flags(flags, problems))

    values: dict[str, Any] = {}
    for name, value in given.items():
        entry = catalogue()[name]
        try:
            values[name] = value.read(entry, value.raw)
        except ValueError as reason:
            problems.append(f"{name} = {_quoted(entry, value.raw)} ({value.source}): {reason}")
    sources = {name: given[name].source if name in given else DEFAULT for name in catalogue()}
    if not problems:
        settings = _build(Settings, "", values)
        problems = [f"{name} ({sources[name]}): {reason}" for name, reason in contradictions(settings)]
        if not problems:
            return Loaded(settings, sources)
    raise SettingsError(problems)


def _from_environment(env: Mapping[str, str], problems: list[str]) -> Iterator[tuple[str, _Given]]:
    names = {entry.env: entry.name for entry in catalogue().values()}
    for variable, text in env.items():
        if not variable.startswith(ENV_PREFIX) or variable in _READ_ELSEWHERE or text == "":
            continue
        if variable in names:
            yield names[variable], _Given(text, Source("environment", f"environment variable {variable}"), read_text)
        elif not _is_service_link(variable, text):
            problems.append(_unknown(f"environment variable {variable}", variable, names, ENV_PREFIX))


def _from_file(path: Path, problems: list[str]) -> Iterator[tuple[str, _Given]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"settings file {path} cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        problems.append(f"settings file {path} is not UTF-8 text (byte {error.start})")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"settings file {path} is not valid TOML: {error}")
    else:
        yield from _from_table(path, tables, "", problems)


def _from_table(
    path: Path, table: Mapping[str, object], prefix: str, problems: list[str]
) -> Iterator[tuple[str, _Given]]:
    for key, value in table.items():
        name = prefix + key
        if name in catalogue():
            yield name, _Given(value, Source("file", f"{path}, {name}"), read_value)
        elif name not in sections():
            problems.append(_unknown(f"{path}, {name}", name, [*catalogue(), *sections()]))
        elif isinstance(value, dict):
            yield from _from_table(path, cast("dict[str, object]", value), name + ".", problems)
        else:
            problems.append(f"{name} = {value!r} ({path}): expected a table, [{name}], with settings in it")


def _from_flags(flags: Mapping[str, object], problems: list[str]) -> Iterator[tuple[str, _Given]]:
    for name, value in flags.items():
        if name not in catalogue():
            problems.append(_unknown(f"flag for {name}", name, catalogue()))
        elif value is not None:
            source = Source("flag", f"flag {catalogue()[name].flag}")
            yield name, _Given(value, source, read_text if isinstance(value, str) else read_value)


def _is_service_link(variable: str, value: str) -> bool:
    if not _SERVICE_LINK.fullmatch(variable):
        return False
    # A misspelt MODSTREAM_HTTP_PORT=8080 looks like a link's name, but not like its value.
    return "SERVICE_" in variable or "://" in value or bool(re.search(r"_PORT_\d+_", variable))


def _unknown(where: str, name: str, names: Iterable[str], prefix: str = "") -> str:
    # A prefix that all share would make any two names look alike.
    bare = [known.removeprefix(prefix) for known in names]
    close = difflib.get_close_matches(name.removeprefix(prefix), bare, n=1)
    hint = f"did you mean {prefix}{close[0]}?" if close else "`modstream config` lists them all"
    return f"{where}: there is no such setting; {hint}"


def _quoted(entry: Entry, raw: object) -> str:
    if isinstance(entry.default, Overrides) or entry.kind == _SECRET:
        return MASK
    text = repr(shown(raw))
    return text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"


def _build(cls: type[msgspec.Struct], prefix: str, values: Mapping[str, Any]) -> Any:
    """The tree with `values` in it, defaults elsewhere."""
    given = {
        field.name: _build(field.type, name + ".", values) if name in sections() else values[name]
        for field in msgspec.structs.fields(cls)
        if (name := prefix + field.name) in sections() or name in values
    }
    return cls(**given)
