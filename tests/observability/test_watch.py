"""Dashboards and rules: current, whole, and readable by those who read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.metrics import catalogue
from streams.metrics.catalogue import CATALOGUE
from streams.metrics.specs import CounterSpec
from streams.watch.__main__ import INFRA, main
from streams.watch.alerts import ALERTS
from streams.watch.dashboards import DASHBOARDS
from streams.watch.dashboards.decisions import EXPERIMENTS
from streams.watch.objectives import AVAILABILITY, BURNS, LATENCY, OBJECTIVES, OUR_CAUSES
from streams.watch.panels import COLUMNS, Dashboard
from streams.watch.promql import is_, rate, risen, select, share_above
from streams.watch.recording import RECORDING, Recording

ROOT = INFRA.parent
RUNBOOKS = ROOT / "docs" / "runbooks.md"
PARTS = ("**Means.**", "**Users see.**", "**Look at.**", "**Do.**", "**Do not.**")

boards = pytest.mark.parametrize("board", DASHBOARDS, ids=lambda board: board.uid)


def panels(board: Dashboard) -> list[dict[str, Any]]:
    return json.loads(board.to_json())["panels"]


def test_the_files_in_the_repository_are_current() -> None:
    assert main(["--check"]) == 0


def test_files_that_are_missing_or_stale_are_told_and_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check"], tmp_path) == 1
    assert "run `python -m streams.watch --write`" in capsys.readouterr().err
    assert main(["--write"], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "prometheus" / "alert_rules.yml").write_text("groups: []\n")
    assert main(["--check"], tmp_path) == 1


@boards
def test_a_dashboard_is_one_that_grafana_reads(board: Dashboard) -> None:
    found = json.loads((INFRA / "grafana" / f"{board.uid}.json").read_text(encoding="utf-8"))
    assert found["uid"] == board.uid
    assert found["schemaVersion"] >= 39
    assert [variable["type"] for variable in found["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in found["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in found["panels"]:
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert panel["datasource"]["uid"] == "${datasource}"
            assert panel["targets"], panel["title"]
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@boards
def test_panels_lie_beside_and_below_one_another_and_never_over(board: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(board):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= COLUMNS
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_metric_of_the_catalogue_is_on_a_dashboard_or_behind_one() -> None:
    asked = " ".join(
        query.expression
        for board in DASHBOARDS
        for row in board.rows
        for panel in row.panels
        for query in panel.queries
    )
    recorded = " ".join(rule.expression for group in RECORDING for rule in group.rules if isinstance(rule, Recording))
    for spec in CATALOGUE:
        assert re.search(rf"\b{spec.name}(_bucket|_sum|_count)?\b", f"{asked} {recorded}"), spec.name


def test_what_the_catalogue_has_of_shadow_and_canary_is_shown() -> None:
    shown = {panel["description"] for panel in panels(DASHBOARDS[-1]) if panel["type"] != "row"}
    assert {spec.help for spec in CATALOGUE if spec.name.startswith(EXPERIMENTS)} <= shown


def test_a_label_that_a_metric_does_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"modstream_outputs_total has no label \['stage'\]"):
        rate(catalogue.OUTPUTS, "5m", ("stage",))
    with pytest.raises(ValueError, match=r"has no label \['lane'\]"):
        select(catalogue.OUTPUTS, lane=is_("long"))


def test_a_bound_that_is_no_bucket_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"has no bucket 0\.11"):
        share_above(catalogue.END_TO_END_SECONDS, 0.11, "1h")


def test_values_are_quoted() -> None:
    assert select(catalogue.OUTPUTS, topic=is_('a"b\\c')) == 'modstream_outputs_total{topic="a\\"b\\\\c"}'


def test_a_series_that_is_new_has_risen() -> None:
    found = risen(CounterSpec("x_total", "X."), "5m", ())
    assert found == "(sum(increase(x_total[5m])) > 0 or (sum(x_total) > 0 unless sum(x_total offset 5m)))"


def test_the_objectives_are_what_the_documentation_promises() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for objective in OBJECTIVES:
        assert objective.what in " ".join(text.split())
    assert LATENCY.budget == 0.05
    assert AVAILABILITY.budget == 0.001
    assert "invalid_post" not in OUR_CAUSES


def test_no_burn_rate_is_beyond_what_can_burn() -> None:
    for objective in OBJECTIVES:
        for burn in BURNS:
            assert burn.rate * objective.budget < 1, f"{objective.name}: an alert that can never fire"


def test_alerts_have_names_of_their_own_and_one_of_two_severities() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)
    assert {alert.severity for alert in ALERTS} == {"page", "ticket"}
    for alert in ALERTS:
        assert re.fullmatch(r"Modstream[A-Za-z]+", alert.name)
        assert alert.summary.endswith(".")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_a_runbook_that_says_what_to_do_and_what_not(alert: Any) -> None:
    chapters = re.split(r"^## ", RUNBOOKS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (chapter,) = (chapter for chapter in chapters if chapter.startswith(f"{alert.name}\n"))
    for part in PARTS:
        assert part in chapter
    rules = yaml.safe_load((INFRA / "prometheus" / "alert_rules.yml").read_text(encoding="utf-8"))
    (rule,) = (rule for group in rules["groups"] for rule in group["rules"] if rule["alert"] == alert.name)
    assert rule["annotations"]["runbook_url"].endswith(f"#{alert.name.lower()}")


def test_no_runbook_is_of_an_alert_that_is_gone() -> None:
    headings = re.findall(r"^## (Modstream\w+)$", RUNBOOKS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(alert.name for alert in ALERTS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_has_a_test_in_which_it_fires(alert: Any) -> None:
    tests = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in (INFRA / "prometheus" / "tests").glob("*.yml")
    ]
    cases = [case for file in tests for test in file["tests"] for case in test.get("alert_rule_test", ())]
    assert any(case["alertname"] == alert.name and case["exp_alerts"] for case in cases)
