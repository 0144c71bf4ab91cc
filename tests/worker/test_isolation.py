"""A batch that raises is halved until the items at fault are found; all others come through, in order."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.contract import Outcome, ProcessingError, TransientError
from processors.isolation import run_batch, run_isolating
from schemas import Cause, Record, Stage, Status
from tests.worker.parts import Scripted, record_of, text_of


class Fragile:
    """Raises when one of `poisonous` is in the batch."""

    def __init__(self, *poisonous: str) -> None:
        self.calls = 0
        self._poisonous = set(poisonous)

    def __call__(self, batch: Sequence[Record]) -> Sequence[Outcome]:
        self.calls += 1
        if found := self._poisonous.intersection(map(text_of, batch)):
            raise ValueError(f"bad {min(found)}")
        return list(batch)


def records(*texts: str) -> list[Record]:
    return [record_of(text) for text in texts]


def errors(outcomes: Sequence[Outcome]) -> list[str]:
    return [text_of(entry) if isinstance(entry, Record) else f"{entry.cause}: {entry.reason}" for entry in outcomes]


def test_a_batch_that_works_is_one_call() -> None:
    process = Fragile()
    batch = records("a", "b", "c")
    assert run_isolating(process, batch) == (batch, 0)
    assert process.calls == 1


def test_no_items_are_no_call() -> None:
    process = Fragile()
    assert run_isolating(process, []) == ([], 0)
    assert process.calls == 0


def test_the_poison_is_found_and_the_others_come_through_in_order() -> None:
    outcomes, isolated = run_isolating(Fragile("c"), records("a", "b", "c", "d", "e"))
    assert errors(outcomes) == ["a", "b", "poison: ValueError: bad c", "d", "e"]
    assert isolated == 1


def test_what_was_raised_is_kept_as_the_cause() -> None:
    (found,), _ = run_isolating(Fragile("a"), records("a"))
    assert isinstance(found, ProcessingError)
    assert isinstance(found.__cause__, ValueError)


@given(st.integers(1, 200), st.data())
def test_one_poison_among_n_takes_about_2_log2_n_calls(size: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, size - 1))
    process = Fragile(str(at))
    outcomes, isolated = run_isolating(process, records(*map(str, range(size))))
    assert [text_of(entry) for entry in outcomes if isinstance(entry, Record)] == [
        str(other) for other in range(size) if other != at
    ]
    assert isolated == 1
    assert process.calls <= 1 + 2 * ceil(log2(size))


@given(st.lists(st.booleans(), max_size=40))
def test_any_number_of_poisons_is_found(poisonous: list[bool]) -> None:
    names = [str(at) for at in range(len(poisonous))]
    process = Fragile(*(name for name, bad in zip(names, poisonous, strict=True) if bad))
    outcomes, isolated = run_isolating(process, records(*names))
    assert [isinstance(entry, ProcessingError) for entry in outcomes] == poisonous
    assert isolated == sum(poisonous)
    assert [text_of(entry) for entry in outcomes if isinstance(entry, Record)] == [
        name for name, bad in zip(names, poisonous, strict=True) if not bad
    ]


def test_a_passing_fault_of_the_whole_batch_is_not_halved() -> None:
    calls: list[int] = []

    def away(batch: Sequence[Record]) -> Sequence[Outcome]:
        calls.append(len(batch))
        raise TransientError("transient", "the store is away")

    outcomes, isolated = run_isolating(away, records("a", "b", "c"))
    assert all(isinstance(entry, TransientError) for entry in outcomes)
    assert (len(outcomes), isolated, calls) == (3, 0, [3])


def test_a_processors_own_verdict_is_kept_word_for_word() -> None:
    def refuses(batch: Sequence[Record]) -> Sequence[Outcome]:
        if any(text_of(record) == "b" for record in batch):
            raise ProcessingError(Cause.TOO_LARGE, "9 windows", "text")
        return list(batch)

    outcomes, _ = run_isolating(refuses, records("a", "b"))
    assert errors(outcomes) == ["a", "too_large: 9 windows"]


def test_outcomes_that_are_too_few_are_a_fault_not_a_shift() -> None:
    """Handing one post's outcome to another would be far worse than giving posts up."""

    def loses_one(batch: Sequence[Record]) -> Sequence[Outcome]:
        return [record for record in batch if text_of(record) != "b"]

    outcomes, _ = run_isolating(loses_one, records("a", "b", "c"))
    assert errors(outcomes) == ["a", "poison: RuntimeError: 0 outcomes for a batch of 1", "c"]


def test_an_interpreter_that_ends_is_not_a_poison() -> None:
    def exits(_batch: Sequence[Record]) -> Sequence[Outcome]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_isolating(exits, records("a"))


def test_a_modality_that_cannot_be_read_is_noted_and_the_record_goes_on() -> None:
    processor = Scripted(Stage.INGEST)
    first, unread, last = run_batch(processor, records("a", "unread", "b"))
    assert isinstance(unread, Record)
    assert unread.modalities["image"].status is Status.FAILED
    assert unread.modalities["image"].reason == "truncated JPEG"
    assert (errors([first]), errors([last])) == (["a"], ["b"])
    assert processor.calls == [["a", "b"]]


def test_what_breaks_prepare_is_poison_and_never_reaches_the_engine() -> None:
    processor = Scripted(Stage.INGEST)
    outcomes = run_batch(processor, records("unprepared", "a"))
    assert errors(outcomes) == ["poison: ZeroDivisionError: no tokens", "a"]
    assert processor.calls == [["a"]]
