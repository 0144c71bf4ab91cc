"""What the command line offers, as CONTRACTS has it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands.eval import READING
from commands.main import COMMANDS
from models_export.evaluation.suites import SUITES
from tests.commands.conftest import Run

JUDGING = ("--data", "--out", "--texts", "--no-baselines")

CONNECTION = ("--config", "--bootstrap-servers", "--kafka-security-protocol", "--topics-prefix", "--group")

OPTIONS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("up",): (
        *CONNECTION,
        *("--data", "--port", "--console-port", "--pack", "--policy", "--delivery", "--topics-partitions"),
    ),
    ("demo",): (*CONNECTION, "--json", "--pack", "--policy"),
    ("broker",): ("--data", "--port", "--config"),
    ("topics", "create"): (*CONNECTION, "--json", "--topics-partitions", "--topics-replication"),
    ("topics", "list"): (*CONNECTION, "--json"),
    ("topics", "access"): (*CONNECTION, "ROLE", "--stage", "--principal", "--json"),
    ("worker",): (*CONNECTION, "STAGE", "--http-port", "--instance", "--delivery", "--pack", "--policy", "--quiet"),
    ("console",): (*CONNECTION, "--store-url", "--console-host", "--console-port", "--console-workers"),
    ("publish",): (*CONNECTION, "FILE", "--delete", "--json"),
    ("tail",): (
        *CONNECTION,
        *("decisions", "confidence", "flags", "dead-letters"),
        *("--json", "--from-beginning", "--count", "--timeout", "--post-id"),
    ),
    ("score",): ("FILE", "--out", "--overlay", "--pack", "--policy", "--store-url", "--config"),
    ("replay",): (
        *CONNECTION,
        *("--since", "--until", "--offsets", "--tenant", "--post-id", "--post-ids", "--sample", "--full"),
        *("--full-where-needed", "--policy-before", "--with-text", "--out", "--json", "--pack", "--policy"),
    ),
    ("eval",): ("SUITE", *READING, *SUITES, "compare"),
    **{("eval", name): ("--data", "--out", "--limit", "--json", "--pack", "--config") for name in READING},
    **{("eval", name): (*JUDGING, "--limit", "--json", "--pack", "--policy", "--config") for name in SUITES},
    ("eval", "compare"): ("A", "B", "--out", "--json"),
    ("data", "build"): ("--data", "--out", "--json"),
    ("data", "check"): ("--manifest", "--data", "--out", "--json"),
    ("data", "extract"): ("--manifest", "--data", "--out", "--limit", "--json", "--pack", "--config"),
    ("data", "shards"): ("--manifest", "--data", "--readings", "--split", "--items", "--mismatches", "--out", "--json"),
    ("canary",): (*CONNECTION, "--json", "--span", "--pack", "--policy", "--canary-pack", "--canary-policy"),
    ("insights",): (*CONNECTION, "--insights-window-s", "--insights-grace-s", "--http-port", "--quiet"),
    ("lag",): (*CONNECTION, "--json"),
    ("dlq", "list"): (*CONNECTION, "--json", "--cause", "--stage", "--limit"),
    ("dlq", "show"): (*CONNECTION, "--json", "WHICH"),
    ("dlq", "replay"): (*CONNECTION, "--json", "WHICH", "--all", "--dry-run", "--again", "--cause", "--stage"),
    ("media", "sweep"): ("--json", "--store-url", "--store-retention-days", "--config"),
    ("media", "forget"): ("POST_ID", "--json", "--store-url", "--config"),
    ("policy", "check"): ("FILE", "--tenant", "--region", "--lang", "--pack", "--json", "--config"),
    ("pack", "check"): ("DIR", "--json"),
    ("pack", "build"): ("DIR", "--engines", "--out", "--precision", "--detection-side"),
    ("config",): (*CONNECTION, "--json"),
}


@pytest.mark.parametrize("command", OPTIONS, ids=" ".join)
def test_every_command_explains_itself_and_its_options(command: tuple[str, ...], run: Run) -> None:
    ran = run(*command, "--help")
    assert ran.code == 0
    assert ran.err == ""
    for option in OPTIONS[command]:
        assert option in ran.out


def test_the_help_lists_every_command_and_only_those_that_do_something(run: Run) -> None:
    listed = re.findall(r"^ {4}([a-z]+) ", run("--help").out, re.MULTILINE)
    assert listed == list(COMMANDS)
    assert {command[0] for command in OPTIONS} == set(COMMANDS)


def test_the_documentation_has_every_command_and_every_option() -> None:
    text = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    for command, options in OPTIONS.items():
        assert f"modstream {' '.join(command)}" in text
        for option in options:
            if option.startswith("--") and option not in ("--limit", "--stage"):
                assert option in text, f"{option} of {' '.join(command)}"


def test_the_version_can_be_asked_for(run: Run) -> None:
    ran = run("--version")
    assert ran.code == 0
    assert re.fullmatch(r"modstream \d+\.\d+\.\d+\n", ran.out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "COMMAND"),
        (("play",), "invalid choice: 'play'"),
        (("replay",), "--out"),
        (("tail",), "what"),
        (("tail", "posts"), "'decisions', 'confidence', 'flags', 'dead-letters'"),
        (("tail", "decisions", "--count", "0"), "a whole number above 0"),
        (("tail", "decisions", "--timeout", "soon"), "a number of seconds above 0"),
        (("tail", "decisions", "--time", "1"), "unrecognized arguments: --time"),
        (("worker",), "STAGE"),
        (("worker", "sort"), "there is no stage 'sort': expected all, or some of ingest, "),
        (("dlq",), "ACTION"),
        (("dlq", "list", "--cause", "bad"), "invalid_post"),
        (("score",), "FILE"),
        (("eval",), "SUITE"),
        (("eval", "music", "--data", "d", "--out", "o"), "'music' (choose from"),
        (("eval", "ocr", "--out", "o"), "--data"),
        (("media", "forget"), "POST_ID"),
    ],
)
def test_wrong_arguments_are_named_in_one_sentence(arguments: tuple[str, ...], said: str, run: Run) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert said in ran.sentence
    assert "--help` says what it takes" in ran.sentence


def test_a_command_loads_nothing_that_only_others_need() -> None:
    program = (
        "import sys; from commands.main import main; main(['config', '--json']);"
        "sys.stderr.write(' '.join({'onnxruntime', 'tokenizers', 'cel', 'streams.worker'} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stderr == ""


def test_a_reader_that_leaves_early_gets_no_traceback() -> None:
    shell = f"{sys.executable} -m commands config --json | true; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.returncode in (0, 141)  # whether `true` has left before the first byte is a race
