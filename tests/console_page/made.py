"""What the double says by default: a day like others at a made-up platform. All posts here are invented and mild."""

from __future__ import annotations

import io
import math
import random
import time
import wave
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from schemas import LABELS

STAGES = ("ingest", "fetch", "ocr", "asr", "pack", "encode", "fuse", "retry")
HISTORY_POINTS = 900


def now_ms() -> int:
    return int(time.time() * 1000)


def session(role: str = "operator", who: str = "local") -> dict[str, Any]:
    rank = ("viewer", "reviewer", "operator").index(role)
    return {
        "who": who,
        "role": role,
        "may": {"content": rank >= 1, "feedback": rank >= 1, "dead_letters": rank >= 2},
        "version": "0.1.0",
        "group": "modstream",
        "actions": ["approve", "review", "block"],
        "labels": list(LABELS),
        "login_required": False,
    }


def nobody() -> dict[str, Any]:
    may = {"content": False, "feedback": False, "dead_letters": False}
    return {**session(), "who": None, "role": None, "may": may, "version": None, "group": None, "login_required": True}


def stage(name: str, **changes: Any) -> dict[str, Any]:
    index = STAGES.index(name)
    return {
        "stage": name,
        "lane": None,
        "records_per_s": (412.4, 411.9, 148.2, 41.6, 411.7, 410.9, 410.6, 0.4)[index],
        "lag_messages": (38, 112, 74, 61, 9, 204, 12, 3)[index],
        "lag_s": (0.09, 0.31, 0.52, 1.48, 0.02, 0.61, 0.03, 3.2)[index],
        "queue_p95_s": (0.021, 0.084, 0.212, 0.744, 0.009, 0.302, 0.011, None)[index],
        "compute_p95_s": (0.0012, 0.148, 0.231, 1.61, 0.0006, 0.088, 0.0034, None)[index],
        "batch_mean": (64.0, 16.2, 8.1, 2.4, 61.3, 32.0, 60.8, None)[index],
        "workers": (4, 4, 3, 3, 4, 4, 4, 4)[index],
        "lanes": [],
        **changes,
    }


def state(**changes: Any) -> dict[str, Any]:
    return {
        "at_ms": now_ms(),
        "posts_per_s": 412.4,
        "decided_per_s": 410.6,
        "stages": [stage(name) for name in STAGES],
        "latency": [
            {"lane": "standard", "p50_s": 0.412, "p95_s": 1.87, "p99_s": 3.94},
            {"lane": "urgent", "p50_s": 0.121, "p95_s": 0.384, "p99_s": 0.702},
        ],
        "decisions": {"approve": 112_394, "review": 8_871, "block": 1_915},
        "decisions_seconds": 300,
        "dead_letters": [
            {"stage": "ingest", "cause": "invalid_post", "count": 14},
            {"stage": "fetch", "cause": "retries_exhausted", "count": 6},
            {"stage": "ocr", "cause": "poison", "count": 1},
        ],
        "workers": {"up": 4, "expected": 4, "unreachable": []},
        "kafka_answers": True,
        **changes,
    }


def history(points: int = HISTORY_POINTS) -> dict[str, Any]:
    """Fifteen minutes that end now: slow waves, some noise, one hiccup."""
    chance = random.Random(7)
    end = now_ms()
    taken, decided, latency = [], [], []
    for index in range(points):
        wave_ = 391 + 32 * math.sin(index / 143) + 11 * math.sin(index / 31)
        hiccup = 0.62 if 520 <= index < 548 else 1.22 if 548 <= index < 566 else 1.0
        taken.append(round(wave_ + chance.gauss(0, 5), 1))
        decided.append(round(wave_ * hiccup + chance.gauss(0, 6), 1))
        latency.append(
            round(1.62 + 0.2 * math.sin(index / 90) + (1.6 if 524 <= index < 570 else 0) + chance.gauss(0, 0.05), 3)
        )
    lags = {
        name: [
            round(
                max(
                    0.0,
                    (stage(name)["lag_s"] or 0) * (1 + 0.5 * math.sin(index / (17 + 5 * at)) + chance.gauss(0, 0.15)),
                ),
                2,
            )
            for index in range(points)
        ]
        for at, name in enumerate(STAGES)
    }
    return {
        "at_ms": [end - (points - index) * 1000 for index in range(points)],
        "posts_per_s": taken,
        "decided_per_s": decided,
        "p95_s": latency,
        "lag_s": lags,
        "actions": {action: [None] * points for action in ("approve", "review", "block")},
    }


