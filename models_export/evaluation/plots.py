"""Plots in SVG that stand in a page or in a file of their own: lines between 0 and 1, and differences around 0."""

from __future__ import annotations

from collections.abc import Sequence

from models_export.evaluation.html_page import text
from models_export.measures.bootstrap import Estimate

Line = Sequence[tuple[float, float]]
"""Points (x, y), both 0..1 and cut to it; the first goes right, the second up."""

COLOURS = ("#3b78c4", "#c62828", "#2e7d32", "#8e5bb5")

SIDE = 260
"""Of the square between the axes, in pixels; so are all that follow."""

LEFT, TOP, BELOW, LEGEND = 44, 10, 40, 150

ROW, NAMES, WIDTH, NUMBERS = 22, 260, 360, 190

MAX_POINTS = 400
"""Of a line: more than pixels would only make the file larger."""


def lines(series: Sequence[tuple[str, Line]], across: str, up: str, *, diagonal: bool = False) -> str:
    """Named lines in a unit square. `diagonal`: where x equals y, as a guide."""
    bottom = TOP + SIDE
    parts = [f"<rect x='{LEFT}' y='{TOP}' width='{SIDE}' height='{SIDE}' fill='none' stroke='#8888' />"]
    if diagonal:
        parts.append(_stroke([(0, 0), (1, 1)], "#8888", dashed=True))
    for at, (name, line) in enumerate(series):
        colour = COLOURS[at % len(COLOURS)]
        parts.append(_stroke(_thinned(line), colour))
        if len(line) <= SIDE // 10:
            parts += [f"<circle cx='{_x(x):.1f}' cy='{_y(y):.1f}' r='3' fill='{colour}' />" for x, y in line]
        y = TOP + 14 + 18 * at
        parts.append(f"<rect x='{LEFT + SIDE + 10}' y='{y - 9}' width='10' height='10' fill='{colour}' />")
        parts.append(f"<text x='{LEFT + SIDE + 26}' y='{y}'>{text(name[:20])}</text>")
    for tick in (0.0, 0.5, 1.0):
        parts.append(f"<text x='{_x(tick):.1f}' y='{bottom + 16}' text-anchor='middle'>{tick:.1f}</text>")
        parts.append(f"<text x='{LEFT - 6}' y='{_y(tick) + 4:.1f}' text-anchor='end'>{tick:.1f}</text>")
    parts.append(f"<text x='{_x(0.5):.1f}' y='{bottom + 34}' text-anchor='middle'>{text(across)}</text>")
    turned = f"transform='rotate(-90 12 {_y(0.5):.1f})'"
    parts.append(f"<text x='12' y='{_y(0.5):.1f}' text-anchor='middle' {turned}>{text(up)}</text>")
    return _svg(LEFT + SIDE + LEGEND, bottom + BELOW, f"{up} by {across}", parts)


def differences(rows: Sequence[tuple[str, Estimate]], label: str) -> str:
    """Differences with their intervals, a row each, around 0; what is clear of 0 has a colour."""
    shown = [(name, of.value, of.low or 0.0, of.high or 0.0) for name, of in rows if of.value is not None]
    reach = max([0.01, *(max(abs(low), abs(high)) for *_, low, high in shown)])

    def x(value: float) -> float:
        return NAMES + WIDTH / 2 * (1 + value / reach)

    height = ROW * len(shown)
    parts = [f"<line x1='{x(0)}' x2='{x(0)}' y1='0' y2='{height}' stroke='#8888' />"]
    for at, (name, value, low, high) in enumerate(shown):
        y = ROW * at + ROW / 2
        # One colour for either side: of false positives, review rates and Brier scores, less is better.
        colour = COLOURS[0] if low > 0 or high < 0 else "#8888"
        parts.append(
            f"<text x='{NAMES - 8}' y='{y + 4:.1f}' text-anchor='end'>{text(name[:38])}</text>"
            f"<line x1='{x(low):.1f}' x2='{x(high):.1f}' y1='{y:.1f}' y2='{y:.1f}' stroke='{colour}' />"
            f"<circle cx='{x(value):.1f}' cy='{y:.1f}' r='4' fill='{colour}' />"
            f"<text x='{NAMES + WIDTH + 10}' y='{y + 4:.1f}'>{value:+.3f} ({low:+.3f} to {high:+.3f})</text>"
        )
    return _svg(NAMES + WIDTH + NUMBERS, height + 6, label, parts)


def _stroke(line: Line, colour: str, *, dashed: bool = False) -> str:
    places = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in line)
    dash = " stroke-dasharray='4 4'" if dashed else ""
    return f"<polyline points='{places}' fill='none' stroke='{colour}' stroke-width='1.6'{dash} />"


def _thinned(line: Line) -> Line:
    step = max(1, len(line) // MAX_POINTS)
    return [*line[::step], *line[-1:]]


def _x(value: float) -> float:
    return LEFT + SIDE * min(max(value, 0.0), 1.0)


def _y(value: float) -> float:
    return TOP + SIDE * (1 - min(max(value, 0.0), 1.0))


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' aria-label='{text(label)}' width='{width}' "
        f"height='{height}' font-family='system-ui, sans-serif' font-size='12'>{''.join(parts)}</svg>"
    )
