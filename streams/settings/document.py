"""Keeps docs/settings.md current: `python -m streams.settings.document --write` writes it from the tree, `--check` says
whether it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from schemas.generated import keep_current
from streams.settings.catalogue import Entry, catalogue, sections, shown
from streams.settings.load import CONFIG_VARIABLE
from streams.settings.tree import INSTALLED

DOCUMENT = INSTALLED / "docs" / "settings.md"

INTRODUCTION = f"""<!-- Written by `make references` from streams/settings: change it there. -->

# Settings

`modstream config` shows the settings in force and where each came from. In rising order:

1. the default;
2. the environment variable;
3. the settings file (TOML), which `--config FILE` or `{CONFIG_VARIABLE}` names;
4. the command line.

`worker.commit_interval_ms` is `MODSTREAM_WORKER__COMMIT_INTERVAL_MS` in the environment, and in the file

```toml
[worker]
commit_interval_ms = 25
```

In the environment a list has commas between its items, a table is a JSON object, and an empty variable is not set.
Relative paths start at the working directory. A name that does not exist, a value of the wrong type or out of its
bounds, and settings that contradict each other stop the command with a message that names them.
"""

TOP = "The chain"


def render() -> str:
    """The whole document."""
    tables = [_section(name) for name in sections()]
    return INTRODUCTION + "".join(tables)


def main(arguments: Sequence[str] | None = None, document: Path = DOCUMENT) -> int:
    """The exit status: 0, or 1 when the document is not what the tree says."""
    return keep_current("streams.settings.document", {document: render()}, arguments)


def _section(name: str) -> str:
    entries = [entry for entry in catalogue().values() if entry.name.rpartition(".")[0] == name]
    about = (sections()[name].__doc__ or "").strip()
    title = f"\n## {f'`{name}`' if name else TOP}\n\n" + (f"{about}\n" if name else "")
    if not entries:
        return title
    head = "\n| variable | default | expected | meaning |\n| --- | --- | --- | --- |\n"
    return title + head.removeprefix("\n" if not name else "") + "".join(map(_row, entries))


def _row(entry: Entry) -> str:
    cells = (f"`{entry.env}`", _default(entry.default), entry.expected, entry.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(value: object) -> str:
    """The default as it is on every machine."""
    match value:
        case Path() if value.is_relative_to(INSTALLED):
            return f"`{value.relative_to(INSTALLED)}` of modstream itself"
        case Path() if value.is_relative_to(Path.home()):
            return f"`~/{value.relative_to(Path.home())}`"
        case None:
            return "–"
        case _:
            text = shown(value)
            text = ", ".join(map(str, cast("list[object]", text))) if isinstance(text, list) else str(text)
            return f"`{text}`" if text not in {"", "{}"} else "–"


if __name__ == "__main__":
    sys.exit(main())
