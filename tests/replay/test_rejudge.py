"""A policy over a published decision says what fuse would have said with it, or nothing: over posts of several parts,
badly read ones, and scores on every side of the thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from processors.encode import EncodeProcessor
from processors.fuse import FuseProcessor
from processors.pack.features import FEATURES
from processors.pack.processor import PackProcessor
from processors.packs import Pack, load_pack
from processors.policy import Policy, parse_policy
from schemas import Decision, InvalidMessage, Record, encode_decision
from schemas.replay import Judged
from streams.replay.published import Published, decode_published
from streams.replay.rejudge import REASONS, Needs, Rejudge, Undecided
from tests.fused import NOW_MS, Chain, decided
from tests.ingested import ingested, post_of, received
from tests.pictured import Shot, looked_at, with_pictures
from tests.tiny_fusion import add_tiny_fusion
from tests.tiny_image import add_tiny_image
from tests.tiny_pack import write_tiny_pack

POSTS = 150
POLICIES = 6
WORDS = ("hello world", "you are scum", "scum", "ab", "漢字 you", "the cat sat on the mat", "vermin 漢字漢字漢字")
RULES = (
    "any-flag: {when: size(flags) > 0, action: review, code: any, message: {en: Any.}}",
    "sure: {when: scores.hate > 0.6, action: block, code: hate, message: {en: Hate.}, flags: [surely]}",
    "severe: {when: severity >= 3, action: block, code: severe, message: {en: Severe.}}",
    "together: {when: '\"interaction.emergent\" in flags', action: block, code: both, message: {en: Both.}}",
    "badly-read: {when: modalities.ocr.weight < 0.8 && scores.abuse > 0.3, action: review, code: ocr, "
    "message: {en: Badly read.}, severity: 2}",
    "raised: {when: severity == 1, action: review, code: one, message: {en: One.}, severity: 4}",
)


def policy_of(name: str, rng: np.random.Generator, pack: Pack, base: dict[str, float] | None = None) -> Policy:
    """Some rules and some thresholds; of `base` all but one or two are kept."""
    thresholds = {of: round(float(rng.uniform(0.05, 0.95)), 4) for of in pack.thresholds}
    if base is not None:
        changed = set(rng.choice(sorted(thresholds), size=int(rng.integers(0, 3)), replace=False).tolist())
        thresholds = {of: value if of in changed else base[of] for of, value in thresholds.items()}
    rules = [rule for rule in RULES if rng.random() < 0.5]
    text = f"schema: policy/1\nname: {name}\nversion: '1'\nlayers:\n  default:\n    thresholds: " + msgspec.json.encode(
        thresholds
    ).decode().replace(",", ", ").replace(":", ": ")
    if rules:
        text += "\n    rules:\n" + "".join(f"      {rule}\n" for rule in rules)
    if rng.random() < 0.5:
        text += "\n  tenants: {acme: {thresholds: {abuse: 0.4}}, default: {thresholds: {abuse: 0.3}}}"
        text += "\n  languages: {en: {thresholds: {hate: 0.2}}}\n"
    return parse_policy(text.encode(), name, pack.thresholds, FEATURES)


@pytest.fixture(scope="module", params=["with a fusion", "without"])
def pack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = add_tiny_image(write_tiny_pack(tmp_path_factory.mktemp("packs") / "seeing", details=True))
    return load_pack(add_tiny_fusion(folder) if request.param == "with a fusion" else folder)


@pytest.fixture(scope="module")
def records(pack: Pack) -> list[Record]:
    chain = Chain(PackProcessor(pack), EncodeProcessor.of(pack, threads=1))
    return list(_records(chain, np.random.default_rng(8)))


def _records(chain: Chain, rng: np.random.Generator) -> Iterator[Record]:
    """Any mixture of parts, with logits near the thresholds."""
    for _ in range(POSTS):
        text = str(rng.choice(WORDS)) if rng.random() < 0.8 else None
        if text is not None and rng.random() < 0.4:
            record = chain.encoded(ingested(received(post_of(text))))
        else:
            lines = [str(rng.choice(WORDS))] if rng.random() < 0.8 else []
            shot = Shot(lines, confidence=float(rng.uniform(0.5, 1)), coverage=float(rng.choice([0.004, 0.2])))
            record = chain.encoded(with_pictures(shot, text=text, told=str(rng.choice(["en", "xx"], p=[0.9, 0.1]))))
        if record.encode is not None:
            logits = rng.normal(0, 2.5, record.encode.logits.shape).astype(np.float32)
            record = replace(record, encode=replace(record.encode, logits=logits))
        if record.fetch is not None:
            record = looked_at(record, rng.normal(0, 2.5, (1, 2)).tolist())
        yield record


def published(decision: Decision) -> Published:
    return decode_published(encode_decision(decision))


@pytest.mark.parametrize("known", [True, False], ids=["policy known", "policy unknown"])
@pytest.mark.parametrize("close", [True, False], ids=["few changes", "many changes"])
def test_what_is_decided_is_what_fuse_decides(known: bool, close: bool, pack: Pack, records: list[Record]) -> None:
    rng = np.random.default_rng(21)
    answers: Counter[str] = Counter()
    for at in range(POLICIES):
        before = policy_of("before", rng, pack)
        base = {of: value.value for of, value in before.document.layers["default"].thresholds.items()}
        after = policy_of("after", rng, pack, base if close else None)
        then = FuseProcessor(pack, before, code="test", clock=lambda: NOW_MS)
        now = FuseProcessor(pack, after, code="test", clock=lambda: NOW_MS)
        rejudge = Rejudge(pack, after, before if known else None)
        for record in records:
            found = rejudge.judge(published(decided(then, record)), record.post)
            if isinstance(found, Undecided):
                assert found.code in REASONS
                answers[found.code] += 1
                continue
            expected = decided(now, record)
            said = (found.action, found.flags, found.labels, found.rules)
            rules = tuple(reason.rule for reason in expected.reasons)
            assert said == (expected.action, expected.flags, expected.labels, rules), (at, record.post)
            assert found.severity in (None, expected.severity), (at, record.post)
            answers["decided"] += 1
    assert answers["not_reproduced"] == 0
    assert answers["decided"] > (0.5 if close and known else 0.1) * answers.total(), answers
    assert answers.keys() & {"gating", "interaction", "severity"}, answers


def test_posts_are_needed_for_what_decisions_lack_and_for_nothing_else(pack: Pack) -> None:
    def needs(layers: str) -> Needs:
        text = f"schema: policy/1\nname: n\nversion: '1'\nlayers:\n{layers}"
        return Needs.of([parse_policy(text.encode(), "n", pack.thresholds, FEATURES)])

    rule = "  default:\n    rules:\n      r: {when: '%s', action: review, code: c, message: {en: M.}}\n"
    assert not needs("  default: {}\n  tenants:\n    acme: {}\n  languages:\n    de: {}\n").post
    assert not needs(rule % 'post.tenant == "acme" && post.lang == "de" && scores.abuse > 0.1').post
    assert needs("  default: {}\n  regions:\n    EU: {}\n").post
    assert needs(rule % "post.reach > 10.0") == Needs(post=True, features=frozenset())
    assert needs(rule % "features.letters > 10.0") == Needs(post=True, features=frozenset({"letters"}))


def test_a_feature_that_only_media_have_is_not_guessed(pack: Pack, records: list[Record]) -> None:
    rule = "{when: features.ocr_lines > 0.0, action: review, code: c, message: {en: M.}}"
    text = f"schema: policy/1\nname: n\nversion: '1'\nlayers:\n  default:\n    rules:\n      r: {rule}\n"
    rejudge = Rejudge(pack, parse_policy(text.encode(), "n", pack.thresholds, FEATURES))
    fuser = FuseProcessor(pack, policy_of("before", np.random.default_rng(1), pack), code="t", clock=lambda: NOW_MS)
    with_media = next(record for record in records if record.post.media)
    assert rejudge.judge(published(decided(fuser, with_media)), with_media.post) == Undecided("features")


def test_a_decision_of_the_same_policy_stays_as_it_is(pack: Pack, records: list[Record]) -> None:
    policy = policy_of("same", np.random.default_rng(4), pack)
    fuser = FuseProcessor(pack, policy, code="test", clock=lambda: NOW_MS)
    for record in records[:20]:
        decision = published(decided(fuser, record))
        found = Rejudge(pack, policy).judge(decision)
        assert isinstance(found, Judged)
        assert found == decision.judged


@pytest.mark.parametrize(
    "change",
    [{"labels": {"abuse": 7.0}}, {"labels": {"abuse": "high"}}, {"flags": ["x"] * 2000}, {"source": None}],
    ids=["over 1", "no number", "too many", "no source"],
)
def test_what_is_no_decision_is_refused(change: dict[str, object], pack: Pack, records: list[Record]) -> None:
    fuser = FuseProcessor(pack, policy_of("p", np.random.default_rng(1), pack), code="t", clock=lambda: NOW_MS)
    whole = msgspec.json.decode(encode_decision(decided(fuser, records[0])))
    with pytest.raises(InvalidMessage):
        decode_published(msgspec.json.encode({**whole, **change}))
