"""`modstream lag`: how far the chain is behind."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import msgspec

from commands.arguments import CONNECTION, add_json, add_settings, settings_of
from commands.terminal import put_json, put_table, say
from streams.access import connect, lag_grants
from streams.lag import by_stage, lag_of

EPILOG = """
A stage's messages are those that the chain's group has not committed, and its seconds the age of the oldest of them.
The table shows every stage, and the partitions that are behind; --json has all partitions.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_json(parser, "print one JSON object: partitions, stages and total")
    add_settings(parser, CONNECTION)
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    lags = lag_of(settings, connect(settings, lag_grants(settings)))
    stages = by_stage(lags)
    messages, seconds = sum(stage.messages for stage in stages), max(stage.seconds for stage in stages)
    if args.json:
        parts = {"group": settings.group, "partitions": lags, "stages": stages}
        put_json(msgspec.to_builtins({**parts, "total": {"messages": messages, "seconds": seconds}}))
        return 0
    rows: list[tuple[object, ...]] = []
    for stage in stages:
        rows.append((stage.stage, "all", "", stage.messages, f"{stage.seconds:.1f}"))
        behind = [lag for lag in lags if lag.stage is stage.stage and lag.messages]
        rows += [("", lag.topic, lag.partition, lag.messages, f"{lag.seconds:.1f}") for lag in behind]
    rows.append(("total", "", "", messages, f"{seconds:.1f}"))
    put_table(
        ("STAGE", "TOPIC", "PARTITION", "MESSAGES", "SECONDS"),
        rows,
        right=frozenset({"PARTITION", "MESSAGES", "SECONDS"}),
    )
    if all(lag.committed is None for lag in lags):
        say(f"note: the group {settings.group} has not committed anything on these topics yet")
    return 0