def decision_event(post_id: str, action: str = "approve", **changes: Any) -> dict[str, Any]:
    return {
        "decision_id": f"d-{post_id}",
        "post_id": post_id,
        "tenant": "default",
        "lang": "en",
        "action": action,
        "confidence": 0.97,
        "top": [["insult", 0.031], ["profanity", 0.024], ["abuse", 0.012]],
        "flags": [],
        "decided_at_ms": now_ms(),
        "severity": 0,
        **changes,
    }


def decisions() -> list[dict[str, Any]]:
    """Newest first."""
    kinds: list[dict[str, Any]] = [
        {},
        {"lang": "de", "top": [["profanity", 0.211], ["insult", 0.102], ["abuse", 0.041]]},
        {
            "action": "review",
            "top": [["insult", 0.871], ["abuse", 0.774], ["harassment", 0.312]],
            "flags": ["insult", "abuse"],
            "severity": 2,
            "confidence": 0.87,
        },
        {"lang": "es"},
        {"lang": "fr", "tenant": "club-forum", "top": [["spam", 0.118], ["profanity", 0.02], ["abuse", 0.009]]},
        {
            "action": "block",
            "top": [["threat", 0.968], ["abuse", 0.912], ["violence", 0.433]],
            "flags": ["threat", "abuse"],
            "severity": 4,
            "confidence": 0.97,
        },
        {"lang": "en", "confidence": 0.99},
        {"lang": "tr"},
        {
            "action": "review",
            "lang": "en",
            "top": [["sexism", 0.713], ["insult", 0.402], ["abuse", 0.398]],
            "flags": ["sexism"],
            "severity": 2,
            "confidence": 0.71,
        },
    ]
    chance = random.Random(3)
    made = []
    for index in range(36):
        post_id = f"p-{chance.randrange(16**10):010x}"
        changes: dict[str, Any] = {"decided_at_ms": now_ms() - index * 740, **kinds[index % len(kinds)]}
        made.append(decision_event(post_id, **changes))
    return made


def flags() -> list[dict[str, Any]]:
    raised = []
    for decision in decisions():
        for flag in decision["flags"]:
            probability = dict(decision["top"]).get(flag)
            raised.append(
                {
                    **{
                        name: decision[name]
                        for name in ("post_id", "decision_id", "severity", "action", "decided_at_ms")
                    },
                    "flag": flag,
                    "probability": probability,
                    "threshold": 0.6,
                }
            )
    return raised


def post(post_id: str, text: str | None = None, **changes: Any) -> dict[str, Any]:
    """An answer of `/api/posts/…`: `decision` and `post` among `changes` are merged into what is made here."""
    decision: dict[str, Any] = {
        "schema": "decision/1",
        "decision_id": f"d-{post_id}",
        "post_id": post_id,
        "tenant": "default",
        "lang": "en",
        "source": {"topic": "moderation.posts", "partition": 3, "offset": 48_211, "timestamp_ms": now_ms() - 60_000},
        "action": "review",
        "confidence": 0.871,
        "labels": {
            "insult": 0.871,
            "abuse": 0.774,
            "harassment": 0.312,
            "hate": 0.084,
            "profanity": 0.061,
            "sexism": 0.033,
            "threat": 0.012,
            "violence": 0.009,
            "extremism": 0.004,
        },
        "not_assessed": ["spam", "self_harm", "misinformation", "sexual"],
        "targets": {"political": 0.121, "other": 0.094, "nationality": 0.021},
        "attacks": {"mocking": 0.688, "contempt": 0.412, "inferiority": 0.132},
        "explicitness": "explicit",
        "severity": 2,
        "modalities": {
            "text": {"status": "ok", "score": 0.871, "confidence": 0.91, "weight": 1.0},
            "ocr": {"status": "absent", "weight": 0.0},
            "image": {"status": "absent", "weight": 0.0},
            "speech": {"status": "absent", "weight": 0.0},
        },
        "evidence": [],
        "flags": ["insult", "abuse"],
        "reasons": [
            {
                "rule": "insult-review",
                "code": "insult",
                "guideline": "community#abuse",
                "text": "This post may insult someone.",
                "evidence": [0],
            },
            {
                "rule": "abuse-review",
                "code": "abuse",
                "guideline": "community#abuse",
                "text": "This post may be abusive.",
                "evidence": [],
            },
        ],
        "versions": {
            "code": "0.1.0",
            "pack": "embedded@3f9c0a1b2c3d",
            "policy": "default@5b1e7c2d9f04",
            "layers": ["default"],
            "engines": {"text": "CPUExecutionProvider", "fusion": "CPUExecutionProvider"},
        },
        "timings_ms": {
            "ingest": 1.2,
            "fetch": 64.0,
            "ocr": 182.5,
            "asr": 0.3,
            "pack": 0.4,
            "encode": 38.2,
            "fuse": 1.1,
            "total": 412.0,
        },
        "decided_at": "2026-11-22T10:00:00.012Z",
        **changes.pop("decision", {}),
    }
    source = {
        "schema": "post/1",
        "post_id": post_id,
        "tenant": "default",
        "created_at": "2026-11-22T09:59:59.600Z",
        "author_id": "u-7781",
        "text": text,
        **changes.pop("post", {}),
    }
    timings = decision["timings_ms"]
    engines = {"encode": "CPUExecutionProvider", "ocr": "CPUExecutionProvider", "fuse": "CPUExecutionProvider"}
    way = [{"stage": name, "ms": timings[name], "engine": engines.get(name)} for name in STAGES if name in timings]
    return {
        "post": source,
        "decision": decision,
        "confidence": None,
        "feedback": [],
        "way": way,
        "media": [],
        "deleted": False,
        "why_no_post": None,
        **changes,
    }


