"""Keeps docs/metrics.md current: `python -m streams.metrics --write` writes it, `--check` says whether it is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from streams.metrics.document import render

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def main(arguments: Sequence[str] | None = None, document: Path = DOCUMENT) -> int:
    """The exit status: 0, or 1 when the document is not what the catalogue says."""
    parser = argparse.ArgumentParser(prog="python -m streams.metrics", description="The document of the metrics.")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help=f"write {document.name} anew from the catalogue")
    mode.add_argument("--check", action="store_true", help=f"fail if {document.name} is not current")
    expected = render()
    if parser.parse_args(arguments).write:
        document.parent.mkdir(parents=True, exist_ok=True)
        document.write_text(expected, encoding="utf-8")
        return 0
    if document.is_file() and document.read_text(encoding="utf-8") == expected:
        return 0
    sys.stderr.write(f"{document} is not current: run `python -m streams.metrics --write`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
