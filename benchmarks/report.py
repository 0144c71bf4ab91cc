"""What a benchmark hands back: figures for machines, tables for people, and the targets beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = "benchmark/1"

Cell = str | int | float


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title; numbers are aligned right."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Cell]]

    def render(self) -> str:
        texts = [[shown(cell) for cell in row] for row in self.rows]
        for row in texts:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: a row of {len(row)} cells under {len(self.columns)} columns")
        widths = [max(map(len, column)) for column in zip(self.columns, *texts, strict=True)]
        numeric = [all(isinstance(row[at], int | float) for row in self.rows) for at in range(len(self.columns))]

        def line(cells: Sequence[str]) -> str:
            parts = (
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(cells, widths, numeric, strict=True)
            )
            return "  ".join(parts).rstrip()

        rule = "  ".join("-" * width for width in widths)
        return "\n".join([self.title, line(self.columns), rule, *map(line, texts)])


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that the project has set itself."""

    name: str
    measured: float
    required: float
    at_least: bool = True
    """False: `measured` must not exceed `required`."""

    @property
    def met(self) -> bool:
        return self.measured >= self.required if self.at_least else self.measured <= self.required


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one benchmark. `figures` holds JSON's types only."""

    name: str
    figures: dict[str, Any]
    tables: tuple[Table, ...]
    targets: tuple[Target, ...] = field(default=())

    def render(self) -> str:
        parts = [table.render() for table in self.tables]
        if self.targets:
            rows = [
                (
                    target.name,
                    target.measured,
                    f"{'>=' if target.at_least else '<='} {shown(target.required)}",
                    "met" if target.met else "MISSED",
                )
                for target in self.targets
            ]
            parts.append(Table("targets", ("figure", "measured", "required", ""), rows).render())
        return "\n\n".join(parts)


def document(
    reports: Sequence[Report], *, machine: dict[str, Any], started_at: str, quick: bool, seconds: float
) -> dict[str, Any]:
    """The JSON of a run."""
    return {
        "schema": SCHEMA,
        "started_at": started_at,
        "seconds": round(seconds),
        "quick": quick,
        "machine": machine,
        "results": {report.name: report.figures for report in reports},
        "targets": [{**asdict(target), "met": target.met} for report in reports for target in report.targets],
    }


def shown(cell: Cell) -> str:
    """A number as a person reads it: thousands apart, and no more digits than it is worth."""
    if isinstance(cell, str):
        return cell
    return f"{cell:,.0f}" if isinstance(cell, int) or abs(cell) >= 100 else f"{cell:,.3g}"
