from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models_export.evaluation.labelled_media import Found
from models_export.evaluation.ocr_suite import Reading, Report, Sample, Seconds, encode_prediction, page_of, read_all
from models_export.evaluation.ocr_suite.figures import figures_of, report_of, worst
from models_export.evaluation.ocr_suite.reading import CHUNK, reading_of, record_of
from models_export.evaluation.ocr_suite.transcript import Transcript
from models_export.measures.bootstrap import Estimate, rate
from processors.contract import BatchPolicy, Outcome, ProcessingError, TransientError
from schemas import (
    Modality,
    OcrLine,
    OcrPicture,
    OcrSection,
    Record,
    Stage,
    Status,
)

SQUARE = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))


def sample(name: str, *lines: str, kind: str = "line", whole: bool = True, blank: bool = False) -> Sample:
    transcript = Transcript(lines, whole) if lines else None
    return Sample(name, Path("/data") / name, "part", kind, "en", transcript, blank)


def line(text: str, confidence: float = 0.9) -> OcrLine:
    return OcrLine(text=text, polygon=SQUARE, bbox=(0.0, 0.0, 9.0, 9.0), confidence=confidence)


def read(of: Sample, *texts: str, status: Status = Status.OK, reason: str | None = None, unread: int = 0) -> Reading:
    """The reading of a picture in which the OCR stage read these lines."""
    picture = OcrPicture(
        media_id="picture",
        object="0" * 64,
        lines=tuple(map(line, texts)),
        unread=tuple(line("") for _ in range(unread)),
        confidence=0.9 if texts else None,
    )
    record = replace(
        record_of(of, 0),
        ocr=OcrSection(pictures=(picture,), engine="cpu"),
        modalities={} if status is Status.OK else {"ocr": Modality(status=status, reason=reason)},
    )
    return reading_of(of, record)


def report(readings: Sequence[Reading]) -> Report:
    samples = tuple(reading.sample for reading in readings)
    return report_of(Found(samples, (), ()), readings, Seconds(1.0, 4.0), code="1", pack="tiny@0")


class Reader:
    """An OCR stage that reads in each picture what it is told, by the name of its file."""

    stage = Stage.OCR
    batching = BatchPolicy(max_items=3, max_cost=1_000, max_wait_s=0)

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def cost(self, record: Record) -> int:
        return 1

    def prepare(self, record: Record) -> Record:
        uri = record.post.media[0].uri or ""
        if uri.endswith("away.png"):
            raise TransientError("store_away", "the store is away")
        return record

    def process(self, batch: Sequence[Record]) -> list[Outcome]:
        return [
            replace(
                record,
                ocr=OcrSection(
                    pictures=(
                        OcrPicture(
                            media_id="picture",
                            object="0" * 64,
                            lines=(line(self._texts[Path(record.post.media[0].uri or "").name]),),
                        ),
                    )
                ),
            )
            for record in batch
        ]


def test_a_perfect_reading_has_no_errors() -> None:
    figures = figures_of([read(sample("a", "Two lines", "of text"), "Two lines", "of text")])
    assert figures.strict == figures.lenient == figures.found == Estimate(0.0, 0.0, 0.0)
    assert figures.recall == figures.precision == Estimate(1.0, 1.0, 1.0)


def test_case_and_spaces_count_in_the_strict_rate_alone() -> None:
    figures = figures_of([read(sample("a", "an apple"), "ANAPPLE")])
    assert figures.strict.value == 1.0
    assert figures.lenient.value == figures.found.value == 0.0
    assert figures.recall.value == 0.0


def test_the_order_of_lines_does_not_count_in_what_was_found() -> None:
    figures = figures_of([read(sample("a", "above", "below"), "below", "above")])
    assert figures.found.value == 0.0
    assert figures.recall.value == figures.precision.value == 1.0
    assert (figures.lenient.value or 0) > 0.5


def test_text_that_the_transcript_leaves_out_is_no_error_of_what_was_found() -> None:
    figures = figures_of([read(sample("a", "caption"), "caption", "watermark.example")])
    assert figures.found.value == 0.0
    assert figures.lenient.value == pytest.approx(len("watermark.example") / len("caption"))
    assert figures.precision.value == pytest.approx(1 / 3)


def test_a_transcript_that_says_it_is_not_whole_counts_only_in_what_was_found() -> None:
    figures = figures_of([read(sample("a", "first", whole=False), "first", "second")])
    assert (figures.transcribed, figures.whole) == (1, 0)
    assert figures.found.value == 0.0
    assert figures.strict == figures.lenient == figures.precision == Estimate()


def test_a_picture_that_failed_counts_as_read_empty() -> None:
    failed = reading_of(sample("a", "four"), ProcessingError("cause", "no picture"))
    assert (failed.status, failed.reason) == (Status.FAILED, "no picture")
    figures = figures_of([failed, read(sample("b", "four"), "four")])
    assert figures.found.value == 0.5
    assert figures.failed.value == 0.5


def test_long_transcripts_weigh_more() -> None:
    figures = figures_of([read(sample("a", "x" * 99), "x" * 99), read(sample("b", "y"))])
    assert figures.found.value == pytest.approx(0.01)


def test_statuses_are_shares_of_all_pictures() -> None:
    readings = [
        read(sample("a", "text"), "text"),
        read(sample("b"), "text", status=Status.UNSAFE, reason="2 lines cannot be read", unread=2),
        read(sample("c"), status=Status.PARTIAL, reason="more than 200 lines"),
        read(sample("d"), status=Status.FAILED, reason="no picture"),
    ]
    figures = figures_of(readings)
    assert (figures.pictures, figures.transcribed) == (4, 1)
    assert [of.value for of in (figures.failed, figures.unsafe, figures.partial)] == [0.25, 0.25, 0.25]
    assert figures.confidence.value == pytest.approx(0.9)


