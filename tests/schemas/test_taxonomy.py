"""The vocabularies of version 1, in their published order."""

from __future__ import annotations

from itertools import permutations

from schemas import ACTION_ORDER, ATTACKS, LABELS, MODALITIES, TARGETS, Action, Stage, strictest


def test_the_names_are_the_published_ones() -> None:
    assert ", ".join(LABELS) == (
        "abuse, hate, harassment, insult, threat, violence, sexual, self_harm, profanity, "
        "sexism, extremism, spam, misinformation"
    )
    assert ", ".join(TARGETS) == (
        "race, religion, nationality, sex, sexual_orientation, disability, age, political, other"
    )
    assert ", ".join(ATTACKS) == "contempt, mocking, inferiority, slurs, exclusion, dehumanizing, inciting_violence"
    assert MODALITIES == ("text", "ocr", "image", "speech")
    assert [*Stage] == ["ingest", "fetch", "ocr", "asr", "pack", "encode", "fuse", "retry"]


def test_the_strictest_action_wins_in_any_order() -> None:
    for actions in permutations(Action):
        assert strictest(*actions) is Action.BLOCK
    assert strictest(Action.APPROVE, Action.REVIEW) is Action.REVIEW
    assert strictest() is Action.APPROVE
    assert set(ACTION_ORDER) == set(Action)
