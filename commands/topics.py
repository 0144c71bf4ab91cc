"""`modstream topics`: create the topics as configured, list them as they are, say who must be allowed what."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from commands.arguments import CONNECTION, TOPICS, add_json, add_settings, settings_of
from commands.failures import CommandFailed
from commands.terminal import counted, put_json, put_line, put_table, say
from schemas import Stage
from streams import access
from streams.insights.topics import insights_grants
from streams.kafka import check_connection
from streams.settings import Settings
from streams.topics import TopicState, create_topics, look_at, planned
from streams.topology import STAGES

EPILOG = """
A topic that exists is never changed; where it differs from the settings, that is said.
"""

ACCESS_EPILOG = """
Needed only where the brokers have ACLs. ROLE is worker (with --stage, for a worker of these stages alone), publisher
(sends posts), reader (of decisions, flags and insights; your own consumers need READ on their group too), operator
(lag, dlq, replay, canary, console), insights or admin (topics create). With --principal, the lines that grant it with
Kafka's own tool; add --bootstrap-server and --command-config to each.
"""

ROLES: dict[str, Callable[[Settings], tuple[access.Grant, ...]]] = {
    "publisher": access.publisher_grants,
    "reader": access.reader_grants,
    "operator": access.operator_grants,
    "insights": insights_grants,
    "admin": access.admin_grants,
}
WORKER = "worker"


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
    may = actions.add_parser(
        "access",
        help="what a role must be allowed on a cluster with ACLs",
        description="What a role must be allowed on a cluster with ACLs.",
        epilog=ACCESS_EPILOG,
    )
    may.add_argument("role", choices=(WORKER, *ROLES), metavar="ROLE", help=f"{WORKER}, {', '.join(ROLES)}")
    hostable = (*STAGES, Stage.RETRY)
    may.add_argument(
        "--stage",
        action="append",
        choices=[stage.value for stage in hostable],
        metavar="STAGE",
        help="a stage of the worker; once for each (default: all)",
    )
    may.add_argument("--principal", metavar="USER", help="print kafka-acls.sh lines for USER, such as User:modstream")
    may.set_defaults(run=run_access)
    for action in (create, listing, may):
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


def run_access(args: Namespace) -> int:
    settings = settings_of(args)
    if args.role == WORKER:
        grants = access.worker_grants(settings, [Stage(name) for name in args.stage or (*STAGES, Stage.RETRY)])
    elif args.stage:
        raise CommandFailed(f"--stage goes with {WORKER}: {args.role} has no stages")
    else:
        grants = ROLES[args.role](settings)
    for grant in grants:
        if args.principal is not None:
            put_line(grant.command(args.principal))
        elif args.json:
            put_json(
                {
                    "resource": grant.kind.value,
                    "name": grant.name,
                    "prefixed": grant.prefixed,
                    "operations": [operation.name for operation in grant.operations],
                }
            )
    if args.principal is None and not args.json:
        put_table(
            ("RESOURCE", "NAME", "OPERATIONS"),
            [
                (grant.kind, grant.name + "*" * grant.prefixed, ", ".join(each.name for each in grant.operations))
                for grant in grants
            ],
        )
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
