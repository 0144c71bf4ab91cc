"""The shipped pack and policy decide as they did when somebody last looked at it."""

from __future__ import annotations

import msgspec
import pytest

from schemas import ACTION_ORDER, decode_post
from tests.golden.decided import POSTS, TOLERANCE, Golden, decided, differences, written

RENEW = "look at it, then run `python -m tests.golden --write`"


@pytest.mark.parametrize("post_id", written())
def test_a_post_is_decided_as_it_was(post_id: str) -> None:
    assert post_id in decided(), RENEW
    assert list(differences(written()[post_id], decided()[post_id])) == [], RENEW


def test_every_golden_post_has_a_golden_decision() -> None:
    posts = [decode_post(line).post_id for line in POSTS.read_bytes().splitlines()]
    assert posts == list(written()), RENEW


def test_the_golden_posts_lead_to_more_than_one_action_and_language() -> None:
    assert len({golden.action for golden in written().values()} & {action.value for action in ACTION_ORDER}) > 1
    assert len({golden.lang for golden in written().values()}) > 6


def test_what_moves_no_more_than_between_machines_is_no_difference() -> None:
    before = next(golden for golden in written().values() if golden.labels)
    label, probability = next(iter(before.labels.items()))

    def moved(by: float) -> Golden:
        return msgspec.structs.replace(before, labels={**before.labels, label: probability + by})

    assert list(differences(before, moved(TOLERANCE / 2))) == []
    assert len(list(differences(before, moved(2 * TOLERANCE)))) == 1
    assert len(list(differences(before, msgspec.structs.replace(before, action="other", labels={})))) > 1
