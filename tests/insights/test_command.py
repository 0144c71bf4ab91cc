"""`modstream insights` where it cannot run: one sentence each."""

from __future__ import annotations

import importlib.util

import pytest

from commands.main import main
from streams.broker import LocalBroker


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["insights", "--bootstrap-servers=127.0.0.1:9"]) == 1
    assert "install modstream[insights]" in sentence(capsys)


def test_without_topics_it_names_them(
    kafka: LocalBroker, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["insights", f"--bootstrap-servers={kafka.bootstrap_servers}", f"--topics-prefix={topic_prefix}"]) == 1
    said = sentence(capsys)
    assert f"{topic_prefix}decisions" in said
    assert "modstream topics create" in said


def test_windows_that_do_not_fit_into_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODSTREAM_INSIGHTS__DRIFT_WINDOW_S", "100")
    assert main(["insights", "--bootstrap-servers=127.0.0.1:9"]) == 1
    assert "insights.drift_window_s" in capsys.readouterr().err
