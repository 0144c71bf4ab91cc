"""Every shell command of the README is run: here, or by the test that is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import Action, decode_decision
from tests.docs.following import Follower, follower
from tests.docs.pages import ROOT, SHELL, blocks, joined_lines
from tests.docs.test_failure_table import defined_in

PAGE = ROOT / "README.md"

pytestmark = pytest.mark.timeout(600)
"""It starts the whole chain three times, once in several processes, and judges all samples twice."""

ELSEWHERE = {
    "make demo": ("tests/kafka_tools/test_local_chain.py", "test_demo_shows_what_became_of_every_post_and_cleans_up"),
    "modstream score examples/posts.jsonl --media-file-roots examples --out decisions.jsonl --overlay": (
        "tests/commands/test_eval.py",
        "test_score_draws_what_was_read_on_the_pictures",
    ),
    "make train": (
        "tests/models_export/test_train_and_pack.py",
        "test_the_pack_is_one_that_workers_load_without_a_word",
    ),
    "modstream eval text": ("tests/commands/test_eval_judgement.py", "test_a_suite_is_judged_measured_and_drawn"),
    "modstream eval compare": (
        "tests/commands/test_eval_judgement.py",
        "test_two_runs_are_compared_from_their_predictions_alone",
    ),
}
"""What begins so -> the test that runs it, with data of its own."""

NOT_RUN = ("docker compose",)
"""There is no Docker where the tests run; the README says so."""


@pytest.fixture
def reader(environment: dict[str, str], tmp_path: Path) -> Iterator[Follower]:
    """A reader in a folder that has what a clone has, as far as the README needs it."""
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "examples").symlink_to(ROOT / "examples")
    # What the page says of a cluster of several brokers does not hold here.
    here = {
        "MODSTREAM_TOPICS__REPLICATION": "1",
        "MODSTREAM_TOPICS__PARTITIONS": "2",  # one for each of the two processes with `encode`
        **{f"MODSTREAM_KAFKA__SECURITY__{name}": "" for name in ("PROTOCOL", "SASL_MECHANISM", "USERNAME", "PASSWORD")},
    }
    with follower(clone, environment | here, (*ELSEWHERE, *NOT_RUN)) as reader:
        yield reader


def test_the_readme_does_what_it_says(reader: Follower) -> None:
    done = {entry.command: entry for entry in reader.follow(PAGE)}

    hello = next(entry for command, entry in done.items() if "--post-id hello-1" in command and "--json" in command)
    assert decode_decision(hello.stdout.strip().encode()).action is Action.REVIEW
    assert "demo-01" in done["modstream tail decisions --from-beginning --timeout 10"].stdout
    assert "invalid_post" in done["modstream dlq list"].stdout
    assert len((reader.folder / "decisions.jsonl").read_bytes().splitlines()) == len(
        (ROOT / "examples" / "posts.jsonl").read_bytes().splitlines()
    )
    assert len(reader.first_words) == 1 + 1 + 4  # up, a worker with all stages, a chain cut in four


@pytest.mark.parametrize(("beginning", "test"), ELSEWHERE.items(), ids=list(ELSEWHERE))
def test_what_is_run_elsewhere_has_its_test(beginning: str, test: tuple[str, str]) -> None:
    path, name = test
    assert name in defined_in(path)
    assert any(line.startswith(beginning) for block in blocks(PAGE, SHELL) for line in joined_lines(block))
