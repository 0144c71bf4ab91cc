"""What decisions say besides labels, from the heads of a pack that has such: targets, attacks, openness, severity."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from processors.encode import EncodeProcessor
from processors.fuse import FuseProcessor
from processors.fuse.details import Details
from processors.pack.features import FEATURES
from processors.pack.processor import PackProcessor
from processors.packs import Pack, load_pack
from processors.policy import parse_policy
from schemas import Decision, EncodeSection, decode_decision, encode_decision
from tests.fused import LENIENT, NOW_MS, Chain
from tests.ingested import ingested, post_of, received
from tests.tiny_pack import DETAILS, HEADS, write_tiny_pack

TARGETS, ATTACKS = {"race", "sex"}, {"contempt", "slurs"}


@pytest.fixture(scope="module")
def detailed(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(write_tiny_pack(tmp_path_factory.mktemp("packs") / "detailed", details=True))


@pytest.fixture(scope="module")
def chain(detailed: Pack) -> Chain:
    return Chain(PackProcessor(detailed), EncodeProcessor.of(detailed, threads=1))


def fuser_of(pack: Pack, layer: str = "{}") -> FuseProcessor:
    policy = parse_policy(LENIENT.replace("{}", layer).encode(), "test.yaml", pack.thresholds, FEATURES)
    return FuseProcessor(pack, policy, code="test", clock=lambda: NOW_MS)


@pytest.fixture(scope="module")
def fuser(detailed: Pack) -> FuseProcessor:
    return fuser_of(detailed)


def decided(pack: Pack, fuser: FuseProcessor, *windows: dict[str, float]) -> Decision:
    """The decision on a post of as many windows, whose heads have these logits and -9 where none is given."""
    names = pack.manifest.text.heads
    logits = np.array([[window.get(name, -9.0) for name in names] for window in windows], np.float32)
    text = "hello world . " * (1 if len(windows) == 1 else 15)
    record = PackProcessor(pack).prepare(ingested(received(post_of(text))))
    assert record.pack is not None
    shown = replace(record.pack, windows=record.pack.windows[: len(windows)])
    assert len(shown.windows) == len(windows)
    section = EncodeSection(logits=logits, embedding=np.zeros(8, np.float32))
    decision = fuser.prepare(replace(record, pack=shown, encode=section)).decision
    assert decision is not None
    return decision


def test_targets_and_attacks_of_every_measured_head_are_published_with_three_decimals(
    chain: Chain, fuser: FuseProcessor
) -> None:
    for text in ("hello world", "you are all scum"):
        decision = chain.decision(fuser, ingested(received(post_of(text))))
        assert (set(decision.targets), set(decision.attacks)) == (TARGETS, ATTACKS)
        found = [*decision.targets.values(), *decision.attacks.values()]
        assert found == [round(probability, 3) for probability in found]
        assert set(decision.labels) == {"abuse", "hate"}
        assert decode_decision(encode_decision(decision)) == decision


def test_hate_is_refined_by_the_targets_over_the_pack_s_thresholds(chain: Chain, fuser: FuseProcessor) -> None:
    record = chain.fused(fuser, ingested(received(post_of("you are all scum"))))
    decision = record.decision
    assert decision is not None
    assert decision.flags == ("abuse", "hate", "hate.race")
    [refined] = [flag for flag in record.flags if flag.flag == "hate.race"]
    assert (refined.probability, refined.threshold) == (decision.targets["race"], 0.6)
    assert chain.decision(fuser, ingested(received(post_of("hello world")))).flags == ()


def test_a_policy_may_set_another_threshold_for_a_target(chain: Chain, detailed: Pack) -> None:
    strict = fuser_of(detailed, "{thresholds: {hate.race: 1.0, hate.sex: 0.0}}")
    decision = chain.decision(strict, ingested(received(post_of("you are all scum"))))
    assert decision.flags == ("abuse", "hate", "hate.sex")


def test_a_target_is_as_probable_as_in_the_window_that_shows_it_most(detailed: Pack, fuser: FuseProcessor) -> None:
    decision = decided(detailed, fuser, {"target.race": 0.0}, {"target.race": 2.0, "abuse": 3.0})
    assert decision.targets == {"race": 0.881, "sex": 0.0}


@pytest.mark.parametrize(
    ("windows", "explicitness"),
    [
        ([{"abuse": 3.0, "implicit": 2.0}], "implicit"),
        ([{"abuse": 3.0, "implicit": -2.0}], "explicit"),
        ([{"abuse": -3.0, "implicit": 2.0}], None),
        ([{"abuse": 3.0, "implicit": -2.0}, {"abuse": -3.0, "implicit": 5.0}], "explicit"),
    ],
    ids=["implicit", "explicit", "not abusive", "a harmless window has no say"],
)
def test_only_abuse_is_said_openly_or_not(
    detailed: Pack, fuser: FuseProcessor, windows: list[dict[str, float]], explicitness: str | None
) -> None:
    assert decided(detailed, fuser, *windows).explicitness == explicitness


@pytest.mark.parametrize(
    ("logits", "severity"),
    [
        ({"abuse": 0.2}, 1),
        ({"abuse": 0.2, "severity.2": 2.0}, 2),
        ({"abuse": 0.2, "severity.3": 2.0}, 3),
        ({"abuse": 9.0, "severity.2": 2.0}, 3),
        ({"severity.2": 2.0, "severity.3": 2.0}, 0),
    ],
    ids=["labels alone", "at least 2", "at least 3", "labels say more", "nothing is flagged"],
)
def test_measured_severity_raises_that_of_the_labels(
    detailed: Pack, fuser: FuseProcessor, logits: dict[str, float], severity: int
) -> None:
    assert decided(detailed, fuser, logits).severity == severity


def test_a_pack_without_such_heads_says_nothing_of_them(pack: Pack) -> None:
    bare = Chain(PackProcessor(pack), EncodeProcessor.of(pack, threads=1))
    decision = bare.decision(fuser_of(pack), ingested(received(post_of("you are all scum"))))
    assert (decision.targets, decision.attacks, decision.explicitness) == ({}, {}, None)
    assert decision.flags == ("abuse", "hate")


def test_a_post_without_words_has_no_targets(detailed: Pack, fuser: FuseProcessor) -> None:
    record = PackProcessor(detailed).prepare(ingested(received(post_of(" "))))
    decision = fuser.prepare(record).decision
    assert decision is not None
    assert (decision.targets, decision.attacks, decision.explicitness) == ({}, {}, None)


def test_rounding_comes_before_the_threshold_of_openness() -> None:
    assert Details.of({"implicit": 0.5004}).explicitness(0.5, abusive=True) == "explicit"
    assert Details.of({"implicit": 0.5006}).explicitness(0.5, abusive=True) == "implicit"
    assert Details.of({}).explicitness(None, abusive=True) is None


def test_the_tiny_pack_has_the_heads_that_these_tests_speak_of(detailed: Pack) -> None:
    assert detailed.manifest.text.heads == (*HEADS, *DETAILS)
