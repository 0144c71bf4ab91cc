"""Forty hours of a small chain, a day, a night of hardly a post, and most of the next day: input for promtool.

Minute by minute, as the metrics of its workers would tell them.
"""

from __future__ import annotations

import math
import random
import re
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

PROMETHEUS = Path(__file__).resolve().parents[2] / "infra" / "prometheus"

HOURS = 40
RESTART_H = 31.0
"""A rollout of a new version: one worker after the other is away for three minutes, and counts from zero again."""
AWAY_MIN = 3
UNEXPECTED = '{alertname="promtool shows the answer where it expected another"}'
NOON_POSTS, NIGHT_POSTS = 120.0, 2.0
"""A minute."""
STAGE_SHARES = {"ingest": 1.0, "fetch": 0.3, "ocr": 0.2, "asr": 0.01, "pack": 1.0, "encode": 1.0, "fuse": 1.0}
ACTIONS = {"approve": 0.9, "review": 0.08, "block": 0.02}
LANGUAGES = {"en": 0.7, "de": 0.25, "is": 0.05}
LATE_SHARE = 0.01
WORKERS = ("a", "b")

Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]


@dataclass(frozen=True)
class Days:
    """What happens beside the ordinary, in hours from the beginning."""

    encode_stops_at_h: float = math.inf
    blocks_more_from_h: float = math.inf
    seed: int = 7


def fired_in(days: Days, promtool: str, folder: Path) -> set[str]:
    """The alerts that fired at any time."""
    values = _simulated(days)
    at = f"{HOURS}h"
    test = {
        "rule_files": [str(PROMETHEUS / name) for name in ("recording_rules.yml", "alert_rules.yml")],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": _written(series), "values": " ".join(points)} for series, points in values.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": f'group by (alertname) (last_over_time(ALERTS{{alertstate="firing"}}[{at}]))',
                        "eval_time": at,
                        "exp_samples": [
                            {"labels": '{alertname="the answer is shown where it is another"}', "value": 1}
                        ],
                    }
                ],
            }
        ],
    }
    path = folder / "days.yml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "got:" in said, said[-2000:]
    return set(re.findall(r'alertname="(\w+)"', said.rpartition("got:")[2]))


def _written(series: Series) -> str:
    name, labels = series
    inner = ",".join(f'{label}="{value}"' for label, value in labels)
    return f"{name}{{{inner}}}"


def _simulated(days: Days) -> dict[Series, list[str]]:
    chance = random.Random(days.seed)
    counters: dict[str, dict[Series, int]] = {worker: defaultdict(int) for worker in WORKERS}
    values: dict[Series, list[str]] = defaultdict(list)
    for minute in range(HOURS * 60 + 1):
        for at, worker in enumerate(WORKERS):
            began = RESTART_H * 60 + 10 * at
            away = began <= minute < began + AWAY_MIN
            if away:
                counters[worker].clear()
            else:
                _work(counters[worker], days, minute, worker, chance)
            told = {} if away else {**counters[worker], **_gauges(minute, worker, chance)}
            for series in {*told, *(known for known in values if ("instance", worker) in known[1])}:
                points = values[series]
                points += ["_"] * (minute - len(points))
                points.append(
                    str(told[series]) if series in told else "stale" if away and points[-1:] != ["stale"] else "_"
                )
    return values


def _work(counts: dict[Series, int], days: Days, minute: int, worker: str, chance: random.Random) -> None:
    """What one worker counts in a minute."""

    def add(name: str, number: int, **labels: str) -> None:
        counts[name, (*labels.items(), ("instance", worker))] += number

    hour = minute / 60
    mean = NIGHT_POSTS + (NOON_POSTS - NIGHT_POSTS) * max(0.0, math.sin((hour % 24 - 6) / 24 * 2 * math.pi))
    posts = _poisson(mean / len(WORKERS), chance)
    stopped = hour >= days.encode_stops_at_h
    add("modstream_messages_consumed_total", posts, topic="moderation.posts", lane="standard")
    for stage, share in STAGE_SHARES.items():
        halted = stopped and stage in ("encode", "fuse")
        add("modstream_stage_records_total", 0 if halted else _binomial(posts, share, chance), stage=stage)
        for cause in ("poison", "retries_exhausted", "invalid_post"):
            add("modstream_dead_letters_total", 0, stage=stage, cause=cause)
    add("modstream_dead_letters_total", int(minute % 701 == 350), stage="encode", cause="poison")
    add("modstream_dead_letters_total", _binomial(posts, 0.005, chance), stage="ingest", cause="invalid_post")
    decided = 0 if stopped else posts
    blocks = 0.15 if hour >= days.blocks_more_from_h else ACTIONS["block"]
    late = _binomial(decided, LATE_SHARE, chance)
    add("modstream_end_to_end_seconds_bucket", decided - late, lane="standard", kind="text", le="0.1")
    add("modstream_end_to_end_seconds_count", decided, lane="standard", kind="text")
    for language in LANGUAGES:
        for action in ACTIONS:
            add("modstream_posts_decided_total", 0, action=action, tenant="t", lang=language, region="none")
    for _ in range(decided):
        (language,) = chance.choices(list(LANGUAGES), list(LANGUAGES.values()))
        shares = {**ACTIONS, "block": blocks}
        (action,) = chance.choices(list(shares), list(shares.values()))
        add("modstream_posts_decided_total", 1, action=action, tenant="t", lang=language, region="none")
    add("modstream_transactions_total", 60, outcome="committed")
    add("modstream_transactions_total", int(minute % 240 == 0), outcome="aborted")
    rollout = RESTART_H * 60 <= minute < RESTART_H * 60 + 30
    add("modstream_rebalances_total", int(rollout and minute % 10 == 3), event="revoked")


def _gauges(minute: int, worker: str, chance: random.Random) -> Mapping[Series, float]:
    """What one worker says of the moment. Now and then a minute begins with a pile of messages."""
    lag_s = round(chance.expovariate(2.0), 3) if chance.random() > 0.005 else 80.0
    mine = ("instance", worker)
    topic = (("topic", "moderation.posts"), ("partition", worker), mine)
    return {
        ("up", (("job", "modstream"), mine)): 1,
        ("modstream_lag_seconds", topic): lag_s,
        ("modstream_lag_messages", topic): int(lag_s * 2),
        ("modstream_breaker_state", (("state", "open"), mine)): 0,
        ("modstream_partitions_paused", (("reason", "newer_version"), mine)): int(
            RESTART_H * 60 <= minute < RESTART_H * 60 + 10
        ),
        ("modstream_ready_state", (("job", "modstream"), ("condition", "versions"), mine)): int(
            not RESTART_H * 60 <= minute < RESTART_H * 60 + 10
        ),
        ("modstream_journal_suspects", (mine,)): 0,
    }


def _poisson(mean: float, chance: random.Random) -> int:
    """Knuth's way, which is fine for means of a few hundred."""
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def _binomial(number: int, share: float, chance: random.Random) -> int:
    return number if share == 1.0 else sum(chance.random() < share for _ in range(number))
