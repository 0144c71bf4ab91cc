"""What `modstream replay` leaves behind: the report, the pairs, and what it took."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from commands.eval_suite import PART, put_whole
from commands.failures import CommandFailed
from commands.terminal import columns, counted, put_json, say
from models_export.evaluation.replay import Report, compared, report_page
from schemas import ACTION_ORDER
from schemas.replay import encode_pair
from streams.replay.plan import Asked
from streams.replay.rejudge import REASONS
from streams.replay.store import Cost, ReplayStore

COUNTS = {
    "posts": "posts in the selection that were read from their topics",
    "no_decision": "posts in the selection on which no decision is there: not decided yet, a dead letter, or removed",
    "superseded": "posts of which a later version was decided",
    "deleted": "posts that were deleted since",
    "deletes": "deletes in the selection",
    "republished": "dead letters that were replayed: their decisions name the place where they were first published",
    "invalid": "messages that are no post",
    "broken_decisions": "messages of the decisions that are none",
    "broken_feedback": "messages of the feedback that are none",
}
"""What a count of the report is of."""


def write_report(store: ReplayStore, asked: Asked, out: Path, took_s: float, *, as_json: bool) -> int:
    """The files of the report, and a summary. Raises CommandFailed where there is nothing to compare."""
    report = compared(store.pairs(), msgspec.to_builtins(asked), store.counts)
    if not report.decisions:
        raise CommandFailed(
            "nothing to compare: no published decision is on a post of this selection"
            + "".join(f"; {name.replace('_', ' ')}: {count:,}" for name, count in report.counts.items())
        )
    text = msgspec.json.format(msgspec.json.encode(report), indent=1)
    put_whole(out / "report.json", text + b"\n")
    put_whole(out / "report.html", report_page(report, {**REASONS, **COUNTS}).encode())
    _put_pairs(out / "pairs.jsonl", store)
    costs = _cost(list(store.costs()), took_s)
    put_whole(out / "run.json", msgspec.json.format(msgspec.json.encode(costs), indent=1) + b"\n")
    for name, example in store.examples.items():
        say(
            f"note: {counted(report.counts.get(name, 0), 'message')} {_WRONG[name]}, and left out; the first: {example}"
        )
    if as_json:
        put_json({**_summary(report), "out": str(out), **costs})
    _say(report, costs, out)
    return 0


_WRONG = {
    "broken_decisions": "of the decisions' topic are no decision",
    "broken_feedback": "of the feedback's topic are no feedback",
}


def _put_pairs(path: Path, store: ReplayStore) -> None:
    part = path.with_name(path.name + PART)
    with part.open("wb") as file:
        for pair in store.pairs():
            file.write(encode_pair(pair) + b"\n")
    part.replace(path)


def _cost(costs: Sequence[Cost], took_s: float) -> dict[str, object]:
    """What it took: of the last call, and of the models over all calls."""
    posts, seconds = sum(of.posts for of in costs), sum(of.seconds for of in costs)
    stages: dict[str, float] = {}
    for of in costs:
        for stage, took_ms in of.stages_ms.items():
            stages[stage] = stages.get(stage, 0.0) + took_ms
    return {
        "took_s": round(took_s, 3),
        "judged_by_the_chain": posts,
        "chain_s": round(seconds, 3),
        "chain_posts_per_s": round(posts / seconds, 1) if seconds else None,
        "chain_ms_per_post": round(1000 * seconds / posts, 3) if posts else None,
        "stages_batch_ms_per_post": {name: round(took / posts, 3) for name, took in stages.items()} if posts else {},
    }


def _summary(report: Report) -> dict[str, object]:
    return {
        "mode": report.question["mode"],
        "decisions": report.decisions,
        "compared": report.compared,
        "changed": report.changed,
        "differing": report.differing,
        "undecided": report.undecided,
        "counts": report.counts,
        "actions": [msgspec.to_builtins(of) for of in report.actions],
    }


def _say(report: Report, costs: dict[str, object], out: Path) -> None:
    posts = {(of.was, of.now): of.posts for of in report.actions}
    header = ("", *(f"NOW {now.value.upper()}" for now in ACTION_ORDER))
    rows = [(f"was {was.value}", *(f"{posts[was, now]:,}" for now in ACTION_ORDER)) for was in ACTION_ORDER]
    for line in columns([header, *rows], frozenset(range(1, 1 + len(ACTION_ORDER)))):
        say(line)
    for code, count in report.undecided.items():
        say(f"{count:,} not judged again: {REASONS.get(code, code)}")
    say(
        f"{counted(report.compared, 'decision')} judged again, {report.changed:,} with another action, "
        f"{report.differing:,} with another action, flags or severity; in {costs['took_s']:.1f} s; {out}/report.html"
    )
