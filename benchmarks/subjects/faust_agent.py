"""The Faust agent that the worker is compared with: reads posts as JSON, decodes them, and sends them on as JSON.

`python -m benchmarks.subjects.faust_agent SERVERS GROUP FROM TO PARTITIONS`; SIGTERM ends it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import faust
from faust.worker import Worker

# Tried one by one against Faust's defaults on two cores, in which nothing else made a difference beyond the noise.
SETTINGS: dict[str, Any] = {
    # A message is acknowledged and forgotten; waiting for the stream to be empty first is for rebalances.
    "stream_wait_empty": False,
    # Enough ahead of the agent that it never waits for the next fetch.
    "stream_buffer_maxsize": 16_384,
    "broker_max_poll_records": 2_000,
    "producer_linger": 0.005,
    "producer_max_batch_size": 256 * 1024,
    # No server, no tables on disk.
    "web_enabled": False,
    "store": "memory://",
    "topic_disable_leader": True,
}


def agent(servers: str, group: str, source: str, target: str, partitions: int) -> faust.App:
    """The app; `source` and `target` are topics that exist."""
    app = faust.App(
        group,
        broker=f"kafka://{servers}",
        topic_partitions=partitions,
        value_serializer="json",
        key_serializer="raw",
        consumer_auto_offset_reset="earliest",
        **SETTINGS,
    )
    posts = app.topic(source, key_type=bytes, value_serializer="json", allow_empty=False)
    passed = app.topic(target, key_type=bytes, value_serializer="json")

    @app.agent(posts)
    async def pass_on(stream: Any) -> None:
        async for key, post in stream.items():
            await passed.send(key=key, value=post)

    return app


def main(servers: str, group: str, source: str, target: str, partitions: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = agent(servers, group, source, target, int(partitions))
        app.conf.datadir = Path(folder)
        Worker(app, loglevel="WARNING").execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
