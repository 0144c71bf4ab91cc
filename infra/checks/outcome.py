"""What a check found, and how it is said."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`faults`: a sentence each, and the check has failed. `skipped`: why nothing was checked. `notes`: for people."""

    name: str
    faults: tuple[str, ...] = ()
    skipped: str | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, faults: Iterable[str]) -> Outcome:
        return cls(name, tuple(faults))

    @property
    def failed(self) -> bool:
        return bool(self.faults)

    def lines(self) -> list[str]:
        """The outcome as it is printed."""
        state = "FAILED" if self.failed else f"skipped, {self.skipped}" if self.skipped else "ok"
        return [f"{self.name}: {state}", *(f"  {line}" for line in (*self.faults, *self.notes))]


def in_ci() -> bool:
    """Whether nobody watches: what is skipped then would pass unseen."""
    return os.environ.get("CI", "").lower() in {"1", "true"}
