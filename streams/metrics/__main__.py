"""Keeps docs/metrics.md current: `python -m streams.metrics --write` writes it, `--check` says whether it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.generated import keep_current
from streams.metrics.document import render

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


def main(arguments: Sequence[str] | None = None, document: Path = DOCUMENT) -> int:
    """The exit status: 0, or 1 when the document is not what the catalogue says."""
    return keep_current("streams.metrics", {document: render()}, arguments)


if __name__ == "__main__":
    sys.exit(main())
