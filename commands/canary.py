"""`modstream canary`: whether the canary may take over."""

from __future__ import annotations

import time
from argparse import ArgumentParser, Namespace

import msgspec

from commands.arguments import CONNECTION, MODEL, add_json, add_settings, seconds, settings_of
from commands.failures import CommandFailed
from commands.terminal import counted, put_json, put_table, say
from streams.access import connect
from streams.assembly import models_of
from streams.beside import name_of, second_models
from streams.canary import Point, Report, Verdict, judged_points, report_of, verdict_of
from streams.canary.report import canary_grants

EXIT_CODES = {Verdict.PROMOTE: 0, Verdict.HOLD: 3, Verdict.ROLL_BACK: 4}

SPAN_S = 3_600.0
"""An hour has some hundred posts of a canary of 5% at a few posts a second, and less of the day's ups and downs."""

EPILOG = """
Compares the canary's decisions with the live ones of the same time, on the settings canary.*, and changes nothing.
The span must lie within the time in which the workers have had these settings.
Exit codes: 0 promote, 3 hold (wait, or look), 4 roll back; 1 where that could not be told.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument(
        "--span", type=seconds, default=SPAN_S, metavar="SECONDS", help="how far to look back (default: %(default)g)"
    )
    add_json(parser, "print one JSON object: verdict, points, and what was counted")
    add_settings(parser, (*CONNECTION, *MODEL, "canary.pack", "canary.policy"))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    live = models_of(settings)
    canary = second_models("canary", settings.canary, settings, live)
    if canary is None:
        raise CommandFailed("there is no canary: expected canary.pack or canary.policy to be set, as for the workers")
    names = name_of(canary), name_of(live)
    if names[0] == names[1]:
        raise CommandFailed(f"the canary is what is live ({names[1]}): expected another pack or policy")
    since_ms = int((time.time() - args.span) * 1000)
    report = report_of(settings, connect(settings, canary_grants(settings)), *names, since_ms)
    points = judged_points(report.canary, report.live, settings.canary)
    verdict = verdict_of(points)
    if args.json:
        put_json(_object(report, points, verdict, args.span))
    else:
        _show(report, points, verdict)
    return EXIT_CODES[verdict]


def _object(report: Report, points: tuple[Point, ...], verdict: Verdict, span_s: float) -> dict[str, object]:
    def side(name: str) -> dict[str, object]:
        found = getattr(report, name)
        return {
            "name": found.name,
            "decisions": found.decisions,
            "actions": dict(found.actions),
            "failures": dict(found.failures),
            "reviewed": found.reviewed,
            "agreed": found.agreed,
        }

    return {
        "verdict": verdict.value,
        "span_s": span_s,
        "canary": side("canary"),
        "live": side("live"),
        "others": report.others,
        "unreadable": report.unreadable,
        "points": msgspec.to_builtins(points),
    }


def _show(report: Report, points: tuple[Point, ...], verdict: Verdict) -> None:
    say(f"canary: {report.canary.name}, {counted(report.canary.decisions, 'decision')}")
    say(f"live:   {report.live.name}, {counted(report.live.decisions, 'decision')}")
    if report.others:
        say(f"left out: {counted(report.others, 'decision')} of other packs and policies")
    if report.unreadable:
        say(f"left out: {counted(report.unreadable, 'message')} that cannot be read")
    rows = [
        (
            point.name,
            point.verdict.value if point.verdict is not None else "–",
            _figure(point.value),
            _figure(point.limit),
            point.why,
        )
        for point in points
    ]
    put_table(("POINT", "VERDICT", "VALUE", "LIMIT", "WHY"), rows, right=frozenset({"VALUE", "LIMIT"}))
    say(f"verdict: {verdict.value}")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"
