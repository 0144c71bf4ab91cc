"""Bad input gets one clear sentence, which names the thing and what is expected, and exit code 1."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from streams.kafka import check_connection
from tests.commands.conftest import Run

NOBODY = "127.0.0.1:1"

EVERY_KAFKA_COMMAND: list[Sequence[str]] = [
    ("topics", "create"),
    ("topics", "list"),
    ("publish", "--delete", "p-1"),
    ("tail", "decisions"),
    ("lag",),
    ("dlq", "list"),
    ("dlq", "show", "p-1"),
    ("dlq", "replay", "--all"),
    ("worker", "ingest"),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers on that port, however long one waits."""
    monkeypatch.setattr(check_connection, "__defaults__", (0.5,))


@pytest.mark.parametrize("command", EVERY_KAFKA_COMMAND, ids=" ".join)
def test_without_a_kafka_every_command_says_how_to_get_one(command: Sequence[str], run: Run) -> None:
    ran = run(*command)
    assert ran.code == 1
    assert "MODSTREAM_KAFKA__BOOTSTRAP_SERVERS" in ran.sentence
    assert "modstream broker" in ran.sentence


@pytest.mark.parametrize("command", EVERY_KAFKA_COMMAND, ids=" ".join)
def test_a_port_where_nobody_listens_is_named(command: Sequence[str], run: Run) -> None:
    ran = run(*command, "--bootstrap-servers", NOBODY)
    assert ran.code == 1
    assert NOBODY in ran.sentence
    assert "MODSTREAM_KAFKA__BOOTSTRAP_SERVERS" in ran.sentence


@pytest.mark.parametrize("command", [*EVERY_KAFKA_COMMAND, ("config",), ("score", "posts.jsonl"), ("up",), ("demo",)])
def test_settings_that_cannot_be_used_are_named(command: Sequence[str], run: Run, tmp_path: Path) -> None:
    config = tmp_path / "modstream.toml"
    config.write_text('delivery = "twice"\n', encoding="utf-8")
    ran = run(*command, "--config", config)
    assert ran.code == 1
    assert ran.out == ""
    assert ran.sentence == (
        f"modstream: delivery = 'twice' ({config}, delivery): expected one of exactly_once, at_least_once"
    )


def test_a_settings_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    ran = run("config", "--config", tmp_path / "no.toml")
    assert ran.code == 1
    assert str(tmp_path / "no.toml") in ran.sentence


def test_a_flag_is_named_as_the_source_of_a_wrong_value(run: Run) -> None:
    ran = run("lag", "--bootstrap-servers", "nonsense")
    assert ran.code == 1
    assert "--kafka-bootstrap-servers" in ran.sentence
    assert "expected host:port" in ran.sentence


def test_a_misspelt_variable_stops_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODSTREAM_DELIVRY", "exactly_once")
    ran = run("config")
    assert ran.code == 1
    assert "did you mean MODSTREAM_DELIVERY?" in ran.sentence


@pytest.mark.parametrize("command", ["score", "publish"])
def test_a_file_that_cannot_be_read_is_named(command: str, run: Run, tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "no.jsonl", "No such file"), (tmp_path, "Is a directory")):
        ran = run(command, path)
        assert ran.code == 1
        assert str(path) in ran.sentence
        assert reason in ran.sentence


def test_a_file_that_cannot_be_written_is_named(run: Run, tmp_path: Path) -> None:
    posts = tmp_path / "posts.jsonl"
    posts.touch()
    ran = run("score", posts, "--out", tmp_path / "no" / "out.jsonl")
    assert ran.code == 1
    assert str(tmp_path / "no" / "out.jsonl") in ran.sentence


def test_a_pack_that_is_none_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").touch()
    ran = run("score", tmp_path / "posts.jsonl", "--pack", tmp_path)
    assert ran.code == 1
    assert str(tmp_path / "manifest.json") in ran.sentence


def test_a_policy_that_is_none_is_named(run: Run, tmp_path: Path, tiny_pack: Path) -> None:
    (tmp_path / "posts.jsonl").touch()
    policy = tmp_path / "policy.yaml"
    policy.write_text("schema: policy/1\nname: x\nversion: '1'\nlayers:\n  default:\n    rulez: {}\n", encoding="utf-8")
    ran = run("score", tmp_path / "posts.jsonl", "--pack", tiny_pack, "--policy", policy)
    assert ran.code == 1
    assert f"{policy}:" in ran.err
    assert "rulez" in ran.err
    assert "Traceback" not in ran.err


def test_publishing_nothing_says_what_is_expected(run: Run) -> None:
    ran = run("publish")
    assert ran.code == 1
    assert "expected FILE, or - for standard input, or --delete POST_ID" in ran.sentence


@pytest.mark.parametrize("arguments", [(), ("p-1", "--all")])
def test_a_replay_says_what_it_expects(arguments: Sequence[str], run: Run) -> None:
    ran = run("dlq", "replay", *arguments)
    assert ran.code == 1
    assert "either dead letters to replay, or --all" in ran.sentence


def test_a_fault_of_ours_keeps_its_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("commands.config.effective", broken)
    with pytest.raises(ZeroDivisionError):
        run("config")
