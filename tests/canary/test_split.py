"""Each post is judged by one pack from windows to decision, and by the live one where the canary fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from processors.canary import LIVE, TAKEN_BACK, Split, TakenBack
from processors.chain import Models, build_chain
from processors.contract import BatchPolicy, Outcome, Processor, TransientError
from processors.isolation import run_batch
from schemas import Decision, Record, Stage
from tests.ingested import post_of
from tests.two_packs import OPTIONS, Judges, ingested, write_judges

JUDGING = (Stage.PACK, Stage.ENCODE, Stage.FUSE)
CANARY_POST, LIVE_POST = "canary", "live"


class ByName:
    """Chooses the posts whose id begins with `canary`."""

    name = "other@1 other@2"

    def __init__(self) -> None:
        self.off = False
        self.told: list[tuple[Stage, int, int, str]] = []

    def takes(self, post_id: str) -> bool:
        return post_id.startswith(CANARY_POST)

    def judged(self, stage: Stage, posts: int, failures: int, why: str = "") -> None:
        self.told.append((stage, posts, failures, why))


class Failing:
    """A processor that raises at a place."""

    def __init__(self, inner: Processor[Any], place: str, error: Exception) -> None:
        self.stage = inner.stage
        self.batching: BatchPolicy = inner.batching
        self._inner = inner
        self._place = place
        self._error = error

    def cost(self, record: Record, /) -> int:
        return self._inner.cost(record)

    def prepare(self, record: Record, /) -> Any:
        if self._place == "prepare":
            raise self._error
        return self._inner.prepare(record)

    def process(self, batch: Sequence[Any], /) -> Sequence[Outcome]:
        if self._place == "process":
            raise self._error
        return self._inner.process(batch)


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Judges:
    return write_judges(tmp_path_factory.mktemp("judges"))


@pytest.fixture(scope="module")
def live(judges: Judges) -> tuple[Models, dict[Stage, Any]]:
    models = judges.models()
    return models, {processor.stage: processor for processor in build_chain(OPTIONS, models, stages=JUDGING)}


@pytest.fixture(scope="module")
def other(judges: Judges) -> tuple[Models, dict[Stage, Any]]:
    models = judges.models(other_pack=True, other_policy=True)
    return models, {processor.stage: processor for processor in build_chain(OPTIONS, models, stages=JUDGING)}


Made = tuple[Models, dict[Stage, Any]]
Broken = Callable[[Stage, Any], Any]


def splits(live: Made, other: Made, choice: ByName, broken: Broken = lambda _, made: made) -> dict[Stage, Split]:
    return {stage: Split(live[1][stage], broken(stage, other[1][stage]), choice, windows=True) for stage in JUDGING}


def through(chain: dict[Stage, Split], records: Sequence[Record]) -> list[Record]:
    """The records at the end of their way; one that was taken back begins anew at `pack`."""
    at: dict[int, tuple[Record, Stage | None]] = {place: (record, Stage.PACK) for place, record in enumerate(records)}
    order = (*JUDGING, None)
    for _ in range(2 * len(JUDGING)):
        for stage in JUDGING:
            here = [place for place, (_, waits) in at.items() if waits is stage]
            for place, outcome in zip(here, run_batch(chain[stage], [at[place][0] for place in here]), strict=True):
                if isinstance(outcome, TakenBack):
                    at[place] = outcome.record, outcome.stage
                else:
                    assert isinstance(outcome, Record), outcome
                    at[place] = outcome, order[order.index(stage) + 1]
    assert all(waits is None for _, waits in at.values())
    return [record for record, _ in at.values()]


def decision(record: Record) -> Decision:
    assert record.decision is not None
    return replace(record.decision, timings_ms={})


def versions(record: Record) -> tuple[str, str]:
    found = decision(record).versions
    return found.pack.partition("@")[0], found.policy.partition("@")[0]


def posts() -> list[Record]:
    texts = {"live-1": "you are all scum", "canary-1": "you are all scum", "canary-2": "hello world", "live-2": "good"}
    return ingested(*(post_of(text, post_id=name) for name, text in texts.items()))


def test_each_post_is_judged_by_the_pack_and_policy_that_it_is_for(live: Made, other: Made) -> None:
    judged = through(splits(live, other, ByName()), posts())
    assert [versions(record) for record in judged] == [
        ("live", "live"),
        ("other", "other"),
        ("other", "other"),
        ("live", "live"),
    ]
    assert [decision(record).action for record in judged] == ["block", "review", "approve", "approve"]


def test_decisions_of_a_split_batch_are_those_of_each_pack_alone(live: Made, other: Made) -> None:
    records = posts()
    judged = through(splits(live, other, ByName()), records)
    never, always = ByName(), ByName()
    never.off = True
    always.takes = lambda _: True  # type: ignore[method-assign]
    alone = through(splits(live, other, never), records), through(splits(live, other, always), records)
    for place, record in enumerate(judged):
        mine = alone[record.post.post_id.startswith(CANARY_POST)][place]
        assert decision(record) == decision(mine)


@pytest.mark.parametrize("stage", JUDGING)
@pytest.mark.parametrize("place", ["prepare", "process"])
def test_what_the_canary_fails_on_gets_the_live_packs_decision_and_says_that_it_was_taken_back(
    live: Made, other: Made, stage: Stage, place: str
) -> None:
    choice = ByName()

    def broken(at: Stage, made: Any) -> Any:
        return Failing(made, place, ValueError("secret")) if at is stage else made

    records = posts()
    judged = through(splits(live, other, choice, broken), records)
    never = ByName()
    never.off = True
    expected = through(splits(live, other, never), records)
    assert [decision(record) for record in judged] == [decision(record) for record in expected]
    taken = [TAKEN_BACK in record.timings_ms for record in judged]
    assert taken == [False, True, True, False]
    assert [record.judge for record in judged] == [None, LIVE, LIVE, None]
    failures = [told for told in choice.told if told[2]]
    assert sum(told[2] for told in failures) == 2
    assert {(told[0], told[3]) for told in failures} == {(stage, "ValueError")}


def test_a_passing_fault_of_the_canary_is_tried_again_and_named_its_own(live: Made, other: Made) -> None:
    def broken(at: Stage, made: Any) -> Any:
        return (
            Failing(made, "prepare", TransientError("transient", "the store is away")) if at is Stage.ENCODE else made
        )

    chain = splits(live, other, ByName(), broken)
    [packed] = run_batch(chain[Stage.PACK], ingested(post_of("hello", post_id="canary-1")))
    assert isinstance(packed, Record)
    [outcome] = run_batch(chain[Stage.ENCODE], [packed])
    assert isinstance(outcome, TransientError)
    assert outcome.by_canary


def test_a_live_processor_that_raises_is_no_failure_of_the_canary(live: Made, other: Made) -> None:
    choice = ByName()
    fuse = Split(Failing(live[1][Stage.FUSE], "process", ValueError("x")), other[1][Stage.FUSE], choice, windows=True)
    [packed] = run_batch(live[1][Stage.PACK], ingested(post_of("hello", post_id="live-1")))
    assert isinstance(packed, Record)
    [encoded] = run_batch(live[1][Stage.ENCODE], [packed])
    assert isinstance(encoded, Record)
    [outcome] = run_batch(fuse, [encoded])
    assert getattr(outcome, "cause", None) == "poison"
    assert not getattr(outcome, "by_canary", True)
    assert not [told for told in choice.told if told[2]]


def test_once_the_canary_is_off_what_it_has_begun_elsewhere_begins_anew_with_the_live_pack(
    live: Made, other: Made
) -> None:
    elsewhere, here = ByName(), ByName()
    here.off = True
    [packed] = run_batch(splits(live, other, elsewhere)[Stage.PACK], ingested(post_of("hello", post_id="canary-1")))
    assert isinstance(packed, Record)
    assert packed.judge == ByName.name
    [outcome] = run_batch(splits(live, other, here)[Stage.ENCODE], [packed])
    assert isinstance(outcome, TakenBack)
    assert outcome.record.pack is None
    assert outcome.stage is Stage.PACK
    [again] = through(splits(live, other, elsewhere), [outcome.record])
    assert versions(again) == ("live", "live"), "also where another worker still chooses the canary"


def test_windows_that_the_live_pack_has_made_stay_with_it(live: Made, other: Made) -> None:
    """As where a worker that knows of the canary comes behind one that does not yet."""
    [packed] = run_batch(live[1][Stage.PACK], ingested(post_of("you are scum", post_id="canary-1")))
    assert isinstance(packed, Record)
    chain = splits(live, other, ByName())
    [encoded] = run_batch(chain[Stage.ENCODE], [packed])
    assert isinstance(encoded, Record)
    [fused] = run_batch(chain[Stage.FUSE], [encoded])
    assert isinstance(fused, Record)
    assert versions(fused) == ("live", "live")


def test_a_post_taken_back_begins_where_it_was_before_any_pack_saw_it(live: Made, other: Made) -> None:
    long_text = "the cat sat on the mat . " * 60
    [record] = ingested(post_of(long_text, post_id="canary-1"))
    [packed] = run_batch(splits(live, other, ByName())[Stage.PACK], [record])
    assert isinstance(packed, Record)
    assert packed.modalities["text"].status == "partial"
    here = ByName()
    here.off = True
    [outcome] = run_batch(splits(live, other, here)[Stage.ENCODE], [packed])
    assert isinstance(outcome, TakenBack)
    assert outcome.record.modalities == record.modalities


def test_where_only_the_policy_differs_the_live_one_takes_over_on_the_spot(live: Made, judges: Judges) -> None:
    [encoded] = run_batch(live[1][Stage.ENCODE], run_batch(live[1][Stage.PACK], posts()[1:2]))  # type: ignore[arg-type]
    assert isinstance(encoded, Record)
    [strict] = build_chain(OPTIONS, judges.models(other_policy=True), stages=[Stage.FUSE])
    found = Split(live[1][Stage.FUSE], Failing(strict, "process", ValueError("x")), ByName(), windows=False)  # type: ignore[arg-type]
    [fused] = run_batch(found, [encoded])
    assert isinstance(fused, Record)
    assert versions(fused) == ("live", "live")
    assert TAKEN_BACK in fused.timings_ms
    [fused] = run_batch(Split(live[1][Stage.FUSE], strict, ByName(), windows=False), [encoded])  # type: ignore[arg-type]
    assert isinstance(fused, Record)
    assert versions(fused) == ("live", "other")


def test_the_shipped_settings_make_no_split(tmp_path: Path, judges: Judges) -> None:
    from streams.beside import hosted
    from streams.settings import load_settings

    settings = load_settings(None, {**judges.environment(), "MODSTREAM_STORE__URL": str(tmp_path)}, {}).settings
    found = hosted(settings, "test", list(JUDGING))
    assert found.processors is found.live
    assert found.canary is None
    assert found.shadow is None


def test_windows_of_another_canary_begin_anew_with_the_live_pack(live: Made, other: Made) -> None:
    [packed] = run_batch(splits(live, other, ByName())[Stage.PACK], ingested(post_of("hello", post_id="canary-1")))
    assert isinstance(packed, Record)
    [outcome] = run_batch(splits(live, other, ByName())[Stage.FUSE], [replace(packed, judge="third@1 other@2")])
    assert isinstance(outcome, TakenBack)
