"""Where in a post the text expert found what it found: in code points as posted, whatever was posted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from processors.chain import ChainOptions, Models, build_chain, run_chain
from processors.encode import AttributionOptions, Attributor, EncodeProcessor
from processors.engines import Engine, Runner
from processors.fuse import EvidenceLimits, FuseProcessor
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from processors.policy import parse_policy
from schemas import Action, Attribution, Record, Stage
from tests.fused import NOW_MS, Chain
from tests.ingested import ingested, post_of, received

STRICT_ELSEWHERE = """
schema: policy/1
name: test
version: "1"
layers:
  default: {}
  tenants:
    strict:
      thresholds: {abuse: 0.001}
"""

TEXTS = (
    "hello world. you are scum. good day",
    "hello world",
    "you vermin",
    "vermin. scum. vermin",
    "you s-c-u-m",
    "scum\u200bscum",
)

POLICY = """
schema: policy/1
name: test
version: "1"
layers:
  default:
    rules:
      seen:
        when: scores.abuse > 0.3
        action: review
        code: abuse
        message: {en: seen}
"""


def attributed(chain: Chain, text: str, *, title: str | None = None, disguised: bool = False) -> list[Attribution]:
    record = chain.encoded(ingested(received(post_of(text, title=title)), disguised=disguised))
    assert record.encode is not None
    return list(record.encode.attributions)


def shown(text: str, found: Sequence[Attribution], label: str = "abuse") -> list[str]:
    return [text[one.start : one.end] for one in found if one.label == label]


def test_the_words_that_count_are_found_in_their_sentence(chain: Chain) -> None:
    text = "hello world. you are scum. good day"
    found = attributed(chain, text)
    assert {one.label for one in found} == {"abuse", "hate"}
    assert shown(text, found) == shown(text, found, "hate") == ["scum"]
    assert all(one.field == "text" and one.weight > 0 for one in found)


def test_a_disguised_word_is_found_as_it_was_posted(chain: Chain) -> None:
    text = "hello world. you are s-c-u-m"
    assert attributed(chain, text) == []
    assert shown(text, attributed(chain, text, disguised=True)) == ["s-c-u-m"]


def test_what_several_sentences_say_is_found_in_each(chain: Chain) -> None:
    text = "you scum. the cat. you vermin"
    assert shown(text, attributed(chain, text)) == ["scum", "vermin"]


def test_words_side_by_side_are_one_stretch_without_the_marks_around_it(chain: Chain) -> None:
    text = "hello (scum vermin)!"
    assert shown(text, attributed(chain, text)) == ["scum vermin"]


def test_a_title_counts_in_its_own_code_points_and_the_parent_never(chain: Chain, packer: PackProcessor) -> None:
    [abuse, _] = attributed(chain, "hello world", title="the scum")
    assert (abuse.field, abuse.start, abuse.end) == ("title", 4, 8)
    parent = chain.encoded(ingested(received(post_of("hello", parent="vermin"))))
    assert parent.encode is not None
    assert all(one.field != "parent" for one in parent.encode.attributions)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=8))
def test_a_post_gets_the_same_attributions_in_any_company(
    packer: PackProcessor, encoder: EncodeProcessor, pack: Pack, opened: tuple[Engine, Runner], batch: list[str]
) -> None:
    records = [packer.prepare(ingested(received(post_of(text)), disguised=True)) for text in batch]
    together = encoder.process([encoder.prepare(record) for record in records])
    for record, outcome in zip(records, together, strict=True):
        fresh = EncodeProcessor(*opened, graph="text", attributor=attributor(pack))
        [alone] = fresh.process([fresh.prepare(record)])
        assert isinstance(alone, Record)
        assert isinstance(outcome, Record)
        assert alone.encode is not None
        assert outcome.encode is not None
        assert alone.encode.attributions == outcome.encode.attributions


def attributor(pack: Pack, **options: int) -> Attributor:
    return Attributor(pack, AttributionOptions(**options))


def test_a_post_under_all_thresholds_costs_nothing(chain: Chain, encoder: EncodeProcessor) -> None:
    assert attributed(chain, "hello world. the cat sat. good day") == []
    assert encoder.statistics.rows == 1


def test_words_are_remembered(chain: Chain, encoder: EncodeProcessor) -> None:
    attributed(chain, "you are scum")
    first = encoder.statistics.rows
    assert first > 1 + 3
    attributed(chain, "you are scum")
    assert encoder.statistics.rows == first + 1


class Counted:
    """A text expert that finds everything bad, and counts the rows that it was given."""

    def __init__(self) -> None:
        self.rows: list[NDArray[np.int32]] = []

    def __call__(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        self.rows += rows
        return np.array([[len(row), 0.0, 0.0] for row in rows], np.float32)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_no_more_sentences_are_left_out_than_the_setting_says(pack: Pack, packer: PackProcessor, rows: int) -> None:
    record = packer.prepare(ingested(received(post_of("a b. a b. a b. a b."))))
    assert record.pack is not None
    [window] = record.pack.windows
    count = Counted()
    logits = np.array([[9.0, -9.0, 0.0]], np.float32)
    attributor(pack, rows=rows).attribute([record], [logits], count)
    left_out = [row for row in count.rows if len(row) > len(window.ids) // 2]
    assert len(left_out) == 1  # all four are equal, and equal rows are run once
    record = packer.prepare(ingested(received(post_of("a b. c d. e f. g h."))))
    different = Counted()
    attributor(pack, rows=rows).attribute([record], [logits], different)
    assert len([row for row in different.rows if len(row) > len(window.ids) // 2]) == rows


def test_words_are_left_out_too_where_the_setting_says_so(pack: Pack, packer: PackProcessor) -> None:
    record = packer.prepare(ingested(received(post_of("you are all scum"))))
    assert record.pack is not None
    logits = np.array([[9.0, -9.0, 0.0]], np.float32)
    without, beside = Counted(), Counted()
    attributor(pack).attribute([record], [logits], without)
    attributor(pack, word_rows=2).attribute([record], [logits], beside)
    assert len(beside.rows) == len(without.rows) + 2


def test_rows_without_numbers_are_no_attribution(pack: Pack, packer: PackProcessor) -> None:
    record = packer.prepare(ingested(received(post_of("you are scum. the cat"))))
    logits = np.array([[9.0, 9.0, 0.0]], np.float32)

    def broken(rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        return np.full((len(rows), 3), np.nan, np.float32)

    assert attributor(pack).attribute([record], [logits], Counted()) != [()]
    assert attributor(pack).attribute([record], [logits], broken) == [()]
    assert attributor(pack).attribute([record], [logits * np.nan], Counted()) == [()]


@pytest.mark.parametrize(
    "text",
    [
        "scum. " * 16_000,
        "s\u200bc\u200bu\u200bm " * 12_000,
        "\u200b" * 90_000 + "scum",
        "scum" * 25_000,
        "。" * 50_000 + "scum",
        "https://example.org/" + "a" * 90_000 + " scum",
        "\n".join(["you are", "scum", ""] * 8_000),
    ],
)
def test_hostile_texts_have_attributions_within_their_bounds(chain: Chain, encoder: EncodeProcessor, text: str) -> None:
    record = chain.encoded(ingested(received(post_of(text)), disguised=True))
    assert record.pack is not None
    assert record.encode is not None
    for one in record.encode.attributions:
        assert 0 <= one.start < one.end <= len(text)
    windows = len(record.pack.windows)
    tokens = max((len(window.ids) for window in record.pack.windows), default=0)
    # One worst window: its words, its empty fields, and the two sentences that may be left out.
    assert encoder.statistics.rows <= windows + tokens + 1 + 2


def test_a_decision_shows_the_words_instead_of_the_window(chain: Chain, pack: Pack) -> None:
    policy = parse_policy(POLICY.encode(), "test.yaml", pack.thresholds, ())
    fuser = FuseProcessor(pack, policy, code="test", clock=lambda: NOW_MS)
    text = "hello world. you are scum. good day"
    decision = chain.decision(fuser, ingested(received(post_of(text))))
    assert decision.action is Action.REVIEW
    [piece] = decision.evidence
    assert (piece.span, piece.text) == ((21, 25), "scum")
    assert piece.score == max(decision.labels["abuse"], decision.labels["hate"])
    assert decision.reasons[0].evidence == (0,)


def test_windows_that_nothing_was_attributed_in_are_shown_as_before(chain: Chain, pack: Pack) -> None:
    policy = parse_policy(POLICY.encode(), "test.yaml", pack.thresholds, ())
    fuser = FuseProcessor(pack, policy, code="test", limits=EvidenceLimits(), clock=lambda: NOW_MS)
    text = "you are scum" + " the cat sat on the mat" * 8 + " you are vermin"
    decision = chain.decision(fuser, ingested(received(post_of(text))))
    texts = [piece.text or "" for piece in decision.evidence]
    assert any(one in ("scum", "vermin") for one in texts)
    assert any(len(one) > 12 and ("scum" in one or "vermin" in one) for one in texts)


def test_nothing_is_asked_where_it_may_cost_nothing(pack: Pack) -> None:
    policy = parse_policy(POLICY.encode(), "test.yaml", pack.thresholds, ())
    for rows, asked in ((0, False), (1, True)):
        options = ChainOptions(code="test", threads=1, attribution=AttributionOptions(rows=rows))
        processors = build_chain(options, Models(pack, policy), stages=[Stage.PACK, Stage.ENCODE])
        [outcome] = run_chain(processors, [ingested(received(post_of("you are scum")))])
        assert isinstance(outcome, Record)
        assert outcome.encode is not None
        assert bool(outcome.encode.attributions) is asked


def test_the_thresholds_are_those_of_the_posts_policy(pack: Pack) -> None:
    policy = parse_policy(STRICT_ELSEWHERE.encode(), "test.yaml", pack.thresholds, ())
    options = ChainOptions(code="test", threads=1)
    processors = build_chain(options, Models(pack, policy), stages=[Stage.PACK, Stage.ENCODE])
    posts = [post_of("hello world", tenant=tenant) for tenant in ("default", "strict")]
    outcomes = run_chain(processors, [ingested(received(post)) for post in posts])
    rows = next(processor for processor in processors if isinstance(processor, EncodeProcessor)).statistics.rows
    assert all(isinstance(outcome, Record) for outcome in outcomes)
    # Two windows; then the strict tenant's words "hello" and "world" and the window without any.
    assert rows == 2 + 3
