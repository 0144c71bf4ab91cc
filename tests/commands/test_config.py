from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.settings import catalogue
from tests.commands.conftest import Run


def test_every_setting_is_shown_with_its_value_and_its_source(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "modstream.toml"
    config.write_text("[worker]\ncommit_interval_ms = 50\n", encoding="utf-8")
    monkeypatch.setenv("MODSTREAM_DELIVERY", "at_least_once")
    ran = run("config", "--json", "--config", config, "--group", "mine")
    shown = json.loads(ran.out)
    assert ran.code == 0
    assert list(shown) == list(catalogue())
    assert shown["worker.commit_interval_ms"] == {"value": 50, "source": f"{config}, worker.commit_interval_ms"}
    assert shown["delivery"] == {"value": "at_least_once", "source": "environment variable MODSTREAM_DELIVERY"}
    assert shown["group"] == {"value": "mine", "source": "flag --group"}
    assert shown["kafka.bootstrap_servers"] == {"value": None, "source": "default"}


def test_the_table_has_a_line_for_every_setting(run: Run) -> None:
    lines = run("config").out.splitlines()
    assert lines[0].split() == ["SETTING", "VALUE", "SOURCE"]
    assert [line.split()[0] for line in lines[1:]] == list(catalogue())


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_secrets_are_stars(arguments: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODSTREAM_KAFKA__SECURITY__PASSWORD", "hunter2")
    monkeypatch.setenv("MODSTREAM_KAFKA__EXTRA", '{"ssl.key.password": "hunter2"}')
    flags = ("protocol=sasl_ssl", "sasl-mechanism=PLAIN", "username=me")
    ran = run("config", *arguments, *(f"--kafka-security-{flag}" for flag in flags))
    assert ran.code == 0
    assert "hunter2" not in ran.out
    assert "********" in ran.out
