from __future__ import annotations

import json

import pytest
from confluent_kafka.cimpl import NewTopic

from schemas import Stage
from streams.kafka import MESSAGE_BYTES, check_connection
from streams.offsets import end_offsets, places_of
from streams.settings import TopicSettings
from streams.topics import POST_BYTES, TopicsError, create_topics, look_at, planned, require_topics
from streams.topology import RETRY_DELAYS_S, Topics
from tests.kafka_tools.conftest import PARTITIONS, Command, System


def test_every_topic_of_the_system_is_planned_with_its_limits_and_retention() -> None:
    settings = TopicSettings(retention_ms=60_000, internal_retention_ms=3_600_000, dead_letter_retention_ms=120_000)
    topics = Topics(settings.prefix)
    plans = {plan.name: plan.config for plan in planned(settings)}
    assert set(plans) == set(topics.all())
    posts = {topics.stage(Stage.INGEST, lane) for lane in ("standard", "urgent")}
    assert {name for name, config in plans.items() if config["max.message.bytes"] == str(POST_BYTES)} == posts
    assert {config["max.message.bytes"] for name, config in plans.items() if name not in posts} == {str(MESSAGE_BYTES)}
    compacted = {name for name, config in plans.items() if config["cleanup.policy"] == "compact,delete"}
    assert compacted == {topics.decisions}
    assert plans[topics.decisions]["retention.ms"] == "60000"
    assert plans[topics.stage(Stage.ENCODE, "urgent")]["retention.ms"] == "3600000"
    assert plans[topics.dead_letters]["retention.ms"] == "120000"


def test_every_topic_keeps_a_message_for_longer_than_the_longest_retry() -> None:
    settings = TopicSettings(internal_retention_ms=3_600_000)
    assert all(settings.internal_retention_ms > delay_s * 1000 for delay_s in RETRY_DELAYS_S.values())


def test_topics_are_created_as_configured_and_can_be_used_at_once(empty: System) -> None:
    created = create_topics(empty.admin, planned(empty.settings.topics))
    assert sorted(created) == sorted(empty.topics.all())
    assert set(end_offsets(empty.admin, places_of(empty.admin, empty.topics.all())).values()) == {0}
    states = look_at(empty.admin, planned(empty.settings.topics))
    assert {state.partitions for state in states} == {PARTITIONS}
    assert [state.differences for state in states] == [()] * len(states)


def test_what_exists_is_left_alone_and_its_differences_are_said(empty: System) -> None:
    name = empty.topics.decisions
    empty.admin.create_topics([NewTopic(name, 1, 1, config={"retention.ms": "1000"})])[name].result()
    created = create_topics(empty.admin, planned(empty.settings.topics))
    assert name not in created
    assert len(created) == len(empty.topics.all()) - 1
    states = {state.plan.name: state for state in look_at(empty.admin, planned(empty.settings.topics))}
    assert states[name].differences[:3] == (
        f"partitions is 1, the settings say {PARTITIONS}",
        "cleanup.policy is delete, the settings say compact,delete",
        "retention.ms is 1000, the settings say 604800000",
    )
    assert create_topics(empty.admin, planned(empty.settings.topics)) == []


def test_more_copies_than_brokers_are_refused_with_the_topic_and_the_reason(empty: System) -> None:
    settings = TopicSettings(prefix=empty.settings.topics.prefix, replication=3)
    with pytest.raises(TopicsError, match=r"the topic \S+posts cannot be created: .*replication"):
        create_topics(empty.admin, planned(settings))


def test_topics_that_do_not_exist_are_named(empty: System) -> None:
    with pytest.raises(TopicsError, match=f"the topic does not exist: {empty.topics.decisions}; .*topics create"):
        require_topics(empty.admin, [empty.topics.decisions])


def test_the_commands_create_list_and_say_what_is_missing(empty: System, command: Command) -> None:
    flags = (*empty.flags, "--topics-partitions", PARTITIONS)
    code, out, err = command("topics", "list", *flags)
    assert code == 0
    assert out.count("missing") == len(empty.topics.all())
    assert "modstream topics create" in err
    code, out, err = command("topics", "create", "--json", *flags)
    assert code == 0
    assert all(json.loads(line)["created"] for line in out.splitlines())
    assert f"{len(empty.topics.all())} topics created, 0 were there" in err
    code, out, err = command("topics", "create", *flags)
    assert (code, out.count("created"), out.count("exists")) == (0, 0, len(empty.topics.all()))
    code, out, err = command("topics", "list", "--json", *empty.flags)
    first = json.loads(out.splitlines()[0])
    assert first["exists"]
    assert first["differences"] == [f"partitions is {PARTITIONS}, the settings say 6"]
    assert f"note: {first['topic']}: partitions is {PARTITIONS}" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("publish", "--delete", "p"),
        ("tail", "flags"),
        ("lag",),
        ("dlq", "list"),
        ("dlq", "show", "p"),
        ("dlq", "replay", "--all"),
        ("worker", "ingest"),
    ],
)
def test_every_command_says_which_topics_are_missing(
    arguments: tuple[str, ...], empty: System, command: Command
) -> None:
    code, out, err = command(*arguments, *empty.flags)
    assert (code, out) == (1, "")
    (sentence,) = [line for line in err.splitlines() if line.startswith("modstream: ")]
    assert empty.settings.topics.prefix in sentence
    assert "modstream topics create" in sentence


def test_a_broker_that_wants_no_credentials_is_named_when_it_gets_some(
    empty: System, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_connection, "__defaults__", (2.0,))  # nobody lets us in, however long we wait
    monkeypatch.setenv("MODSTREAM_KAFKA__SECURITY__PASSWORD", "wrong")
    security = ("protocol=sasl_plaintext", "sasl-mechanism=PLAIN", "username=nobody")
    code, out, err = command("lag", *empty.flags, *(f"--kafka-security-{flag}" for flag in security))
    assert (code, out) == (1, "")
    (sentence,) = err.splitlines()
    assert str(empty.settings.kafka.bootstrap_servers) in sentence
    assert "sasl_plaintext" in sentence
    assert "MODSTREAM_KAFKA__SECURITY__" in sentence
