"""What the benchmarks of pictures rest on: the pictures drawn, the processes that read them, and what is compared."""

from __future__ import annotations

import base64
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import cache, ocr
from benchmarks.__main__ import main
from benchmarks.bed import WrongOutputs
from benchmarks.drawing import SIZES, draw, picture_posts
from benchmarks.latency import Reading
from benchmarks.media_latency import require_read
from benchmarks.processes import Subject, SubjectFailed
from benchmarks.readers import Reader, TooFewPictures, alike, drawn, found
from schemas import decode_post
from streams.settings import MediaSettings

ROOT = Path(__file__).resolve().parents[2]

READER = """
import json, sys
print("ready", flush=True)
for question in sys.stdin:
    names = json.loads(question)
    if not names:
        sys.exit("nothing to read")
    print(json.dumps({"seconds": 0.5, "cpu_s": 0.7, "lines": [[name] for name in names]}), flush=True)
"""


def reader(folder: Path) -> Subject:
    """A process that reads the names of its pictures."""
    (folder / "names_reader.py").write_text(READER)
    return Subject("names_reader", folder=folder, env={"PYTHONPATH": str(folder)})


def test_a_drawn_picture_is_the_same_every_time_and_like_no_other() -> None:
    drawn_twice = [[draw(number) for number in range(6)] for _ in range(2)]

    assert drawn_twice[0] == drawn_twice[1]
    assert len(set(drawn_twice[0])) == 6
    assert all(Image.open(io.BytesIO(data)).size in SIZES for data in drawn_twice[0])


def test_posts_with_pictures_are_valid_and_small_enough_to_ride_inline() -> None:
    posts = [decode_post(value) for _, value in picture_posts(8)]

    assert [key for key, _ in picture_posts(8)] == [post.post_id for post in posts]
    pixels = [post.media[0].data or b"" for post in posts]
    assert pixels == [draw(number) for number in range(8)]
    assert max(map(len, pixels)) <= MediaSettings().max_inline_bytes


def test_later_posts_have_other_pictures_than_those_before_them() -> None:
    values = [json.loads(value) for _, value in (*picture_posts(3), *picture_posts(3, first=3))]

    assert len({value["post_id"] for value in values}) == 6
    assert len({base64.b64decode(value["media"][0]["data"]) for value in values}) == 6


def test_a_reader_answers_each_question_until_it_is_left(tmp_path: Path) -> None:
    with reader(tmp_path) as subject:
        subject.wait_ready()
        asked = Reader(subject)

        first, second = asked.read([Path("a.jpg"), Path("b.jpg")]), asked.read([Path("c.jpg")])

    assert first.lines == [["a.jpg"], ["b.jpg"]]
    assert second.lines == [["c.jpg"]]
    assert (first.seconds, first.cpu_s) == (0.5, 0.7)


def test_a_reader_that_ends_instead_of_answering_is_heard(tmp_path: Path) -> None:
    with reader(tmp_path) as subject:
        subject.wait_ready()
        with pytest.raises(SubjectFailed, match=r"exit code 1(?s:.)*nothing to read"):
            Reader(subject).read([])


def test_pictures_of_a_folder_become_files_that_every_reader_knows(tmp_path: Path) -> None:
    source = tmp_path / "memes"
    source.mkdir()
    sideways = Image.new("RGBA", (40, 30), "white")
    exif = sideways.getexif()
    exif[0x0112] = 6  # EXIF's orientation: to be turned by 90 degrees
    sideways.save(source / "a.webp", exif=exif)
    Image.new("P", (20, 20)).save(source / "b.png")
    (source / "labels.jsonl").write_text("{}")

    paths = found(source, tmp_path / "found", 2)

    opened = [Image.open(path) for path in paths]
    assert [(picture.format, picture.mode, picture.size) for picture in opened] == [
        ("JPEG", "RGB", (30, 40)),
        ("JPEG", "RGB", (20, 20)),
    ]
    with pytest.raises(TooFewPictures, match="has 2 pictures, expected at least 3"):
        found(source, tmp_path / "found", 3)


def test_without_a_folder_pictures_are_drawn(tmp_path: Path) -> None:
    paths = drawn(tmp_path / "new", 2)

    assert [path.read_bytes() for path in paths] == [draw(0), draw(1)]


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ([["GOOD MORNING"]], [["good  morning"]], 1.0),
        ([["ﬁne"]], [["FINE"]], 1.0),
        ([["one", "two"]], [["one", "three"]], 0.5),
        ([["one"], ["two"]], [["two"], ["one"]], 0.0),
        ([["one", "one"]], [["one"]], 2 / 3),
        ([["one", "x"]], [["one"]], 1.0),
        ([[]], [[]], 1.0),
    ],
    ids=["case and spaces", "ligature", "half", "another picture", "read twice", "single letter", "nothing"],
)
def test_lines_are_alike_when_the_same_is_read_in_the_same_picture(
    one: list[list[str]], other: list[list[str]], share: float
) -> None:
    assert alike(one, other) == pytest.approx(share)
    assert alike(other, one) == pytest.approx(share)


def test_the_targets_are_ratios_of_medians() -> None:
    fast = ocr.Measured([12.0, 13.0, 30.0], [["a line"]], 1)
    slow = ocr.Measured([10.0, 9.0, 11.0], [["a line"]], 1)

    assert [(target.measured, target.met) for target in ocr.report(fast, slow, drawn=True).targets] == [(1.3, True)]
    assert [(target.measured, target.met) for target in ocr.report(slow, fast, drawn=True).targets] == [(0.769, False)]
    assert [(target.measured, target.met) for target in cache.report([100.0], [5.1]).targets] == [(19.6, False)]


def test_a_latency_of_pictures_that_were_not_read_is_refused() -> None:
    read = Reading(
        statuses=Counter({("ocr", "ok"): 4, ("ocr", "partial"): 1, ("image", "ok"): 5, ("text", "absent"): 5})
    )
    require_read(read, 5, ("ocr", "image"))

    unread = Reading(statuses=Counter({("ocr", "ok"): 4, ("ocr", "failed"): 1, ("image", "ok"): 5}))
    with pytest.raises(WrongOutputs, match=r"ocr: only 4 of 5 posts were read: \{'ok': 4, 'failed': 1\}"):
        require_read(unread, 5, ("ocr", "image"))


def test_without_paddleocr_the_comparison_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ocr", "--paddle-python", str(tmp_path / "python")])

    assert ended.value.code == 2
    assert f"there is no {tmp_path / 'python'}" in capsys.readouterr().err


def test_both_readers_run_on_the_same_version_of_the_engine() -> None:
    def version(name: str) -> str:
        found = re.search(r"^onnxruntime==([\d.]+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE)
        assert found is not None, name
        return found[1]

    assert version("paddle.in") == version("bench.lock")
