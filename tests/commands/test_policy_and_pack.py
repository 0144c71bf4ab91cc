from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Run

SHIPPED = Path(__file__).parents[2] / "policies" / "default.yaml"

LAYERED = """
schema: policy/1
name: layered
version: "1"
layers:
  default:
    thresholds: {abuse: 0.6}
    rules:
      hate-block:
        when: scores.hate >= 0.9
        action: block
        code: hate
        message: {en: No hate.}
  languages:
    de:
      thresholds: {abuse: 0.7}
  tenants:
    acme:
      thresholds: {abuse: 0.8}
      disabled_rules: [hate-block]
"""


@pytest.fixture
def layered(tmp_path: Path) -> Path:
    path = tmp_path / "layered.yaml"
    path.write_text(LAYERED, encoding="utf-8")
    return path


def test_the_shipped_policy_is_valid(run: Run, tiny_pack: Path) -> None:
    ran = run("policy", "check", SHIPPED, "--pack", tiny_pack)
    assert ran.code == 0
    assert "rules.hate-block" in ran.out
    assert "is valid: default@" in ran.err


def test_what_is_in_effect_is_shown_with_the_layer_that_set_it(run: Run, layered: Path, tiny_pack: Path) -> None:
    ran = run("policy", "check", layered, "--pack", tiny_pack, "--tenant", "acme", "--lang", "de-AT")
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()}
    assert ran.code == 0
    assert rows["thresholds.abuse"] == ["0.8", "tenant:acme"]
    assert rows["thresholds.hate"] == ["0.4", "pack"]
    assert rows["rules.hate-block"] == ["disabled", "tenant:acme"]
    assert "layers default, language:de, tenant:acme" in ran.err


def test_the_same_as_json(run: Run, layered: Path, tiny_pack: Path) -> None:
    shown = json.loads(run("policy", "check", layered, "--pack", tiny_pack, "--lang", "de", "--json").out)
    assert shown["policy"].startswith("layered@")
    assert shown["effective"]["thresholds"]["abuse"] == {"value": 0.7, "from": "language:de"}
    assert shown["problems"] == []


def test_a_rule_over_a_label_that_the_pack_does_not_assess_is_a_warning(
    run: Run, layered: Path, tiny_pack: Path
) -> None:
    layered.write_text(LAYERED.replace("scores.hate", "scores.profanity"), encoding="utf-8")
    ran = run("policy", "check", layered, "--pack", tiny_pack)
    assert ran.code == 0
    assert "warning" in ran.err
    assert "does not assess profanity" in ran.err


def test_errors_are_shown_with_their_place_and_fail(run: Run, layered: Path, tiny_pack: Path) -> None:
    layered.write_text(LAYERED.replace("abuse: 0.8", "abuse: 8"), encoding="utf-8")
    ran = run("policy", "check", layered, "--pack", tiny_pack)
    assert ran.code == 1
    assert ran.out == ""
    assert f"{layered}:19:27: error:" in ran.err
    assert ran.err.splitlines()[-1] == f"modstream: {layered} has 1 error and cannot be used"


def test_a_good_pack_is_shown_with_what_it_assesses(run: Run, tiny_pack: Path) -> None:
    ran = run("pack", "check", tiny_pack)
    assert ran.code == 0
    assert "abuse, hate" in ran.out
    shown = json.loads(run("pack", "check", tiny_pack, "--json").out)
    assert shown["pack"].startswith("tiny@")
    assert shown["labels"] == ["abuse", "hate"]
    assert {problem["level"] for problem in shown["problems"]} <= {"warning"}


def test_a_damaged_pack_fails(run: Run, tiny_pack: Path, tmp_path: Path) -> None:
    for file in tiny_pack.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "text.onnx").write_bytes(b"not a graph")
    ran = run("pack", "check", tmp_path)
    assert ran.code == 1
    assert str(tmp_path / "text.onnx") in ran.err
    assert "must not be used" in ran.err
    shown = json.loads(run("pack", "check", tmp_path, "--json").out)
    assert shown["problems"][0]["level"] == "error"
