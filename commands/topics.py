"""`modstream topics`: create the topics as configured, or list them as they are."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from commands.arguments import CONNECTION, TOPICS, add_json, add_settings, settings_of
from commands.terminal import counted, put_json, put_table, say
from streams.kafka import check_connection
from streams.topics import TopicState, create_topics, look_at, planned

EPILOG = """
A topic that exists is never changed; where it differs from the settings, that is said.
"""


def configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    create = actions.add_parser(
        "create", help="create those that are missing", description="Create those that are missing.", epilog=EPILOG
    )
    create.set_defaults(run=run_create)
    listing = actions.add_parser(
        "list", help="every topic of the system, as it is", description="Every topic of the system, as it is."
    )
    listing.set_defaults(run=run_list)
    for action in (create, listing):
        add_json(action, "print one JSON object per topic, a line each")
        add_settings(action, (*CONNECTION, *TOPICS))


def run_create(args: Namespace) -> int:
    settings = settings_of(args)
    admin, plans = check_connection(settings.kafka), planned(settings.topics)
    created = create_topics(admin, plans)
    states = look_at(admin, plans)
    _show(states, as_json=args.json, created=frozenset(created))
    say(f"{counted(len(created), 'topic')} created, {len(states) - len(created)} were there")
    return 0


def run_list(args: Namespace) -> int:
    settings = settings_of(args)
    states = look_at(check_connection(settings.kafka), planned(settings.topics))
    _show(states, as_json=args.json)
    if missing := sum(not state.exists for state in states):
        say(f"{missing} of {len(states)} topics are missing: `modstream topics create` creates them")
    return 0


def _show(states: list[TopicState], *, as_json: bool, created: frozenset[str] = frozenset()) -> None:
    if as_json:
        for state in states:
            put_json(_object(state, created))
    else:
        put_table(
            ("TOPIC", "STATE", "PARTITIONS", "COPIES", "KEPT", "CLEANUP", "MAX MESSAGE"),
            [_row(state, created) for state in states],
            right=frozenset({"PARTITIONS", "COPIES", "MAX MESSAGE"}),
        )
    for state in states:
        for difference in state.differences:
            say(f"note: {state.plan.name}: {difference}")


def _object(state: TopicState, created: frozenset[str]) -> dict[str, object]:
    return {
        "topic": state.plan.name,
        "exists": state.exists,
        "created": state.plan.name in created,
        "partitions": state.partitions if state.exists else None,
        "replication": state.replication if state.exists else None,
        "config": dict(state.config),
        "differences": list(state.differences),
    }


def _row(state: TopicState, created: frozenset[str]) -> tuple[object, ...]:
    name = state.plan.name
    if not state.exists:
        return (name, "missing", "–", "–", "–", "–", "–")
    how = "created" if name in created else "differs" if state.differences else "exists"
    config = state.config
    size = int(config["max.message.bytes"]) / 1024 / 1024
    kept = _duration(config["retention.ms"])
    return (name, how, state.partitions, state.replication, kept, config["cleanup.policy"], f"{size:.1f} MiB")


def _duration(retention_ms: str) -> str:
    hours = int(retention_ms) / 3_600_000
    if hours < 0:
        return "for ever"
    return f"{hours / 24:g} d" if hours % 24 == 0 else f"{hours:.3g} h"
