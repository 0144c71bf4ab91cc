from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from commands import score
from schemas import MAX_POST_BYTES
from tests.commands.conftest import Ran, Run

Score = Callable[..., Ran]


def post(post_id: str, text: str = "hello world", **fields: Any) -> bytes:
    return json.dumps({"schema": "post/1", "post_id": post_id, "text": text, **fields}).encode()


@pytest.fixture
def scored(run: Run, tmp_path: Path, tiny_pack: Path) -> Score:
    def scored(lines: Iterable[bytes], *arguments: object, end: bytes = b"\n") -> Ran:
        path = tmp_path / "posts.jsonl"
        path.write_bytes(b"\n".join(lines) + end)
        return run("score", path, "--pack", tiny_pack, *arguments)

    return scored


def results(ran: Ran) -> list[dict[str, Any]]:
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def test_decisions_come_in_the_order_of_the_lines(scored: Score) -> None:
    texts = ["you are all scum", "the cat sat on the mat", "hello " * 60, "vermin"] * 30
    found = results(scored(post(f"p-{at}", text) for at, text in enumerate(texts)))
    assert [decision["post_id"] for decision in found] == [f"p-{at}" for at in range(120)]
    assert [decision["action"] for decision in found[:4]] == ["block", "approve", "approve", "block"]
    assert {decision["schema"] for decision in found} == {"decision/1"}


def test_the_source_is_the_line_and_holds_no_clock(scored: Score) -> None:
    found = results(scored([post("a"), post("b")]))
    assert [decision["source"] for decision in found] == [
        {"topic": "file", "partition": 0, "offset": number, "timestamp_ms": 0} for number in (1, 2)
    ]


def test_the_same_file_gives_the_same_decisions_but_for_times(scored: Score) -> None:
    def decided() -> list[dict[str, Any]]:
        clock = ("timings_ms", "decided_at")
        lines = [post("a", "you are scum"), post("b")]
        return [{key: value for key, value in found.items() if key not in clock} for found in results(scored(lines))]

    assert decided() == decided()


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (b"", "$", "empty value"),
        (b"   ", "$", "malformed JSON"),
        (b'{"post_id": "x", "text": "no end}', "$", "malformed JSON"),
        (b'{"post_id": 7, "text": "x"}', "post_id", "expected str"),
        (b'{"text": "x"}', "post_id", "required, but missing"),
        (b'{"post_id": "x"}', "text", "empty or missing"),
        (b'{"schema": "post/9", "post_id": "x", "text": "x"}', "schema", "unknown schema 'post/9'"),
        (b'{"post_id": "x", "text": "\xff"}', "text", "not UTF-8"),
        (b'{"post_id": "x", "text": "\\ud800"}', "text", "lone surrogate"),
        (b'{"post_id": "x", "text": "x", "metadata": ' + b"[" * 5000, "metadata", "nested deeper"),
        (b"null", "$", "expected object"),
    ],
)
def test_a_line_that_is_no_post_gives_an_error_in_its_place(
    line: bytes, field: str, reason: str, scored: Score
) -> None:
    before, error, after = results(scored([post("before"), line, post("after")]))
    assert (before["post_id"], after["post_id"]) == ("before", "after")
    assert error["line"] == 2
    assert error["error"]["cause"] == "invalid_post"
    assert error["error"]["field"] == field
    assert reason in error["error"]["reason"]


def test_a_line_longer_than_any_post_is_an_error_and_is_never_held_whole(scored: Score) -> None:
    error, after = results(scored([b"x" * (3 * MAX_POST_BYTES), post("after")]))
    assert error["error"]["reason"] == f"{3 * MAX_POST_BYTES:,} bytes, expected at most {MAX_POST_BYTES:,}"
    assert after["post_id"] == "after"


def test_the_largest_post_is_scored_and_says_that_a_part_was_not_read(scored: Score) -> None:
    (decision,) = results(scored([post("large", "good day " * 210_000)]))
    assert decision["action"] == "review"
    assert decision["modalities"]["text"]["status"] == "partial"


def test_line_ends_of_other_systems_and_a_missing_last_one_do_not_matter(scored: Score) -> None:
    found = results(scored([post("a") + b"\r", post("b")], end=b""))
    assert [decision["post_id"] for decision in found] == ["a", "b"]
    alone = results(scored([post("a")]))
    assert alone[0]["decision_id"] == found[0]["decision_id"]


def test_an_empty_file_gives_no_lines(scored: Score) -> None:
    ran = scored([], end=b"")
    assert results(ran) == []
    assert ran.sentence.startswith("0 lines: 0 decisions, 0 errors")


def test_the_summary_counts_decisions_and_errors(scored: Score) -> None:
    assert scored([post("a"), b"{", post("b")]).sentence.startswith("3 lines: 2 decisions, 1 error, in ")


def test_out_gets_the_lines_and_stdout_nothing(scored: Score, tmp_path: Path) -> None:
    ran = scored([post("a"), b"{"], "--out", tmp_path / "out.jsonl")
    assert ran.code == 0
    assert ran.out == ""
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [set(json.loads(line)) >= {"post_id"} for line in lines] == [True, False]


def test_the_input_is_never_overwritten(scored: Score, tmp_path: Path) -> None:
    ran = scored([post("a")], "--out", tmp_path / "posts.jsonl")
    assert ran.code == 1
    assert "is the input too" in ran.sentence
    assert (tmp_path / "posts.jsonl").read_bytes() == post("a") + b"\n"


def test_standard_input_is_read(run: Run, tiny_pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(post("a") + b"\n" + post("b"))))
    assert [decision["post_id"] for decision in results(run("score", "-", "--pack", tiny_pack))] == ["a", "b"]


def test_only_a_batch_of_lines_is_held_at_a_time(scored: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = score.score_lines

    def noted(processors: Any, lines: Any, overlay: Any) -> list[bytes]:
        sizes.append(sum(len(line.value) for line in lines))
        return real(processors, lines, overlay)

    monkeypatch.setattr(score, "score_lines", noted)
    monkeypatch.setattr(score, "BATCH_BYTES", 100_000)
    found = results(scored(post(f"p-{at}", "good " * 3000) for at in range(40)))
    assert len(found) == 40
    assert max(sizes) < 100_000 + 20_000


def test_output_is_utf8_whatever_the_terminal_speaks(tmp_path: Path, tiny_pack: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(post("höflich – 今日"))
    ran = subprocess.run(
        [sys.executable, "-m", "commands", "score", str(path), "--pack", str(tiny_pack)],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        capture_output=True,
        check=True,
    )
    assert json.loads(ran.stdout)["post_id"] == "höflich – 今日"
