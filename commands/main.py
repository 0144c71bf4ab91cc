"""`modstream`: finds the command, and turns what goes wrong into a sentence and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import NoReturn

from commands.terminal import say

COMMANDS = {
    "up": "a local Kafka (if no bootstrap servers are set), topics and the whole chain, until Ctrl-C",
    "demo": "as `up`; publishes a sample of posts, shows their decisions and ends",
    "broker": "a local single-node Apache Kafka, until Ctrl-C",
    "topics": "create the topics, or list them",
    "worker": "run stages of the chain",
    "console": "the page for operators and reviewers, until Ctrl-C",
    "publish": "publish posts from a file of JSON Lines",
    "tail": "show decisions, confidences, flags or dead letters as they come",
    "score": "posts in, decisions out, without Kafka",
    "replay": "judge a topic's past again with another pack or policy, with a report",
    "eval": "measure the chain on a labelled suite, with a report",
    "data": "data sets in one manifest: build, check, read their media, write shards",
    "insights": "count what the chain decides, window by window, until Ctrl-C",
    "canary": "whether the canary may take over: promote, hold or roll back",
    "lag": "how far each stage is behind, in messages and seconds",
    "dlq": "list, show and replay dead letters",
    "media": "remove media past their retention, or those of one post",
    "policy": "check a policy and show what it says for whom",
    "pack": "check a model pack",
    "config": "the settings in force, and where each came from",
}
"""Command -> what it does. Each is the module `commands.<name>`, which is imported only when it is asked for."""

INTERRUPTED = 130
PIPE_CLOSED = 141
"""As shells report an end by SIGINT and by SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed (stderr says why), 2 wrong arguments."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    _speak_utf8()
    # Libraries log; a command's own messages do not. `worker` asks for more.
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        args = build_parser(arguments).parse_args(arguments)
        run: Callable[[Namespace], int] = args.run
        code = run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has left, as `head` does. What is still buffered must not fail at exit.
        with contextlib.suppress(io.UnsupportedOperation):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        from commands.failures import sentence_of

        sentence = sentence_of(error)
        if sentence is None:
            raise
        say(f"modstream: {sentence}")
        return 1
    return code


class Parser(ArgumentParser):
    """Says what is wrong in one sentence, and not under a screen of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (`{self.prog} --help` says what it takes)\n")


def build_parser(arguments: Sequence[str]) -> ArgumentParser:
    """The parser; of all commands it knows the name, and the arguments only of the one that is asked for."""
    parser = Parser(
        prog="modstream", description="Streaming, multimodal content moderation on Apache Kafka.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"modstream {metadata.version('modstream')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, what in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}.",
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if arguments[:1] == [name]:
            importlib.import_module(f"commands.{name}").configure(command)
    return parser


def _speak_utf8() -> None:
    """Posts are in any language, also where the terminal's own character set is not: what it lacks is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
