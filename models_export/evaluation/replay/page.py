"""`report.html` of a replay, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from models_export.evaluation import html_page as page
from models_export.evaluation import plots
from models_export.evaluation.replay.compare import ChangedPost, Report
from models_export.evaluation.replay.people import Agreements
from models_export.evaluation.replay.tallies import GRID, MOVED, Curve, FlagChange, GroupChange, LabelShift
from models_export.measures.bootstrap import Estimate
from schemas import ACTION_ORDER

SHIFTS_SHOWN = 3
"""Labels of a group whose mean moved most."""

CURVES_SHOWN = 8

LEAST_PLOTTED = 20
"""Posts of a group in the plot: the share of fewer says little."""

ABOUT_FEEDBACK = (
    "What people said is the truth here. Differences are now minus then, with 95% intervals by resampling the same "
    "posts for both. People mostly look at what was flagged, so recall is that of what they looked at."
)
ABOUT_CHANGE = "The share of posts whose action is another, with 95% intervals over posts."
ABOUT_LATENCY = "From receipt to decision, as it was published. What the replay itself took is in run.json."


def report_page(report: Report, reasons: Mapping[str, str]) -> str:
    """`reasons`: what the codes of `undecided` and `counts` mean. The same report gives the same page."""
    return page.page("modstream replay", _body(report, reasons))


def _body(report: Report, reasons: Mapping[str, str]) -> Iterator[str]:
    yield page.paragraph(
        f"{report.compared:,} of {report.decisions:,} published decisions were judged again. The action is another for "
        f"{report.changed:,} of them ({page.percent(report.changed_share)}); action, flags or severity are for "
        f"{report.differing:,}."
    )
    yield from _asked(report)
    yield from _left_out(report, reasons)
    yield from _actions(report)
    yield from _labels(report.labels)
    yield from _curves(report.curves)
    yield from _flags(report.flags)
    yield from _groups("By language", report.languages, report.languages_left_out)
    yield from _groups("By tenant", report.tenants, report.tenants_left_out)
    yield from _feedback(report)
    yield from _most(report.most)
    if (took := report.published_latency) is not None:
        yield page.heading("Latency")
        yield page.paragraph(ABOUT_LATENCY)
        yield page.table(
            ("", "posts", "p50 ms", "p95 ms", "p99 ms"),
            [("published", f"{took.posts:,}", *(f"{of:.1f}" for of in (took.p50_ms, took.p95_ms, took.p99_ms)))],
        )


def _asked(report: Report) -> Iterator[str]:
    yield page.heading("What was asked")
    rows = [(page.text(name), page.bdi(_plain(value))) for name, value in report.question.items() if _is_told(value)]
    rows += [(f"published with {what}", page.bdi(_tally(of))) for what, of in _versions(report)]
    yield page.table(("", ""), rows, numbers=False)


def _versions(report: Report) -> list[tuple[str, Mapping[str, int]]]:
    return [("the packs", report.packs), ("the policies", report.policies)]


def _left_out(report: Report, reasons: Mapping[str, str]) -> Iterator[str]:
    rows = [
        (page.text(name), f"{count:,}", page.text(reasons.get(name, "")))
        for name, count in (*report.undecided.items(), *report.counts.items())
    ]
    yield page.heading("What was not compared")
    if rows:
        yield page.table(("", "posts or messages", ""), rows, numbers=False)
    else:
        yield page.paragraph("Nothing: every decision in the selection was judged again.")


def _actions(report: Report) -> Iterator[str]:
    yield page.heading("Actions")
    posts = {(of.was, of.now): of.posts for of in report.actions}
    rows = [
        (
            f"was {was.value}",
            *(f"<b>{posts[was, now]:,}</b>" if was is now else f"{posts[was, now]:,}" for now in ACTION_ORDER),
        )
        for was in ACTION_ORDER
    ]
    yield page.table(("", *(f"now {now.value}" for now in ACTION_ORDER)), rows)
    yield page.paragraph(
        f"The severity is another for {report.severity_changed:,} posts"
        + (f", and cannot be told for {report.severity_unknown:,}." if report.severity_unknown else ".")
    )


def _labels(labels: Sequence[LabelShift]) -> Iterator[str]:
    if not labels:
        return
    yield page.heading("Labels")
    yield page.paragraph(f"Shifts are now minus then. A score has moved where it differs by more than {MOVED:g}.")
    header = ("", "posts", "flagged then", "now", "raised", "dropped", "mean shift", "mean |shift|", "largest", "moved")
    yield page.table(
        (*header, "only then", "only now"),
        [
            (
                page.text(of.label),
                *(f"{number:,}" for number in (of.posts, of.flagged_was, of.flagged_now, of.raised, of.dropped)),
                *(_signed(of.mean), _number(of.mean_absolute), _number(of.largest)),
                *(f"{number:,}" for number in (of.moved, of.only_was, of.only_now)),
            )
            for of in labels
        ],
    )


def _curves(curves: Sequence[Curve]) -> Iterator[str]:
    for of in sorted(curves, key=lambda of: (-_gap(of), of.label))[:CURVES_SHOWN]:
        yield page.paragraph(f"{of.label}: share of posts with at most that score.")
        steps = [step / GRID for step in range(GRID + 1)]
        was, now = list(zip(steps, of.was, strict=True)), list(zip(steps, of.now, strict=True))
        yield plots.lines([("then", was), ("now", now)], f"score of {of.label}", "share of posts")


def _gap(of: Curve) -> float:
    return max(abs(was - now) for was, now in zip(of.was, of.now, strict=True))


def _flags(flags: Sequence[FlagChange]) -> Iterator[str]:
    if not flags:
        return
    yield page.heading("Other flags")
    yield page.table(
        ("", "then", "now", "raised", "dropped"),
        [(page.bdi(of.flag), *(f"{number:,}" for number in (of.was, of.now, of.raised, of.dropped))) for of in flags],
    )


def _groups(title: str, groups: Sequence[GroupChange], left_out: int) -> Iterator[str]:
    if not groups:
        return
    yield page.heading(title)
    yield page.paragraph(ABOUT_CHANGE + (f" {left_out:,} smaller ones are left out." if left_out else ""))
    yield page.table(
        ("", "posts", "action changed", "not approved then", "now", "flags changed", "mean shifts"),
        [
            (
                page.bdi(of.name),
                f"{of.posts:,}",
                page.number(of.share),
                f"{of.not_approved_was:,}",
                f"{of.not_approved_now:,}",
                f"{of.flags_changed:,}",
                page.text(_shifts(of.shifts)),
            )
            for of in groups
        ],
    )
    plotted = [(of.name, of.share) for of in groups if of.posts >= LEAST_PLOTTED]
    if plotted:
        yield page.whiskers(plotted, f"{title}: share of posts whose action changed")


def _shifts(shifts: Mapping[str, float]) -> str:
    moved = sorted((of for of in shifts.items() if abs(of[1]) >= 0.0005), key=lambda of: (-abs(of[1]), of[0]))
    return ", ".join(f"{label} {shift:+.3f}" for label, shift in moved[:SHIFTS_SHOWN]) or "–"


def _feedback(report: Report) -> Iterator[str]:
    found = report.feedback
    yield page.heading("Beside what people said")
    if found is None:
        yield page.paragraph("Nobody has said anything of these posts.")
        return
    yield page.paragraph(
        f"{found.posts:,} posts: of {found.by_decision:,} people judged the decision itself, of {found.by_post:,} "
        f"another one on the same version of the post. {ABOUT_FEEDBACK}"
    )
    for question in found.questions:
        yield from _question(question, report.resamples)


def _question(of: Agreements, resamples: int) -> Iterator[str]:
    yield page.paragraph(
        f"{of.about}: {of.posts:,} posts, {of.yes:,} of them yes. Now right and then wrong: {of.closer:,}; the other "
        f"way round: {of.farther:,}."
    )
    yield page.table(
        (of.about, "then", "now", f"now minus then ({resamples:,} resamples)"),
        [
            (page.text(figure.name), page.number(figure.was), page.number(figure.now), _difference(figure.difference))
            for figure in of.figures
        ],
    )
    yield plots.differences([(figure.name, figure.difference) for figure in of.figures], f"{of.about}: now minus then")


def _most(most: Sequence[ChangedPost]) -> Iterator[str]:
    if not most:
        return
    yield page.heading("Posts that changed most")
    with_text = any(of.text for of in most)
    header = (
        "post",
        "tenant",
        "language",
        "then",
        "now",
        "raised",
        "dropped",
        "score that moved most",
        "a person said",
    )
    yield page.table(
        (*header, *(["text"] if with_text else [])),
        [
            (
                f"{page.bdi(of.post_id)}<br><small>{page.text(_place(of))}</small>",
                page.bdi(of.tenant),
                page.text(of.lang or "und"),
                page.text(of.was.value),
                page.text(of.now.value),
                page.bdi(" ".join(of.raised) or "–"),
                page.bdi(" ".join(of.dropped) or "–"),
                page.text(f"{of.label} {of.from_score:.3f} → {of.to_score:.3f}" if of.label is not None else "–"),
                page.text(of.verdict.value if of.verdict is not None else "–"),
                *([page.bdi(of.text or "")] if with_text else []),
            )
            for of in most
        ],
        numbers=False,
    )


def _place(of: ChangedPost) -> str:
    return f"{of.source.topic}-{of.source.partition}:{of.source.offset}"


def _is_told(value: object) -> bool:
    return value not in (None, (), [], 0, False, "")


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _tally(of: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in of.items()) or "–"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _difference(of: Estimate) -> str:
    if of.value is None or of.low is None or of.high is None:
        return "–"
    return f"{of.value:+.3f} <small>{of.low:+.3f} to {of.high:+.3f}</small>"
