"""What attribution costs and remembers at most, and that neither shows in what it finds."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from processors.encode import AttributionOptions, Attributor, EncodeProcessor
from processors.encode.attribution import REMEMBERED_TOKENS
from processors.engines import Engine, Runner
from processors.pack.processor import PackProcessor
from processors.packs import Pack
from schemas import Attribution, Record
from schemas.record import decode_record, encode_record
from tests.fused import Chain
from tests.ingested import ingested, post_of, received
from tests.pictured import Shot, with_pictures

SURE = np.array([[9.0, 9.0, 0.0]], np.float32)
WORDS = ("the", "cat", "sat", "on", "mat", "dog")
TEXTS = [f"hello {word} world. you are scum {word}. good day vermin" for word in WORDS]


class Asked:
    """A text expert to which a row is the worse the larger its ids are; it counts what it was asked."""

    def __init__(self, noise: float = 0.0) -> None:
        self.rows: list[NDArray[np.int32]] = []
        self._noise = noise

    def __call__(self, rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        self.rows += rows
        found = np.array([[row.sum() / 50, len(row) / 10, 0.0] for row in rows], np.float32)
        return found + np.float32(self._noise * (-1) ** len(self.rows))

    @property
    def tokens(self) -> int:
        return sum(map(len, self.rows))


def packed(packer: PackProcessor, text: str) -> Record:
    return packer.prepare(ingested(received(post_of(text))))


def found_in(attributor: Attributor, record: Record, run: Asked) -> tuple[Attribution, ...]:
    assert record.pack is not None
    [found] = attributor.attribute([record], [np.repeat(SURE, len(record.pack.windows), axis=0)], run)
    return found


@pytest.mark.parametrize("text", ["a. " * 9_000, "你" * 9_000, "\u202eab\u200b c " * 3_000])
@pytest.mark.parametrize("rows", [5])
def test_a_hostile_post_costs_a_few_times_its_worst_window(
    pack: Pack, packer: PackProcessor, text: str, rows: int
) -> None:
    asked = Asked()
    found_in(Attributor(pack, AttributionOptions(rows=rows)), packed(packer, text), asked)
    assert asked.rows
    assert asked.tokens <= (5 + rows) * pack.layout.window_tokens + pack.layout.window_tokens


@pytest.mark.parametrize("remembered", [0, 1, 3, 1_000])
def test_several_threads_and_a_full_memory_change_nothing(
    pack: Pack, packer: PackProcessor, opened: tuple[Engine, Runner], remembered: int
) -> None:
    records = [packed(packer, text) for text in TEXTS]

    def attributions(processor: EncodeProcessor, batch: Sequence[Record]) -> list[tuple[Attribution, ...]]:
        outcomes = processor.process([processor.prepare(record) for record in batch])
        assert all(isinstance(outcome, Record) and outcome.encode is not None for outcome in outcomes)
        return [outcome.encode.attributions for outcome in outcomes if isinstance(outcome, Record) and outcome.encode]

    def encoder(size: int) -> EncodeProcessor:
        return EncodeProcessor(
            *opened, graph="text", attributor=Attributor(pack, AttributionOptions(), remembered=size)
        )

    wanted = [attributions(encoder(1_000), [record])[0] for record in records]
    assert all(wanted)
    shared, ready = encoder(remembered), threading.Barrier(4)
    found: list[list[tuple[Attribution, ...]]] = [[] for _ in range(4)]

    def work(at: int) -> None:
        ready.wait()
        turned = [*records[at:], *records[:at]]
        for start in range(0, len(turned), at + 1):
            found[at] += attributions(shared, turned[start : start + at + 1])

    threads = [threading.Thread(target=work, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[*wanted[at:], *wanted[:at]] for at in range(4)]


@pytest.mark.parametrize("noise", [0.0, 1e-6, -1e-6])
def test_the_last_bits_of_a_device_decide_nothing(pack: Pack, packer: PackProcessor, noise: float) -> None:
    text = "scum the vermin"
    record = packed(packer, text)
    assert record.pack is not None

    def run(rows: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        # No word, "scum", "the", "vermin": the last adds half of what the first does, which is just enough to be shown.
        return np.array([[value, -9.0, 0.0] for value in (-4.0, 0.0, -4.0, -2.0 + noise)[: len(rows)]], np.float32)

    [found] = Attributor(pack, AttributionOptions()).attribute(
        [record], [np.array([[9.0, -9.0, 0.0]], np.float32)], run
    )
    assert [text[one.start : one.end] for one in found] == ["scum", "vermin"]


def test_words_are_remembered_and_endless_ones_are_not(pack: Pack, packer: PackProcessor) -> None:
    attributor = Attributor(pack, AttributionOptions())
    for text, again in (("you are scum", 0), ("-".join(["scum"] * 3 * REMEMBERED_TOKENS), 1)):
        first, second = Asked(), Asked()
        record = packed(packer, text)
        found_in(attributor, record, first)
        found_in(attributor, record, second)
        assert first.rows
        assert len(second.rows) == again


def test_what_gave_no_number_is_asked_again(pack: Pack, packer: PackProcessor) -> None:
    attributor, record = Attributor(pack, AttributionOptions()), packed(packer, "you are scum")
    assert found_in(attributor, record, Asked(noise=float("nan"))) == ()
    assert found_in(attributor, record, Asked()) == found_in(Attributor(pack, AttributionOptions()), record, Asked())


def test_words_are_found_though_a_picture_is_worse(pack: Pack, packer: PackProcessor) -> None:
    record = packer.prepare(with_pictures(Shot(["you vermin scum vermin"]), text="you are scum"))
    assert record.pack is not None
    assert {window.reads for window in record.pack.windows} >= {"all", "text", "ocr"}
    logits = np.array([[9.0 if of.reads == "ocr" else 5.0, 0.0, 0.0] for of in record.pack.windows], np.float32)
    [found] = Attributor(pack, AttributionOptions()).attribute([record], [logits], Asked())
    assert "text" in {one.field for one in found}


def test_nothing_is_asked_about_pictures_alone(chain: Chain, encoder: EncodeProcessor) -> None:
    encoded = chain.encoded(with_pictures(Shot(["you vermin scum vermin"]), text=None))
    assert encoded.encode is not None
    assert encoded.pack is not None
    assert encoded.encode.attributions == ()
    assert encoder.statistics.rows == len(encoded.pack.windows)


def test_records_after_encode_do_not_carry_places(chain: Chain, packer: PackProcessor) -> None:
    before = packed(packer, "you are scum")
    assert before.pack is not None
    assert before.pack.windows[0].places is not None
    encoded = chain.encoded(ingested(received(post_of("you are scum"))))
    assert encoded.pack is not None
    assert encoded.encode is not None
    assert encoded.encode.attributions
    assert [window.places for window in encoded.pack.windows] == [None]
    assert encoded.pack.windows[0].ids.tolist() == before.pack.windows[0].ids.tolist()


def test_a_record_of_a_worker_that_knows_no_places_is_judged_all_the_same(
    packer: PackProcessor, encoder: EncodeProcessor
) -> None:
    record = packed(packer, "you are scum")
    assert record.pack is not None
    tree = msgspec.msgpack.decode(encode_record(record), ext_hook=msgspec.msgpack.Ext)
    for window in tree["pack"]["windows"]:
        del window["places"]
    older = decode_record(msgspec.msgpack.encode(tree))
    [outcome] = encoder.process([encoder.prepare(older)])
    assert isinstance(outcome, Record)
    assert outcome.encode is not None
    assert len(outcome.encode.logits) == 1
    assert outcome.encode.attributions == ()


class OlderWindow(msgspec.Struct, kw_only=True):
    ids: msgspec.Raw
    view: str
    spans: msgspec.Raw


class OlderEncode(msgspec.Struct, kw_only=True):
    logits: msgspec.Raw
    embedding: msgspec.Raw


class OlderPack(msgspec.Struct, kw_only=True):
    windows: tuple[OlderWindow, ...]


class OlderRecord(msgspec.Struct, kw_only=True):
    """What a worker reads that knows neither places nor attributions."""

    pack: OlderPack
    encode: OlderEncode


def test_an_older_worker_reads_what_this_one_writes(chain: Chain, packer: PackProcessor) -> None:
    encoded = chain.encoded(ingested(received(post_of("you are scum"))))
    assert encoded.encode is not None
    assert encoded.encode.attributions
    with_places = replace(encoded, pack=packed(packer, "you are scum").pack)
    older = msgspec.msgpack.decode(encode_record(with_places), type=OlderRecord)
    assert [window.view for window in older.pack.windows] == ["text"]
