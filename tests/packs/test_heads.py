"""A pack whose text expert has more heads than labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processors.packs import PackError, load_pack
from processors.packs.check import Level, check_pack
from tests.tiny_pack import DETAILS, MEASURED, UNMEASURED_DETAIL, tiny_manifest, write_manifest, write_tiny_pack

MEASURED_DETAILS = tuple(name for name in DETAILS if name != UNMEASURED_DETAIL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_tiny_pack(tmp_path / "detailed", details=True)


def test_labels_are_told_from_what_refines_them(folder: Path) -> None:
    pack = load_pack(folder)
    assert pack.manifest.measured == pack.labels_of("text") == MEASURED
    assert pack.details == MEASURED_DETAILS
    assert pack.manifest.measured_heads == (*MEASURED, *MEASURED_DETAILS)
    assert not set(pack.not_assessed) & set(DETAILS)


def test_policies_start_from_the_thresholds_of_labels_targets_and_severities(folder: Path) -> None:
    names = {*MEASURED, "hate.race", "hate.sex", "severity.2", "severity.3"}
    assert set(load_pack(folder).thresholds) == names


def test_such_a_pack_is_sound_but_for_the_figures_that_tests_do_not_measure(folder: Path) -> None:
    problems = check_pack(folder)
    assert {problem.level for problem in problems} == {Level.WARNING}
    assert "labels.target.race" in {problem.field for problem in problems}
    assert "labels.target.other" not in {problem.field for problem in problems}


def test_rows_that_move_are_found_in_heads_that_are_no_labels(tmp_path: Path) -> None:
    folder = write_tiny_pack(tmp_path / "leaky", details=True, leaky=True)
    manifest = tiny_manifest(folder, details=True)
    for head in MEASURED:  # a temperature under which nothing of the labels shows
        manifest["calibration"][head] = {"temperature": 1e9}
    write_manifest(folder, manifest)
    assert "text.isolation" in {problem.field for problem in check_pack(folder)}


@pytest.mark.parametrize(
    ("spoil", "field", "message"),
    [
        pytest.param(
            lambda m: m["text"]["heads"].__setitem__(3, "target.men"),
            "text.heads[3]",
            r"'target.men' is no head; expected one of abuse, .* target.<t> with one of race, ",
            id="a target that nobody knows",
        ),
        pytest.param(
            lambda m: m["text"]["heads"].__setitem__(3, "severity.4"), "text.heads[3]", "severity.2", id="a severity"
        ),
        pytest.param(lambda m: m["text"]["heads"].reverse(), "text.heads[0]", "main label as the first", id="order"),
        pytest.param(
            lambda m: m["thresholds"].pop("implicit"), "thresholds", "missing or too many: implicit", id="no threshold"
        ),
        pytest.param(
            lambda m: m["calibration"].update({UNMEASURED_DETAIL: {"temperature": 1.0}}),
            "calibration",
            f"missing or too many: {UNMEASURED_DETAIL}",
            id="calibrated, but not measured",
        ),
        pytest.param(lambda m: m["labels"].pop("attack.slurs"), "labels", "no card for 'attack.slurs'", id="no card"),
    ],
)
def test_a_head_that_makes_no_sense_is_refused(
    folder: Path, spoil: Callable[[dict[str, Any]], object], field: str, message: str
) -> None:
    manifest = tiny_manifest(folder, details=True)
    spoil(manifest)
    write_manifest(folder, manifest)
    with pytest.raises(PackError, match=message) as caught:
        load_pack(folder)
    assert caught.value.field == field
