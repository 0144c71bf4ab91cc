"""Posts and dead letters of the double that the tests and the screenshots show."""

from __future__ import annotations

from typing import Any

from tests.console_page import made
from tests.console_page.double import Double

TEXT = (
    "Sunday's match 🦁🦁 was a joke 🤦🏽‍♀️ and honestly everyone who still cheers for the Blue Lions is a "
    "complete clown. Stay home, nobody needs you at the stadium! 🙄"
)


def span_of(text: str, piece: str) -> tuple[int, int]:
    """[start, end) of `piece` in code points: what Python's indices count."""
    start = text.index(piece)
    return start, start + len(piece)


def text_post() -> dict[str, Any]:
    first = span_of(TEXT, "everyone who still cheers for the Blue Lions is a complete clown")
    second = span_of(TEXT, "complete clown. Stay home")
    return made.post(
        "p-text",
        TEXT,
        post={
            "context": {"title": "Matchday 12: your ratings 🏟", "parent_text": "How did you like the second half?"},
            "platform": "club-forum",
        },
        decision={
            "evidence": [
                {"modality": "text", "span": list(first), "text": TEXT[first[0] : first[1]], "score": 0.871},
                {"modality": "text", "span": list(second), "text": TEXT[second[0] : second[1]], "score": 0.642},
                {"modality": "text", "field": "title", "span": [13, 17], "text": "your", "score": 0.118},
            ]
        },
        thresholds={"insult": 0.62, "abuse": 0.58, "harassment": 0.71},
        feedback=[
            {
                "schema": "feedback/1",
                "feedback_id": "f-0",
                "decision_id": "d-p-text",
                "post_id": "p-text",
                "reviewer": "mira",
                "role": "reviewer",
                "source": "review",
                "verdict": "review",
                "labels": {"insult": True, "hate": False},
                "spans": [{"span": list(first), "label": "insult"}],
                "comment": "Rude about fans of a club, nobody in particular. A warning is enough.",
                "explanation_rating": 4,
                "seconds_spent": 21.4,
                "created_at": "2026-11-22T10:02:11Z",
            }
        ],
    )


def picture_post(double: Double) -> dict[str, Any]:
    data, boxes = made.picture()
    double.media["picture"] = (data, "image/png")
    shown = made.part("picture", "image/png", width=1200, height=760)
    return made.post(
        "p-picture",
        "found this at the bus stop",
        post={"media": [{"media_id": "m-1", "kind": "image", "uri": "https://cdn.example/poster.png"}]},
        media=[made.item("m-1", "image", [shown], width=1200, height=760)],
        decision={
            "action": "review",
            "modalities": {
                "text": {"status": "ok", "score": 0.021, "confidence": 0.98, "weight": 0.31},
                "ocr": {"status": "ok", "score": 0.812, "confidence": 0.94, "weight": 0.52},
                "image": {"status": "ok", "score": 0.118, "confidence": 0.88, "weight": 0.17},
                "speech": {"status": "absent", "weight": 0.0},
            },
            "evidence": [
                {
                    "modality": "ocr",
                    "media_id": "m-1",
                    "bbox": list(boxes[0]),
                    "text": "LIONS FANS ARE CLOWNS",
                    "confidence": 0.981,
                    "score": 0.812,
                },
                {
                    "modality": "ocr",
                    "media_id": "m-1",
                    "bbox": list(boxes[1]),
                    "text": "stay home on sunday",
                    "confidence": 0.964,
                    "score": 0.402,
                },
            ],
        },
        thresholds={"insult": 0.62, "abuse": 0.58},
    )


def sound_post(double: Double) -> dict[str, Any]:
    double.media["sound"] = (made.sound(), "audio/wav")
    heard = made.part("sound", "audio/wav", t=0.0)
    return made.post(
        "p-sound",
        None,
        post={"media": [{"media_id": "a-1", "kind": "audio", "uri": "https://cdn.example/voice.ogg"}]},
        media=[made.item("a-1", "audio", [], heard, seconds=12.0)],
        decision={
            "modalities": {
                "text": {"status": "absent", "weight": 0.0},
                "ocr": {"status": "absent", "weight": 0.0},
                "image": {"status": "absent", "weight": 0.0},
                "speech": {
                    "status": "partial",
                    "reason": "the last 2 s could not be heard",
                    "score": 0.79,
                    "confidence": 0.74,
                    "weight": 1.0,
                },
            },
            "evidence": [
                {
                    "modality": "speech",
                    "media_id": "a-1",
                    "t_start": 1.4,
                    "t_end": 3.9,
                    "text": "you lot are clowns",
                    "confidence": 0.88,
                    "score": 0.79,
                },
                {
                    "modality": "speech",
                    "media_id": "a-1",
                    "t_start": 7.2,
                    "t_end": 9.0,
                    "text": "just stay at home",
                    "confidence": 0.81,
                    "score": 0.44,
                },
            ],
        },
    )


