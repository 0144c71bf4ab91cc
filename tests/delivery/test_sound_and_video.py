"""Posts with sound and video on real Kafka and the real stages: none is lost, doubled, or approved unheard."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from schemas import Stage
from streams.topology import LONG
from tests.delivery.cluster import ALL, Cluster, Process
from tests.delivery.test_failure_table import wait_until
from tests.delivery.test_pictures import decided_once, text_post
from tests.drawn import picture_of
from tests.media.sounded import RATE, silence, sound, speechless_wav, video

SPEECH = (Path(__file__).resolve().parents[1] / "fixtures" / "speech" / "jfk.flac").read_bytes()
"""`ask what you can do for your country`"""

Post = tuple[str, dict[str, Any]]


def posted(post_id: str, *items: tuple[str, bytes], text: str | None = None) -> Post:
    """`items`: what their sender calls them, and their bytes."""
    media = [
        {"media_id": f"m-{at}", "kind": kind, "data": base64.b64encode(data).decode()}
        for at, (kind, data) in enumerate(items, start=1)
    ]
    return post_id, {"schema": "post/1", "post_id": post_id, "text": text, "media": media}


def captioned(*captions: str) -> bytes:
    """A silent video that shows each caption for a second."""
    frames = [picture_of(caption) for caption in captions]
    return video([frame for frame in frames for _ in range(RATE)], samples=silence(len(captions)))


def repeated(times: int) -> bytes:
    """The sentence again and again, as an MP3: small enough to ride in the post."""
    with av.open(BytesIO(SPEECH), "r") as file:
        once = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1) / np.float32(32_768)
    return sound(np.tile(once, times).astype(np.float32), "mp3", rate=16_000)


def real(cluster: Cluster, name: str, *stages: str, **settings: str) -> Process:
    """A worker with the real stages."""
    worker = cluster.spawn(name, "commands", "worker", *(stages or ALL), **settings)
    worker.wait_ready()
    return worker


def heard(decision: dict[str, Any]) -> str:
    return " ".join(entry["text"] for entry in decision["evidence"] if entry["modality"] == "speech").lower()


def statuses(decision: dict[str, Any]) -> list[str]:
    return [decision["modalities"][name]["status"] for name in ("text", "ocr", "image", "speech")]


@pytest.mark.timeout(240)
def test_each_kind_of_post_has_one_decision_on_all_that_it_shows_and_says(cluster: Cluster) -> None:
    worker = real(cluster, "one", MODSTREAM_MEDIA__LONG_SECONDS="5")
    clip = captioned("Good morning", "have a nice day")
    posts = [
        text_post("text"),
        posted("sound", ("audio", SPEECH)),
        posted("music", ("audio", speechless_wav(3)), text="hello"),
        posted("only music", ("audio", speechless_wav(4))),
        posted("video", ("video", clip), text="look"),
        posted("both", ("video", clip), ("audio", SPEECH)),
        posted("long", ("audio", repeated(3)), text="listen to this"),
        posted("called a picture", ("image", SPEECH)),
        posted("broken", ("video", clip[:600]), text="look"),
    ]
    cluster.publish(posts)
    found = decided_once(cluster, {name for name, _ in posts})
    for name in ("sound", "both", "long", "called a picture"):
        assert "what you can do for your country" in heard(found[name]), name
        assert found[name]["modalities"]["speech"]["status"] == "ok"
    assert heard(found["music"]) == ""
    assert statuses(found["sound"]) == ["absent", "absent", "absent", "ok"]
    assert statuses(found["broken"])[1:] == ["failed", "failed", "failed"]
    assert {name for name, decision in found.items() if decision["action"] != "approve"} == {"broken", "only music"}
    lines = [entry for entry in found["video"]["evidence"] if entry["modality"] == "ocr"]
    assert [entry["text"] for entry in lines] == ["Good morning", "have a nice day"]
    assert lines[0]["t_start"] < lines[1]["t_start"]
    assert sum(cluster.ends(cluster.topics.stage(Stage.ASR, LONG)).values()) > 0, "the long one went its own way"
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0
    assert worker.terminate() == 0


@pytest.mark.timeout(240)
def test_a_worker_killed_while_it_transcribes_loses_and_doubles_nothing(cluster: Cluster) -> None:
    first = real(cluster, "one")
    posts = [posted(f"sound-{at}", ("audio", repeated(12 + at))) for at in range(3)]
    posts += [text_post(f"text-{at}") for at in range(20)]
    cluster.publish(posts)
    journal = cluster.folder / "state" / cluster.prefix.rstrip(".") / "journal"
    wait_until(lambda: any(note.read_bytes().startswith(b"[{") for note in journal.glob("*/one.asr.*")), first)
    first.kill()
    second = real(cluster, "one")
    found = decided_once(cluster, {name for name, _ in posts})
    assert all("your country" in heard(found[f"sound-{at}"]) for at in range(3))
    assert len(cluster.read(cluster.topics.dead_letters, 0)) == 0
    assert second.terminate() == 0


@pytest.mark.timeout(180)
def test_a_sound_that_is_gone_before_it_is_heard_is_reviewed(cluster: Cluster) -> None:
    front = real(cluster, "front", "ingest", "fetch")
    cluster.publish([posted("p-1", ("audio", SPEECH), text="What a lovely day in the park.")])
    assert len(cluster.read(cluster.topics.stage(Stage.ASR), 1)) == 1
    assert front.terminate() == 0
    for path in (cluster.folder / "store" / "objects").glob("*/*/*"):
        path.unlink()
    real(cluster, "back", "asr", "pack", "encode", "fuse")
    decision = decided_once(cluster, {"p-1"})["p-1"]
    assert decision["action"] == "review"
    assert statuses(decision) == ["ok", "absent", "absent", "failed"]
