"""`modstream insights` where it cannot run: one sentence each."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

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


STARTED = """
import asyncio
from streams.insights.faust_app import new_app
from streams.settings import KafkaSettings, Settings
asyncio.run(new_app(Settings(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:9"))).on_first_start())
"""


def test_it_makes_no_folder_where_it_runs(tmp_path: Path) -> None:
    """In a container that is a root which cannot be written. Faust makes one first of all, unless kept from it."""
    subprocess.run([sys.executable, "-c", STARTED], cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []
