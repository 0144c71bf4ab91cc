"""Reading with a program that is not ours: whatever it does, lines are at worst unread."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from processors.ocr.tesseract import COLUMNS, LINES_A_RUN, TesseractError, TesseractReader

LINES = Path(__file__).resolve().parents[1] / "fixtures" / "scripts"
SHORT_S = 3.0
"""Enough for a program to start on a busy machine."""

Crop = NDArray[np.uint8]
LINE: Crop = np.full((48, 200, 3), 255, np.uint8)
LINE[10:38, 20:180] = 0
UNREAD = ("", 0.0)

PRELUDE = f"""\
import io, sys, time
from PIL import Image
COLUMNS = {COLUMNS!r}
pages = Image.open(io.BytesIO(sys.stdin.buffer.read()))
def page(number, *words):
    print("1", number, *"0000000", "8", "-1", "", sep="\\t")
    for word, confidence in words:
        print("5", number, *"1111", *"0000", confidence, word, sep="\\t")
    print(("\\f" if number > 1 else "") + " ".join(word for word, _ in words))
print(*COLUMNS, sep="\\t")
"""


def fake(folder: Path, body: str) -> Path:
    """A program that answers as `body` does; it has `pages`, a picture, and `page(number, (word, confidence), …)`."""
    program = folder / "fake-tesseract"
    program.write_text(f"#!{sys.executable}\n{PRELUDE}{textwrap.dedent(body)}", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def data(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / "tessdata" / f"{name}.traineddata"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder / "tessdata"


def reader(folder: Path, body: str) -> TesseractReader:
    return TesseractReader(fake(folder, body), data(folder, "rus"))


def test_every_page_has_its_text_and_the_mean_of_its_letters_confidence(tmp_path: Path) -> None:
    body = """
    for number in range(1, pages.n_frames + 1):
        page(number, ("дом", 90), ("м", 50)) if number % 2 else page(number)
    """
    assert reader(tmp_path, body).read([LINE, LINE, LINE], "Cyrl") == [("дом м", 0.8), UNREAD, ("дом м", 0.8)]


def test_many_lines_go_in_several_runs_and_keep_their_order(tmp_path: Path) -> None:
    body = """
    for number in range(1, pages.n_frames + 1):
        pages.seek(number - 1)
        page(number, (str(pages.width), 100))
    """
    crops = [np.zeros((48, 100 + at, 3), np.uint8) for at in range(LINES_A_RUN + 3)]
    margins = 20
    assert [text for text, _ in reader(tmp_path, body).read(crops, "Cyrl")] == [
        str(crop.shape[1] + margins) for crop in crops
    ]


def test_lines_are_given_dark_on_light(tmp_path: Path) -> None:
    body = "page(1, (str(pages.convert('L').getpixel((0, 0))), 100))"
    assert reader(tmp_path, body).read([LINE], "Cyrl") == [("255", 1.0)]
    assert reader(tmp_path, body).read([255 - LINE], "Cyrl") == [("255", 1.0)]


@pytest.mark.parametrize(
    "body",
    [
        "sys.exit(3)",
        "page(7, ('x', 90))",
        "page('one', ('x', 90))",
        "page(1, ('x', 'high'))",
        "import os; os.abort()",
    ],
    ids=["exit status", "a page too many", "no page number", "no confidence", "a crash"],
)
def test_a_program_that_fails_leaves_the_line_unread(tmp_path: Path, body: str) -> None:
    assert reader(tmp_path, body).read([LINE], "Cyrl") == [UNREAD]


def test_a_program_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    # Whoever still lives holds the other end of this pipe open.
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    end = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    body = f"""
    import os, subprocess
    pipe = os.open({str(alive)!r}, os.O_WRONLY)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[pipe])
    os.write(pipe, b"started")
    time.sleep(600)
    """
    hung = TesseractReader(fake(tmp_path, body), data(tmp_path, "rus"), seconds_a_run=SHORT_S)
    assert hung.read([LINE], "Cyrl") == [UNREAD]
    os.set_blocking(end, True)
    with os.fdopen(end, "rb") as pipe:
        assert pipe.read() == b"started"


def test_an_endless_answer_is_not_kept(tmp_path: Path) -> None:
    body = """
    while True:
        print("5\\t" * 1000)
    """
    assert reader(tmp_path, body).read([LINE], "Cyrl") == [UNREAD]


def test_a_line_that_breaks_the_program_takes_no_other_with_it(tmp_path: Path) -> None:
    body = """
    for number in range(1, pages.n_frames + 1):
        pages.seek(number - 1)
        if pages.width == 320:
            sys.exit(1)
        page(number, ("да", 75))
    """
    poison = np.zeros((48, 300, 3), np.uint8)
    answers = reader(tmp_path, body).read([LINE, poison, LINE], "Cyrl")
    assert answers == [("да", 0.75), UNREAD, ("да", 0.75)]


def test_a_program_that_always_fails_is_given_up_soon(tmp_path: Path) -> None:
    tries = tmp_path / "tries"
    body = f"""
    open({str(tries)!r}, "a").write("x")
    sys.exit(1)
    """
    assert reader(tmp_path, body).read([LINE] * 20, "Cyrl") == [UNREAD] * 20
    assert len(tries.read_text()) == 4


def test_a_program_that_has_gone_leaves_lines_unread_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = TesseractReader(tmp_path / "gone", data(tmp_path, "rus"))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert lost.read([LINE, LINE], "Cyrl") == [UNREAD, UNREAD]
    assert len(caplog.records) == 1
    assert "gone" in caplog.text


def test_it_is_called_without_a_shell_with_the_folder_and_the_models_that_are_there(tmp_path: Path) -> None:
    body = "page(1, ('|'.join(sys.argv[1:]), 100))"
    program = fake(tmp_path, body)
    folder = data(tmp_path, "urd", "fas", "ara", "script/Cyrillic", "rus", "kor")
    found = TesseractReader(program, folder)
    assert found.scripts == ("Arab", "Cyrl", "Hang")
    for script, model in (("Arab", "ara+fas"), ("Cyrl", "script/Cyrillic"), ("Hang", "kor")):
        text, _ = found.read([LINE], script)[0]
        assert text.startswith(f"stdin|stdout|--tessdata-dir|{folder}|-l|{model}|--psm|7|")


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TesseractError, match="no such folder; expected one with Tesseract's"):
        TesseractReader.open(tmp_path / "nowhere")


def test_a_folder_without_any_useful_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(TesseractError, match=r"expected some, such as rus\.traineddata"):
        TesseractReader(tmp_path / "any", data(tmp_path, "eng", "osd"))


def test_a_missing_program_is_a_clear_error_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TesseractError, match="no program 'tesseract' is on the path"):
        TesseractReader.open(data(tmp_path, "rus"))


INSTALLED = next(
    (path for path in map(Path, ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tessdata")) if path.is_dir()), None
)


@pytest.mark.skipif(
    shutil.which("tesseract") is None or INSTALLED is None or not (INSTALLED / "rus.traineddata").is_file(),
    reason="the tesseract program and its Russian model are not installed",
)
def test_the_real_program_reads_russian() -> None:
    assert INSTALLED is not None
    found = TesseractReader.open(INSTALLED)
    crops: list[Crop] = []
    for name in ("Cyrl-plain", "Cyrl-meme"):
        with Image.open(LINES / f"{name}.png") as picture:
            crops.append(np.asarray(picture.convert("RGB")))
    (plain, plain_confidence), (meme, _) = found.read(crops, "Cyrl")
    assert plain == "Когда допил кофе"
    assert "ПОНЕДЕЛЬНИК" in meme
    assert plain_confidence > 0.8
