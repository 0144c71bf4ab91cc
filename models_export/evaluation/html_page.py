"""Parts of self-contained HTML pages: escaped text, tables, small plots in SVG. Nothing is fetched, nothing is run."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterable, Sequence

from models_export.measures.bootstrap import Estimate

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --mark: #c62828; --fill: #3b78c4; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; margin: .5rem 0; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .7rem; text-align: left; vertical-align: top; }
.number { text-align: right; white-space: nowrap; } small { opacity: .7; } .note { max-width: 50rem; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
img { max-width: 26rem; max-height: 26rem; }
article { display: flex; gap: 1.2rem; flex-wrap: wrap; border-top: 1px solid var(--line); padding: 1rem 0; }
article > div { flex: 1 1 20rem; }
"""

_ROW, _LEFT, _WIDTH, _RIGHT = 24, 190, 430, 60
"""Of the plots, in pixels: a row's height, room for names, the plot, room for numbers."""

_POINTS_HEIGHT = 260

_JOINERS = "\u200c\u200d"
"""Invisible, and part of how Persian and the scripts of India are written."""


def page(title: str, body: Iterable[str]) -> str:
    """A whole page. The policy lets browsers load and run nothing, whatever a text may hold."""
    return (
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; style-src "
        "'unsafe-inline'\"><meta name=viewport content='width=device-width'>"
        f"<title>{text(title)}</title><style>{_STYLE}</style></head>\n<body>\n<h1>{text(title)}</h1>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def text(value: object) -> str:
    """A value as it may stand in a page, in quoted attributes too: escaped, and without characters that control a
    display, such as those that turn the direction of writing."""
    return html.escape("".join(c if c.isprintable() or c in _JOINERS else " " for c in str(value)), quote=True)


def bdi(value: object) -> str:
    """A text that others wrote: in whatever direction it is read, what stands around it stays where it is."""
    return f"<bdi>{text(value)}</bdi>"


def paragraph(value: str) -> str:
    return f"<p class=note>{text(value)}</p>"


def heading(value: str) -> str:
    return f"<h2>{text(value)}</h2>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    """`rows` hold HTML; the first column is text, and the others are numbers or not."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=number' if at and numbers else ''}>{cell}</{tag}>" for at, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>\n" for row in rows)
    return (
        f"<table><thead><tr>{line([text(name) for name in header], 'th')}</tr></thead>\n<tbody>{body}</tbody></table>"
    )


def number(estimate: Estimate) -> str:
    """A rate with its interval; a dash where nothing was measured."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    return f"{estimate.value:.3f} <small>{estimate.low:.3f}–{estimate.high:.3f}</small>"


def percent(share: Estimate) -> str:
    """A rate alone; a dash where nothing was measured."""
    return "–" if share.value is None else f"{share.value:.1%}"


def whiskers(rows: Sequence[tuple[str, Estimate]], label: str) -> str:
    """A plot of rates with their intervals, a row each; the axis goes from 0 to the highest end, at least to 1."""
    shown = [(name, of.value, of.low or 0.0, of.high or 0.0) for name, of in rows if of.value is not None]
    top = max([1.0, *(high for *_, high in shown)])

    def x(value: float) -> float:
        return _LEFT + _WIDTH * value / top

    parts: list[str] = []
    for at, (name, value, low, high) in enumerate(shown):
        y = _ROW * at + _ROW / 2
        parts.append(
            f"<text x={_LEFT - 8} y={y + 4:.1f} text-anchor=end>{text(name[:28])}</text>"
            f"<line x1={x(low):.1f} x2={x(high):.1f} y1={y:.1f} y2={y:.1f} stroke=currentColor />"
            f"<circle cx={x(value):.1f} cy={y:.1f} r=4 fill='var(--fill)' />"
            f"<text x={_LEFT + _WIDTH + 10} y={y + 4:.1f}>{value:.3f}</text>"
        )
    height = _ROW * len(shown)
    return _svg(_LEFT + _WIDTH + _RIGHT, height + 20, label, [*parts, _axis(x, height, top)])


def points(pairs: Sequence[tuple[float, float]], label: str, below: str) -> str:
    """A plot of points whose coordinates are cut to 0..1: the first goes right, the second up."""
    marks = [
        f"<circle cx={_LEFT + _WIDTH * _unit(x):.1f} cy={8 + _POINTS_HEIGHT * (1 - _unit(y)):.1f} r=3.5 "
        "fill='var(--fill)' fill-opacity=.5 />"
        for x, y in pairs
    ]
    bottom = 8 + _POINTS_HEIGHT
    frame = (
        f"<rect x={_LEFT} y=8 width={_WIDTH} height={_POINTS_HEIGHT} fill=none stroke='var(--line)' />"
        f"<text x={_LEFT - 8} y=18 text-anchor=end>1</text><text x={_LEFT - 8} y={bottom} text-anchor=end>0</text>"
        f"<text x={_LEFT - 8} y={bottom // 2} text-anchor=end>{text(label)}</text>"
        f"<text x={_LEFT} y={bottom + 16}>0</text>"
        f"<text x={_LEFT + _WIDTH} y={bottom + 16} text-anchor=end>1</text>"
        f"<text x={_LEFT + _WIDTH / 2} y={bottom + 16} text-anchor=middle>{text(below)}</text>"
    )
    return _svg(_LEFT + _WIDTH + _RIGHT, bottom + 24, f"{label} by {below}", [frame, *marks])


def picture(jpeg: bytes, what: str) -> str:
    return f"<img alt='{text(what)}' src='data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}'>"


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _axis(x: Callable[[float], float], y: float, top: float) -> str:
    ticks = [top * step / 4 for step in range(5)]
    return f"<line x1={x(0):.1f} x2={x(top):.1f} y1={y} y2={y} stroke='var(--line)' />" + "".join(
        f"<text x={x(tick):.1f} y={y + 16} text-anchor=middle>{tick:.2f}</text>" for tick in ticks
    )


def _svg(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    return f"<svg role=img aria-label='{text(label)}' width={width} height={height}>{''.join(parts)}</svg>"
