"""`modstream demo`: a sample of posts through a real Kafka and the whole chain, and what became of each."""

from __future__ import annotations

import shutil
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from commands.arguments import TOPICS, WORKER, add_json, add_settings, settings_of
from commands.brief import dead_letter_object, why_dead
from commands.demo_table import (
    HEADER,
    PICTURES_HEADER,
    SOUNDS_HEADER,
    TEXT_COLUMNS,
    WHY_COLUMNS,
    decision_row,
    fitted,
    has_pictures,
    has_sound,
    picture_row,
    sound_row,
    text_of,
)
from commands.failures import CommandFailed
from commands.outcomes import Outcomes, origin_of
from commands.terminal import counted, cut, printable, put_json, put_line, put_table, say
from commands.up import worker_command
from schemas import InvalidPost, decode_post
from streams.json_lines import Line, read_lines
from streams.kafka import MESSAGE_BYTES, check_connection
from streams.local import (
    ChainFailed,
    LocalKafka,
    WorkerProcess,
    http_port,
    stop_timeout_s,
)
from streams.offsets import end_offsets, places_of
from streams.publish import Delivered, publish
from streams.reader import Reader
from streams.settings import Delivery, Settings
from streams.signals import StopRequested, stop_on_signals
from streams.topology import Topics

SAMPLE = Path(__file__).resolve().parents[1] / "examples" / "posts.jsonl"
DELETED = "demo-17"
"""A post of the sample that its author deletes."""

ANSWER_S = 60.0
"""For all outcomes, once the worker is ready: far more than a slow machine needs."""

LOG_LINES = 20

EPILOG = """
Uses a Kafka of its own in a temporary folder, or the cluster of the settings. Fails unless each post of the sample got
exactly one decision or dead letter.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    add_json(parser, "print each outcome as JSON, a line each")
    add_settings(parser, (*WORKER, *TOPICS))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    began_s = time.monotonic()
    try:
        with stop_on_signals(), tempfile.TemporaryDirectory(prefix="modstream-demo-") as folder:
            lines, published, outcomes = _through_the_chain(args, settings, Path(folder))
    except StopRequested:
        raise KeyboardInterrupt from None
    if args.json:
        _put_objects(published, outcomes)
    else:
        _put_table(lines, published, outcomes)
    if outcomes.doubled and settings.delivery is Delivery.EXACTLY_ONCE:
        raise CommandFailed(f"{len(outcomes.doubled)} posts were answered twice: {outcomes.doubled}")
    say(
        f"{len(published)} messages: {len(outcomes.decisions)} decisions, {counted(len(outcomes.dead), 'dead letter')},"
        f" {len(outcomes.deletes)} deleted; in {time.monotonic() - began_s:.1f} s"
    )
    say("next: `modstream up` keeps it running; docs/command-line.md has every command")
    return 0


def _through_the_chain(
    args: Namespace, settings: Settings, folder: Path
) -> tuple[dict[int, Line], list[Delivered], Outcomes]:
    """Publish the sample to a running chain, and wait for what becomes of it."""
    with SAMPLE.open("rb") as file:
        lines = {line.number: line for line in read_lines(file, MESSAGE_BYTES)}
    log = folder / "worker.log"
    with ExitStack() as stack:
        kafka = LocalKafka(settings, folder / "kafka", 0, say)
        settings = stack.enter_context(kafka)
        overrides = {
            "kafka.bootstrap_servers": str(settings.kafka.bootstrap_servers),
            "http.port": str(http_port(settings)),
            "state_dir": str(folder / "state"),
            "store.url": str(folder / "store"),
            "media.file_roots": str(SAMPLE.parent),
        }
        say("starting the worker")
        errors = stack.enter_context(log.open("wb"))
        worker = stack.enter_context(
            WorkerProcess(worker_command(args, overrides), stop_timeout_s(settings), log=errors)
        )
        outcomes = Outcomes(Topics(settings.topics.prefix))
        reader = stack.enter_context(_reader(settings, outcomes.topics))
        published = _publish(settings, list(lines.values()), outcomes)
        say(f"{len(published)} messages published to {settings.kafka.bootstrap_servers}")
        try:
            worker.wait_ready()
            deadline_s = time.monotonic() + ANSWER_S
            while outcomes.waiting:
                for message in reader.read(0.2):
                    outcomes.take(message)
                worker.check()
                kafka.check()
                if time.monotonic() > deadline_s:
                    raise ChainFailed(f"no answer within {ANSWER_S:g} s to {sorted(outcomes.waiting)}")
        except ChainFailed:
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]:
                say(line)
            raise
    return lines, published, outcomes


def _reader(settings: Settings, topics: Topics) -> Reader:
    """Reads what is answered from now on."""
    admin = check_connection(settings.kafka)
    start = end_offsets(admin, places_of(admin, [topics.decisions, topics.dead_letters]))
    return Reader(settings.kafka, settings.group, "demo", start)


def _publish(settings: Settings, lines: list[Line], outcomes: Outcomes) -> list[Delivered]:
    published: list[Delivered] = []
    summary = publish(settings, lines, deletes=[DELETED], on_delivered=published.append)
    if summary.failed:
        raise ChainFailed(f"{summary.failed} messages could not be published: {'; '.join(summary.errors)}")
    published.sort(key=lambda delivered: (delivered.line is None, delivered.line))
    outcomes.expect(delivered for delivered in published if delivered.line is not None)
    outcomes.expect((), [(DELETED, delivered) for delivered in published if delivered.line is None])
    return published


def _put_objects(published: list[Delivered], outcomes: Outcomes) -> None:
    for delivered in published:
        origin = origin_of(delivered)
        if decision := outcomes.decisions.get(origin):
            put_json(msgspec.to_builtins(decision))
        elif letter := outcomes.dead.get(origin):
            put_json(dead_letter_object(letter))
        else:
            put_json({"post_id": DELETED, "deleted": True})


def _put_table(lines: Mapping[int, Line], published: list[Delivered], outcomes: Outcomes) -> None:
    rows: list[tuple[str, ...]] = []
    pictures: list[tuple[str, ...]] = []
    sounds: list[tuple[str, ...]] = []
    for delivered in published:
        origin = origin_of(delivered)
        if delivered.line is None:
            rows.append((DELETED, "", "", "deleted", "", "its author deleted it: a null value took its decision back"))
            continue
        name, text = _post(lines[delivered.line])
        if decision := outcomes.decisions.get(origin):
            rows.append(decision_row(name, text, decision))
            if has_pictures(decision):
                pictures.append(picture_row(decision))
            if has_sound(decision):
                sounds.append(sound_row(decision))
        else:
            rows.append((name, "", text, "dead letter", "", cut(why_dead(outcomes.dead[origin]), WHY_COLUMNS)))
    room = shutil.get_terminal_size((0, 0)).columns
    put_table(HEADER, fitted(HEADER, rows, room))
    for header, more in ((PICTURES_HEADER, pictures), (SOUNDS_HEADER, sounds)):
        if more:
            put_line("")
            put_table(header, fitted(header, more, room))


def _post(line: Line) -> tuple[str, str]:
    """Id and beginning of a post; of a line that is none, its beginning."""
    try:
        post = decode_post(line.value)
    except InvalidPost:
        return f"line {line.number}", cut(printable(line.value.decode("utf-8", "replace")), TEXT_COLUMNS)
    return post.post_id, text_of(post)
