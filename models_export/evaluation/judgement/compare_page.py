"""`compare.html`: two runs side by side, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models_export.evaluation import html_page as page
from models_export.evaluation import plots
from models_export.evaluation.judgement.compare import Comparison, Difference

EXPLAINED = (
    "Differences are b minus a, with 95% intervals by resampling the items that both have judged, the same ones for "
    "both. A difference whose interval holds 0 may be chance, and of many that do not, one in twenty is."
)


def compare_page(found: Comparison, a: str, b: str) -> str:
    return page.page(f"modstream eval compare: {found.suite}", _body(found, a, b))


def _body(found: Comparison, a: str, b: str) -> Iterator[str]:
    yield page.paragraph(f"a: {a}. b: {b}. {found.items:,} items in both, {found.resamples:,} resamples.")
    if found.only_a or found.only_b:
        yield page.paragraph(f"Left out: {found.only_a:,} items of a alone, {found.only_b:,} of b alone.")
    if found.together is not None:
        yield page.paragraph(f"Items of the same {found.together.replace('_', ' ')} are drawn together.")
    yield page.paragraph(EXPLAINED)
    yield from _shown("Overall", found.overall)
    for by, differences in found.groups.items():
        if differences:
            yield from _shown(f"By {by.replace('_', ' ')}", differences)


def _shown(title: str, differences: Sequence[Difference]) -> Iterator[str]:
    yield page.heading(title)
    yield page.table(
        ("", "items", "a", "b"),
        [(page.bdi(of.name), str(of.items), _plain(of.a), _plain(of.b)) for of in differences],
    )
    yield plots.differences([(of.name, of.difference) for of in differences], f"{title}: b minus a")


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