def picture(width: int = 1200, height: int = 760) -> tuple[bytes, list[tuple[float, float, float, float]]]:
    """A poster as PNG, and the boxes [x, y, width, height] of its two lines."""
    image = Image.new("RGB", (width, height), (38, 70, 83))
    draw = ImageDraw.Draw(image)
    for index in range(12):
        draw.ellipse(
            (90 * index - 60, 420 - 26 * index, 90 * index + 240, 720 - 26 * index),
            fill=(42 + 14 * index, 157 - 4 * index, 143 - 3 * index),
        )
    draw.rectangle((0, height - 210, width, height), fill=(233, 196, 106))
    font = ImageFont.load_default(76)
    boxes = []
    for line, y, ink in (
        ("LIONS FANS ARE CLOWNS", 60, (255, 255, 255)),
        ("stay home on sunday", height - 150, (38, 70, 83)),
    ):
        draw.text((70, y), line, font=font, fill=ink)
        left, top, right, bottom = draw.textbbox((70, y), line, font=font)
        boxes.append((float(left), float(top), float(right - left), float(bottom - top)))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue(), boxes


def sound(seconds: float = 12.0) -> bytes:
    """A quiet tone as WAV: 8 kHz, mono, 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(
            b"".join(
                int(900 * math.sin(at / 6)).to_bytes(2, "little", signed=True) for at in range(int(seconds * 8000))
            )
        )
    return file.getvalue()


def part(token: str, kind: str, **changes: Any) -> dict[str, Any]:
    """A part of an item, as the server tells it."""
    return {
        "src": f"/api/media/{token}",
        "type": kind,
        "t": None,
        "width": None,
        "height": None,
        "scale": 1.0,
        "origin": [0.0, 0.0],
        **changes,
    }


def item(
    media_id: str, kind: str, frames: list[dict[str, Any]], heard: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """A media item, as the server tells it."""
    first = frames[0] if frames else heard
    return {
        "media_id": media_id,
        "kind": kind,
        "type": first["type"] if first else None,
        "sha256": None,
        "src": first["src"] if first else None,
        "why_not": None,
        "width": None,
        "height": None,
        "seconds": None,
        "frames": frames,
        "sound": heard,
        **changes,
    }


def letter(partition: int, offset: int, **changes: Any) -> dict[str, Any]:
    return {
        "partition": partition,
        "offset": offset,
        "timestamp_ms": now_ms() - 90_000 - offset * 1000,
        "stage": "ingest",
        "cause": "invalid_post",
        "reason": "text: empty or missing, and there are no media: one of the two is required",
        "field": "text",
        "attempt": None,
        "topic": "moderation.posts",
        "post_id": f"p-letter-{offset}",
        "replayed": False,
        "headers": {"modstream-stage": "ingest", "modstream-cause": "invalid_post"},
        "value": '{"post_id": "p-letter", "text": ""}',
        "truncated": False,
        **changes,
    }
