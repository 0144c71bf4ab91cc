"""modstream on a Kafka with TLS, SCRAM and ACLs: the grants that `modstream topics access` names are enough, and
whoever is refused reads in one sentence what was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from schemas import Stage
from streams.access import (
    DESCRIBE,
    Grant,
    Kind,
    admin_grants,
    operator_grants,
    publisher_grants,
    reader_grants,
    worker_grants,
)
from streams.insights.topics import insights_grants
from streams.kafka import check_connection
from streams.offsets import end_offsets, places_of
from tests.insights.conftest import until
from tests.secured_kafka.secured_broker import User
from tests.secured_kafka.secured_chain import ALL, Chain
from tests.secured_kafka.users import CREATOR, ENCODER, INSIGHTS, OPERATOR, PUBLISHER, READER, WORKER

BEFORE = (Stage.INGEST, Stage.FETCH, Stage.OCR, Stage.ASR, Stage.PACK)
AFTER = (Stage.ENCODE, Stage.FUSE, Stage.RETRY)

pytestmark = pytest.mark.timeout(240)


def created(chain: Chain) -> Chain:
    """The chain with its topics, made by the one who may."""
    chain.grant(CREATOR, admin_grants(chain.settings))
    done = chain.run(CREATOR, "topics", "create")
    assert done.returncode == 0, done.stderr
    return chain


def published(chain: Chain, count: int) -> None:
    chain.grant(PUBLISHER, publisher_grants(chain.settings))
    posts = "".join(f'{{"schema": "post/1", "post_id": "p-{at}", "text": "hello"}}\n' for at in range(count))
    done = chain.run(PUBLISHER, "publish", "-", stdin=posts)
    assert done.returncode == 0, done.stderr


def decided(chain: Chain, count: int) -> set[str]:
    chain.grant(READER, reader_grants(chain.settings))
    arguments = ("--from-beginning", "--count", str(count), "--timeout", "60", "--json")
    done = chain.run(READER, "tail", "decisions", *arguments)
    assert done.returncode == 0, done.stderr
    return {json.loads(line)["post_id"] for line in done.stdout.splitlines()}


def without(grants: Iterable[Grant], kind: Kind, name: str) -> list[Grant]:
    found = list(grants)
    kept = [grant for grant in found if (grant.kind, grant.name) != (kind, name)]
    assert len(kept) == len(found) - 1
    return kept


def refusal(chain: Chain, user: User, stages: Sequence[Stage] = ALL) -> str:
    """What a worker says that ends by itself."""
    process = chain.worker(user, stages)
    assert process.popen.wait(60) == 1
    (sentence,) = [line for line in process.log.read_text().splitlines() if "Kafka" in line and " INFO " not in line]
    return sentence


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_each_role_works_with_its_own_grants_and_no_others(chain: Chain, delivery: str) -> None:
    created(chain)
    mode = {"MODSTREAM_DELIVERY": delivery}
    chain.grant(WORKER, worker_grants(chain.settings_of(mode), ALL))
    chain.worker(WORKER, extra=mode).wait_ready()
    published(chain, 20)
    assert decided(chain, 20) == {f"p-{at}" for at in range(20)}
    chain.grant(OPERATOR, operator_grants(chain.settings))
    lag = chain.run(OPERATOR, "lag", "--json")
    assert lag.returncode == 0, lag.stderr
    assert chain.run(OPERATOR, "dlq", "list").returncode == 0


def test_each_part_of_a_split_chain_works_with_the_grants_of_its_stages(chain: Chain) -> None:
    created(chain)
    for user, stages in ((WORKER, BEFORE), (ENCODER, AFTER)):
        chain.grant(user, worker_grants(chain.settings, stages))
        chain.worker(user, stages, {"MODSTREAM_INSTANCE": user.name}).wait_ready()
    published(chain, 20)
    assert decided(chain, 20) == {f"p-{at}" for at in range(20)}


def test_a_console_without_its_grants_names_what_it_misses_and_works_with_the_operators(chain: Chain) -> None:
    created(chain)
    grants = operator_grants(chain.settings)
    chain.grant(OPERATOR, [grant for grant in grants if grant.name != chain.topics.feedback])
    refused = chain.run(OPERATOR, "console", "--console-port=0")
    assert refused.returncode == 1
    assert f"does not let operator see the topic {chain.topics.feedback} (" in refused.stderr
    chain.grant(OPERATOR, grants)
    console = chain.process(OPERATOR, "commands", "console", "--console-port=0")
    assert console.popen.stdout is not None
    assert console.popen.stdout.readline().startswith("console: http://127.0.0.1:")
    console.wait_ready()


def test_insights_work_with_their_own_grants_and_no_others(chain: Chain) -> None:
    """They have clients of another make, which are to speak TLS and SCRAM too."""
    created(chain)
    chain.grant(WORKER, worker_grants(chain.settings, ALL))
    chain.worker(WORKER).wait_ready()
    published(chain, 20)
    decided(chain, 20)
    chain.grant(INSIGHTS, insights_grants(chain.settings))
    windows = {"MODSTREAM_INSIGHTS__WINDOW_S": "1", "MODSTREAM_INSIGHTS__GRACE_S": "1"}
    process = chain.process(INSIGHTS, "commands", "insights", "--http-port=0", extra=windows)
    process.wait_ready()
    admin, topic = check_connection(chain.settings.kafka), chain.topics.insights
    places = places_of(admin, [topic])
    until(lambda: sum(end_offsets(admin, places).values()) > 0, lambda: process.log.read_text()[-2000:])


def test_a_wrong_password_is_told_with_the_user_s_name(chain: Chain) -> None:
    done = chain.run(User("worker", "guessed"), "topics", "list")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "refuses the user 'worker'" in sentence
    assert "invalid credentials" in sentence
    assert "guessed" not in sentence


def test_a_broker_whose_certificate_nobody_vouches_for_is_not_told_the_password(chain: Chain) -> None:
    done = chain.run(WORKER, "topics", "list", ca_file=chain.broker.other_ca_file)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("modstream: no secure connection to Kafka at")
    assert "certificate" in sentence
    assert str(chain.broker.other_ca_file) in sentence


def test_a_missing_certificate_file_is_named(chain: Chain, tmp_path: Path) -> None:
    done = chain.run(WORKER, "topics", "list", ca_file=tmp_path / "none.pem")
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert str(tmp_path / "none.pem") in sentence


def test_plain_text_to_a_tls_port_says_that_the_protocol_may_be_wrong(chain: Chain) -> None:
    done = chain.run(None, "topics", "list")
    assert done.returncode == 1
    assert "(plaintext)" in done.stderr
    assert "MODSTREAM_KAFKA__SECURITY__PROTOCOL" in done.stderr


def test_a_publisher_without_a_grant_learns_that_it_may_not_see_the_topic(chain: Chain) -> None:
    created(chain)
    done = chain.run(PUBLISHER, "publish", "-", stdin='{"schema": "post/1", "post_id": "p", "text": "t"}\n')
    assert done.returncode == 1
    assert f"{chain.prefix}posts" in done.stderr
    assert "modstream topics access" in done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [("decisions", "write the topic"), ("posts", "read the topic"), ("encode", "write the topic")],
)
def test_a_worker_that_lacks_a_topic_names_it_and_does_not_start(chain: Chain, name: str, words: str) -> None:
    created(chain)
    topic = f"{chain.prefix}{name}"
    grants = worker_grants(chain.settings, [Stage.INGEST, Stage.FUSE])
    weaker = Grant(Kind.TOPIC, topic, (DESCRIBE,))
    chain.grant(WORKER, [*without(grants, Kind.TOPIC, topic), weaker])
    said = refusal(chain, WORKER, [Stage.INGEST, Stage.FUSE])
    assert "does not let worker" in said
    assert f"{words} {topic}" in said


def test_a_worker_that_lacks_the_group_names_it(chain: Chain) -> None:
    created(chain)
    chain.grant(WORKER, without(worker_grants(chain.settings, ALL), Kind.GROUP, chain.settings.group))
    assert f"group {chain.settings.group}" in refusal(chain, WORKER)


def test_a_worker_that_lacks_its_transactional_id_names_it(chain: Chain) -> None:
    created(chain)
    group = chain.settings.group
    chain.grant(WORKER, without(worker_grants(chain.settings, ALL), Kind.TRANSACTIONAL_ID, f"{group}:"))
    said = refusal(chain, WORKER)
    assert f"transactional id {group}:one" in said


def test_what_is_revoked_while_a_worker_runs_ends_it_and_loses_nothing(chain: Chain) -> None:
    created(chain)
    chain.grant(WORKER, worker_grants(chain.settings, ALL))
    process = chain.worker(WORKER)
    process.wait_ready()
    published(chain, 5)
    assert len(decided(chain, 5)) == 5
    chain.revoke_all()
    chain.grant(WORKER, without(worker_grants(chain.settings, ALL), Kind.TOPIC, f"{chain.prefix}confidence"))
    published(chain, 10)
    assert process.popen.wait(120) == 1
    assert f"{chain.prefix}confidence" in process.log.read_text()
    chain.grant(WORKER, worker_grants(chain.settings, ALL))
    chain.worker(WORKER).wait_ready()
    assert decided(chain, 15) == {f"p-{at}" for at in range(10)}
