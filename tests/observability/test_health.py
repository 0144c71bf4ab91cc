from __future__ import annotations

import json

import pytest

from streams.health import Check, Health, Ready
from tests.observability.instruments import SetClock


@pytest.fixture
def health(clock: SetClock) -> Health:
    return Health(ticket_age_limit_s=300, clock=clock, heartbeat_limit_s=30, start_limit_s=600)


def failing(check: Check) -> dict[str, str]:
    assert check.ok == all(condition.ok for condition in check.conditions)
    return {condition.name: condition.reason for condition in check.conditions if not condition.ok}


def make_ready(health: Health) -> None:
    health.beat()
    for condition in (Ready.JOINED, Ready.MODELS, Ready.BROKER):
        health.set(condition, True, "so it is")


def test_a_worker_that_loads_its_models_is_alive_and_not_ready(health: Health) -> None:
    assert failing(health.live()) == {}
    assert set(failing(health.ready())) == {"joined", "models", "broker"}


def test_a_worker_that_never_starts_to_turn_is_given_up(health: Health, clock: SetClock) -> None:
    clock.now += 601
    assert failing(health.live()) == {"loop": "the loop has not begun to turn, started 601.0 s ago (limit 600 s)"}


def test_a_loop_that_hangs_is_dead_and_one_that_turns_again_is_not(health: Health, clock: SetClock) -> None:
    health.beat()
    clock.now += 30
    assert failing(health.live()) == {}
    clock.now += 1
    assert failing(health.live()) == {"loop": "the loop last turned 31.0 s ago (limit 30 s)"}
    health.beat()
    assert failing(health.live()) == {}


def test_a_message_that_hangs_makes_the_worker_dead_although_its_loop_turns(health: Health, clock: SetClock) -> None:
    health.oldest_ticket(clock.now)
    clock.now += 301
    health.beat()
    assert set(failing(health.live())) == {"tickets"}
    health.oldest_ticket(None)
    assert failing(health.live()) == {}


def test_a_worker_is_ready_when_everything_holds(health: Health) -> None:
    make_ready(health)
    check = health.ready()
    assert check.ok
    assert {condition.name for condition in check.conditions} == {"loop", "tickets", *Ready}


@pytest.mark.parametrize("condition", list(Ready))
def test_each_condition_alone_keeps_a_worker_from_being_ready_but_not_alive(health: Health, condition: Ready) -> None:
    make_ready(health)
    health.set(condition, False, "for this reason")
    assert failing(health.ready()) == {condition: "for this reason"}
    assert health.live().ok
    health.set(condition, True, "again")
    assert health.ready().ok


def test_a_worker_that_is_dead_is_not_ready(health: Health, clock: SetClock) -> None:
    make_ready(health)
    clock.now += 31
    assert set(failing(health.ready())) == {"loop"}


def test_the_answer_names_every_condition_with_its_reason(health: Health) -> None:
    make_ready(health)
    health.set(Ready.VERSIONS, False, "moderation.fuse[3] holds record/2")
    answer = json.loads(health.ready().to_json())
    assert answer["ok"] is False
    assert {"name": "versions", "ok": False, "reason": "moderation.fuse[3] holds record/2"} in answer["conditions"]
