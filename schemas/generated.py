"""Files that are generated from code: written anew, or looked at whether they are current. One way for all of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def keep_current(module: str, rendered: Mapping[Path, str], arguments: Sequence[str] | None = None) -> int:
    """`python -m MODULE --write` or `--check`: the exit status is 0, or 1 with a line on stderr for each file that is
    not what its code says. `rendered`: file -> the text that it should have."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description="Keeps what is generated current.")
    mode = parser.add_mutually_exclusive_group(required=True)
    names = ", ".join(path.name for path in rendered)
    mode.add_argument("--write", action="store_true", help=f"write {names} anew")
    mode.add_argument("--check", action="store_true", help="fail if a file is not current")
    write: bool = parser.parse_args(arguments).write
    stale = 0
    for path, text in rendered.items():
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not current: run `python -m {module} --write`, or `make references`\n")
            stale = 1
    return stale