def video_post(double: Double) -> dict[str, Any]:
    data, boxes = made.picture(960, 540)
    frames = []
    for index in range(5):
        double.media[f"frame{index}"] = (data, "image/png")
        frames.append(made.part(f"frame{index}", "image/png", t=2.5 * index, width=480, height=270, scale=2.0))
    double.media["track"] = (made.sound(), "audio/wav")
    return made.post(
        "p-video",
        "the away stand, minute 80",
        post={"media": [{"media_id": "v-1", "kind": "video", "uri": "s3://clips/80"}]},
        media=[
            made.item(
                "v-1", "video", frames, made.part("track", "audio/wav", t=0.0), width=960, height=540, seconds=12.0
            )
        ],
        decision={
            "evidence": [
                {
                    "modality": "ocr",
                    "media_id": "v-1",
                    "bbox": list(boxes[0]),
                    "t_start": 5.0,
                    "text": "LIONS FANS ARE CLOWNS",
                    "confidence": 0.95,
                    "score": 0.774,
                },
                {
                    "modality": "speech",
                    "media_id": "v-1",
                    "t_start": 6.1,
                    "t_end": 8.4,
                    "text": "what a bunch of clowns",
                    "confidence": 0.83,
                    "score": 0.61,
                },
            ]
        },
    )


HOSTILE_ID = "<img src=x onerror=alert(1)>"
HOSTILE_TEXT = (
    "<script>alert('text')</script>\u202e reversed from here "
    "Z̷̢̛͉̲̯̮̍̈́̄̂͘A̵͖̠͚͊̓̏̽͐͜L̶̡̙͖̫̄̈͠G̸̢̪̣̈̋̏͛O̴̥͉͍͈͂̈́"
    + "\u0300" * 200
    + " \u200b"
    + "W" * 10_000
    + " מה זה? "
    + "\n" * 3
    + "{{7*7}} javascript:alert(2) \u2066\u2067 end"
)


def hostile_post() -> dict[str, Any]:
    bad = '"><svg onload=alert(3)>' + "\u202e" + "X" * 300
    start = HOSTILE_TEXT.index("W" * 20)
    return made.post(
        "p-hostile",
        HOSTILE_TEXT,
        post={
            "author_id": bad,
            "platform": bad,
            "tenant": bad,
            "context": {"title": bad, "parent_text": "<b>bold</b>"},
        },
        decision={
            "tenant": bad,
            "lang": bad[:40],
            "flags": [bad, "insult"],
            "evidence": [
                {"modality": "text", "span": [start, start + 9000], "text": "W" * 9000, "score": 0.9},
                {"modality": "text", "span": [0, 999_999], "text": bad, "score": 0.5},
                {"modality": "text", "span": [50, 20], "text": "backwards", "score": 0.1},
                {"modality": "text", "span": [-5, 8], "text": "before the start", "score": 0.1},
                {"modality": bad, "media_id": bad, "bbox": [-50, -50, 99_999, 99_999], "text": bad, "score": 0.2},
            ],
            "reasons": [{"rule": bad, "code": bad, "guideline": bad, "text": bad, "evidence": [0, 99]}],
            "labels": {bad: 0.9, "insult": 0.3},
            "versions": {"code": bad, "pack": bad, "policy": bad, "layers": [bad], "engines": {bad: bad}},
        },
        media=[
            made.item(bad, "image", [], why_not=bad),
            made.item("m-js", "image", [{**made.part("x", "image/png"), "src": "javascript:alert(4)"}]),
        ],
        feedback=[
            {
                "feedback_id": "f-1",
                "decision_id": "d",
                "post_id": "p",
                "reviewer": bad,
                "role": bad,
                "source": "review",
                "verdict": "block",
                "labels": {bad: True},
                "comment": HOSTILE_TEXT,
                "created_at": "2026-11-22T10:00:00Z",
            }
        ],
    )


def letters() -> list[dict[str, Any]]:
    return [
        made.letter(0, 41),
        made.letter(
            2,
            17,
            stage="fetch",
            cause="retries_exhausted",
            reason="https://cdn.example: no answer in 10 s, after 3 attempts",
            field=None,
            attempt=4,
            topic="moderation.fetch",
        ),
        made.letter(
            1,
            88,
            reason="media[0]: expected exactly one of uri and data, got neither",
            field="media[0]",
            value='{"post_id": "p-letter-88", "text": "look", "media": [{"media_id": "m-1", "kind": "image"}]}',
        ),
        made.letter(
            1,
            61,
            stage="ocr",
            cause="poison",
            reason="the message made its batch fail: the decoder ended with signal 11",
            field=None,
            topic="moderation.ocr",
            value="\x82\xa4post\ufffd\ufffd<script>alert(5)</script>",
            replayed=True,
        ),
        made.letter(
            0,
            12,
            cause="too_large",
            stage="fuse",
            reason="a decision of 4,812,004 bytes, expected at most 4,194,304",
            field=None,
            topic="moderation.fuse",
        ),
    ]


def fill(double: Double) -> None:
    """Everything of this module, with the posts among the newest decisions."""
    double.posts = {
        "p-text": text_post(),
        "p-picture": picture_post(double),
        "p-sound": sound_post(double),
        "p-video": video_post(double),
        "p-hostile": hostile_post(),
    }
    double.letters = letters()
    top = [["insult", 0.871], ["abuse", 0.774], ["harassment", 0.312]]
    mine = [
        made.decision_event(post_id, "review", top=top, flags=["insult", "abuse"], severity=2, confidence=0.871)
        for post_id in ("p-text", "p-picture", "p-sound", "p-video")
    ]
    double.decisions = [*mine, *made.decisions()]
