"""promtool has looked at the rules, and alerts fire when they are to and on no normal day."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.infra_tools.days import Days, fired_in

pytestmark = pytest.mark.infra

PROMETHEUS = Path(__file__).resolve().parents[2] / "infra" / "prometheus"


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_valid(promtool: str) -> None:
    run(promtool, "check", "rules", *PROMETHEUS.glob("*.yml"))


@pytest.mark.timeout(900)
def test_the_alerts_fire_when_they_are_to(promtool: str) -> None:
    run(promtool, "test", "rules", *sorted((PROMETHEUS / "tests").glob("*.yml")))


@pytest.mark.timeout(900)
def test_normal_days_are_silent(promtool: str, tmp_path: Path) -> None:
    """Day and night, nights of hardly a post, a restart of every worker, single faults."""
    assert fired_in(Days(), promtool, tmp_path) == set()


@pytest.mark.timeout(900)
def test_the_same_days_with_a_stage_that_stops_and_a_new_policy_that_blocks_are_not(
    promtool: str, tmp_path: Path
) -> None:
    days = Days(encode_stops_at_h=37.0, blocks_more_from_h=32.0)
    assert fired_in(days, promtool, tmp_path) == {"ModstreamStageSilent", "ModstreamDecisionDrift"}
