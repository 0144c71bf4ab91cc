"""`up` and `demo`: a Kafka, topics and a worker start, work, and leave nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from streams.broker import LocalBroker
from tests.tiny_pack import write_tiny_pack

PATIENCE_S = 100


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine without settings, and a pack that loads at once."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MODSTREAM_")}
    return {
        **clean,
        "MODSTREAM_STATE_DIR": str(tmp_path / "state"),
        "MODSTREAM_PACK": str(write_tiny_pack(tmp_path / "tiny")),
        "MODSTREAM_TOPICS__PARTITIONS": "2",
        "TMPDIR": str(tmp_path),
    }


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A chain that was started with `up`, with a Kafka of its own."""
    with (tmp_path / "up.err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "commands", "up", "--port", "0"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def announced(up: subprocess.Popen[str]) -> tuple[str, str]:
    """Bootstrap servers and the worker's address, once both are there."""
    assert up.stdout is not None
    servers, worker = up.stdout.readline(), up.stdout.readline()
    found = re.fullmatch(r"bootstrap servers: (\S+)\nworker: (\S+)/ready /live /metrics\n", servers + worker)
    assert found is not None, servers + worker
    return found[1], found[2]


def descendants(process: int) -> list[int]:
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in map(str.split, listed.splitlines())}
    found = [process]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def alive(processes: list[int]) -> list[int]:
    listed = subprocess.run(["ps", "-e", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    running = {int(pid) for pid, state in map(str.split, listed.splitlines()) if not state.startswith("Z")}
    return [process for process in processes if process in running]


@pytest.mark.timeout(240)
def test_up_runs_the_chain_until_it_is_told_to_stop(
    up: subprocess.Popen[str], environment: dict[str, str], tmp_path: Path
) -> None:
    servers, worker = announced(up)
    with urllib.request.urlopen(f"{worker}/ready", timeout=10) as answer:  # noqa: S310 - an address of ours
        assert json.load(answer)["ok"]
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"post_id": "p-1", "text": "you are scum"}\n', encoding="utf-8")
    flags = ("--bootstrap-servers", servers)
    tail = ("tail", "decisions", "--json", "--from-beginning", "--count", "1", "--timeout", str(PATIENCE_S))
    for arguments in (("publish", str(posts)), tail):
        ran = subprocess.run(
            [sys.executable, "-m", "commands", *arguments, *flags],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["action"] == "block"
    assert up.stdout is not None
    page = up.stdout.readline().removeprefix("console: ").strip()
    with urllib.request.urlopen(f"{page}/api/state", timeout=10) as answer:  # noqa: S310 - an address of ours
        assert json.load(answer)["workers"] == {"up": 1, "expected": 1, "unreachable": []}
    children = descendants(up.pid)
    assert len(children) >= 3  # Kafka, the worker and the console
    up.send_signal(signal.SIGINT)
    assert up.wait(PATIENCE_S) == 0, (tmp_path / "up.err").read_text()
    assert alive(children) == []
    assert (tmp_path / "up.err").read_text().splitlines()[-1] == "stopped"


@pytest.mark.timeout(240)
def test_up_ends_with_a_sentence_when_its_worker_dies_and_takes_kafka_with_it(
    up: subprocess.Popen[str], tmp_path: Path
) -> None:
    announced(up)
    children = descendants(up.pid)
    listed = subprocess.run(["ps", "-e", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    (worker,) = [
        int(line.split()[0])
        for line in listed.splitlines()
        if int(line.split()[0]) in children and " worker all " in line
    ]
    os.kill(worker, signal.SIGKILL)
    assert up.wait(PATIENCE_S) == 1
    assert "modstream: the worker was ended by signal 9" in (tmp_path / "up.err").read_text()
    assert alive(children) == []


@pytest.mark.timeout(240)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, what is left is ended within a second")
def test_nothing_outlives_an_up_that_was_killed(up: subprocess.Popen[str]) -> None:
    announced(up)
    children = descendants(up.pid)
    up.kill()
    up.wait()
    for child in children:  # the kernel ends them at once; a moment passes until they are gone
        subprocess.run(["tail", "--pid", str(child), "-f", "/dev/null"], timeout=PATIENCE_S, check=True)
    assert alive(children) == []


@pytest.mark.timeout(240)
def test_demo_shows_what_became_of_every_post_and_cleans_up(
    kafka: LocalBroker, topic_prefix: str, environment: dict[str, str], tmp_path: Path
) -> None:
    def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
        flags = ("--bootstrap-servers", kafka.bootstrap_servers, "--topics-prefix", topic_prefix, "--group", "demo")
        command = [sys.executable, "-m", "commands", "demo", *flags, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    ran = demo()
    assert ran.returncode == 0, ran.stderr
    rows = ran.stdout.splitlines()
    assert rows[0].split() == ["POST", "LANG", "TEXT", "ACTION", "HIGHEST", "LABELS", "FLAGS", "AND", "REASONS"]
    assert [row.split()[0] for row in rows[1:22]] == [f"demo-{number:02}" for number in range(1, 22)]
    assert "dead letter" in rows[22]
    assert "malformed JSON" in rows[22]
    with_media = [f"demo-{number}" for number in range(23, 37)]
    assert [row.split()[0] for row in rows[23:37]] == with_media
    assert "deleted" in rows[37]
    pictures, sounds = (list(group) for blank, group in groupby(rows[38:], key=lambda row: row == "") if not blank)
    assert pictures[0].split() == ["POST", "READ", "IN", "ITS", "PICTURE", "TEXT", "OCR", "IMAGE", "WHY", "NOT", "OK"]
    assert [row.split()[0] for row in pictures[1:]] == [*with_media[:9], "demo-35", "demo-36"]
    assert sounds[0].split() == ["POST", "HEARD", "IN", "ITS", "SOUND", "SPEECH", "WHY", "NOT", "OK"]
    assert [row.split()[0] for row in sounds[1:]] == ["demo-32", "demo-33", "demo-34", "demo-35", "demo-36"]
    assert "37 messages: 35 decisions, 1 dead letter, 1 deleted" in ran.stderr
    assert list(tmp_path.glob("modstream-demo-*")) == []

    again = demo("--json")  # on the same topics: what is there from before is not counted
    assert again.returncode == 0, again.stderr
    outcomes = [json.loads(line) for line in again.stdout.splitlines()]
    assert len(outcomes) == 37
    assert outcomes[0]["schema"] == "decision/1"
    assert outcomes[21]["headers"]["modstream-cause"] == "invalid_post"
    assert outcomes[36] == {"post_id": "demo-17", "deleted": True}


@pytest.mark.timeout(240)
def test_a_demo_whose_worker_cannot_start_says_why_and_fails(
    kafka: LocalBroker, topic_prefix: str, environment: dict[str, str], tmp_path: Path
) -> None:
    flags = ("--bootstrap-servers", kafka.bootstrap_servers, "--topics-prefix", topic_prefix, "--pack", str(tmp_path))
    ran = subprocess.run(
        [sys.executable, "-m", "commands", "demo", *flags],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert f"modstream: {tmp_path / 'manifest.json'}: no such file" in ran.stderr
    assert ran.stderr.splitlines()[-1] == "modstream: the worker ended with exit code 1; what it said last is above"
    assert "Traceback" not in ran.stderr