def test_pictures_passed_as_empty_are_a_share_of_their_own() -> None:
    readings = [
        read(sample("a", "text"), "text"),
        read(sample("b", "text")),
        read(sample("c", "text"), status=Status.UNSAFE, reason="1 line cannot be read", unread=1),
        read(sample("d", "text"), status=Status.FAILED, reason="no picture"),
    ]
    assert figures_of(readings).empty.value == 0.25


def test_groups_go_by_what_is_expected_and_never_by_what_was_read() -> None:
    found = report([read(sample("a", "привет"), "npueem"), read(sample("b", "hello"), "привет")])
    assert set(found.by_script) == {"Cyrl", "Latn"}
    assert found.latin == found.by_script["Latn"] == found.latin_by_part["part"]
    assert found.latin.pictures == 1


def test_text_in_pictures_without_any_is_reported_and_is_no_measure_of_confidence() -> None:
    found = report([read(sample("sea", blank=True), "wave"), read(sample("sky", blank=True))])
    assert (found.no_text.pictures, found.no_text.with_text.value, found.no_text.examples) == (2, 0.5, ["sea"])
    assert found.overall.confidence == Estimate()


def test_readings_that_are_far_off_and_trusted_are_named() -> None:
    readings = [
        read(sample("wrong", "привет"), "npueem"),
        read(sample("doubted", "привет"), "npueem", status=Status.UNSAFE, reason="Cyrillic"),
        read(sample("right", "hello"), "hello"),
    ]
    assert [problem.id for problem in report(readings).trusted_misreadings] == ["wrong"]


def test_the_worst_come_first_and_perfect_ones_not_at_all() -> None:
    readings = [
        read(sample("right", "abcd"), "abcd"),
        read(sample("one", "abcd"), "abcx"),
        read(sample("three", "abcd"), "axyz"),
    ]
    assert [reading.sample.id for reading in worst(readings, 9)] == ["three", "one"]
    assert [reading.sample.id for reading in worst(readings, 1)] == ["three"]


def test_every_picture_goes_through_the_stages_as_a_post_of_its_own() -> None:
    samples = [sample(f"{at}.png", "text") for at in range(CHUNK)] + [sample("away.png", "text")]
    told: list[int] = []
    texts = {f"{at}.png": f"text {at}" for at in range(CHUNK)}
    readings, _ = read_all([Reader(texts)], samples, told.append)
    assert [reading.text for reading in readings] == [f"text {at}" for at in range(CHUNK)] + [""]
    assert [reading.sample for reading in readings] == samples
    assert (readings[-1].status, readings[-1].reason) == (Status.FAILED, "the store is away")
    assert told == [CHUNK, CHUNK + 1]


def test_a_prediction_has_what_was_expected_and_what_was_read() -> None:
    found = json.loads(encode_prediction(read(sample("a", "four"), "FOUR", "more")))
    assert found["expected"] == ["four"]
    assert [entry["text"] for entry in found["lines"]] == ["FOUR", "more"]
    assert found["lines"][0]["bbox"] == [0.0, 0.0, 9.0, 9.0]
    assert found["cer"] == {"strict": 2.0, "lenient": 1.0, "found": 0.0}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_an_interval_holds_its_rate_and_is_the_same_each_time(items: list[tuple[int, int]]) -> None:
    above, below = [of for of, _ in items], [of for _, of in items]
    found = rate(above, below)
    assert found == rate(above, below)
    if sum(below) == 0:
        assert found == Estimate()
    else:
        assert found.value == pytest.approx(sum(above) / sum(below))
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.high


def test_more_items_make_an_interval_narrower() -> None:
    few, many = rate([0, 1] * 5, [1] * 10), rate([0, 1] * 500, [1] * 1_000)
    assert few.value == many.value == 0.5
    assert (many.high or 1) - (many.low or 0) < 0.1 < (few.high or 0) - (few.low or 1)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


HOSTILE = "</bdi><script>alert(1)</script><img src=x onerror='a()'>\" ' &lt; \x00\u202e\u2066"


def test_hostile_texts_stay_texts_on_the_page() -> None:
    hostile = sample(HOSTILE, HOSTILE, kind=HOSTILE)
    readings = [
        read(hostile, "nothing of that", HOSTILE[:20], status=Status.UNSAFE, reason=HOSTILE),
        read(sample(HOSTILE, blank=True), HOSTILE),
        reading_of(hostile, ProcessingError("cause", HOSTILE)),
    ]
    html = page_of(report(readings), readings, {HOSTILE: b"\xff\xd8"})
    tags = Tags()
    tags.feed(html)
    assert "script" not in tags.found
    assert {name for name in tags.attributes if name.startswith("on")} == set()
    assert "<script>alert(1)</script>" in tags.text
    assert not {"\x00", "\u202e", "\u2066"} & set(html)


def test_a_page_needs_nothing_else() -> None:
    readings = [read(sample("a", "four"), "five"), read(sample("b", "six", whole=False), "six")]
    html = page_of(report(readings), readings, {"a": b"\xff\xd8"})
    assert "default-src 'none'" in html
    assert "http://" not in html
    assert "https://" not in html
    assert "src='data:image/jpeg;base64,/9g='" in html
    assert html.count("<svg") >= 5


def test_a_report_can_be_written_and_read_again() -> None:
    found = report([read(sample("a", "four"), "five")])
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found
