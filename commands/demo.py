"""`modstream demo`: a sample of posts through a real Kafka and the whole chain, and what became of each."""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from commands.arguments import TOPICS, WORKER, add_json, add_settings, settings_of
from commands.brief import dead_letter_object, top_labels, why_dead
from commands.console import cut, printable, put_json, put_table, say
from commands.failures import CommandFailed
from commands.main import INTERRUPTED
from commands.outcomes import Outcomes, origin_of
from commands.up import worker_command
from schemas import InvalidPost, decode_post, encode_decision
from streams.json_lines import Line, read_lines
from streams.kafka import MESSAGE_BYTES, check_connection
from streams.local import (
    ChainFailed,
    LocalKafka,
    StopRequested,
    WorkerProcess,
    http_port,
    stop_on_signals,
    stop_timeout_s,
)
from streams.offsets import end_offsets, places_of
from streams.publish import Delivered, publish
from streams.reader import Reader
from streams.settings import Settings
from streams.topology import Topics
