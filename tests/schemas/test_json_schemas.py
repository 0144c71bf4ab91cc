"""The published JSON Schemas: current, only ever grown, and of one mind with the decoders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import InvalidMessage, decode_decision, decode_feedback, decode_post, jsonschemas

FROZEN = Path(__file__).parent / "frozen"


def test_the_files_are_current() -> None:
    assert jsonschemas.stale() == [], "run `python -m schemas.jsonschemas --write`"


def test_the_schemas_keep_the_promises_of_the_frozen_ones() -> None:
    assert jsonschemas.broken_promises(FROZEN) == []


def test_every_addition_is_frozen_too() -> None:
    assert jsonschemas.stale(FROZEN) == [], "run `python -m schemas.jsonschemas --freeze tests/schemas/frozen`"


def test_the_files_are_valid_schemas() -> None:
    for path in jsonschemas.FOLDER.glob("*.schema.json"):
        Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def test_the_command_writes_checks_and_freezes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jsonschemas, "FOLDER", tmp_path / "json")
    monkeypatch.setattr(jsonschemas.stale, "__defaults__", (tmp_path / "json",))
    monkeypatch.setattr(jsonschemas.write, "__defaults__", (tmp_path / "json",))
    assert jsonschemas.main(["--check"]) == 1
    assert "post-1.schema.json" in capsys.readouterr().err
    assert jsonschemas.main(["--write"]) == 0
    assert jsonschemas.main(["--check"]) == 0
    (tmp_path / "json" / "old-1.schema.json").write_text("{}", encoding="utf-8")
    assert jsonschemas.main(["--check"]) == 1
    assert "old-1.schema.json" in capsys.readouterr().err

    frozen = tmp_path / "frozen"
    assert jsonschemas.main(["--freeze", str(frozen)]) == 0
    path = frozen / "post-1.schema.json"
    promised = json.loads(path.read_text(encoding="utf-8"))
    promised["$defs"]["Post"]["properties"]["colour"] = {"type": "string"}
    path.write_text(json.dumps(promised), encoding="utf-8")
    assert jsonschemas.main(["--freeze", str(frozen)]) == 1
    assert "post/1: $.colour: the field was removed" in capsys.readouterr().err


def accepts(schema: str, message: dict[str, Any]) -> bool:
    return Draft202012Validator(jsonschemas.build(schema)).is_valid(message)


POST: dict[str, Any] = {"post_id": "p-1", "text": "hello"}
IMAGE = {"media_id": "m-1", "kind": "image", "uri": "https://cdn.example/x.jpg"}


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({}, True),
        ({"schema": "post/1", "text": None, "media": [IMAGE], "reach": 1.5, "region": None, "context": None}, True),
        ({"unknown": 1, "metadata": {"any": [1, {"thing": None}]}}, True),
        ({"media": [{"media_id": "m-1", "kind": "audio", "data": "aGk=", "uri": None}]}, True),
        ({"text": ""}, False),
        ({"text": None}, False),
        ({"text": None, "media": []}, False),
        ({"text": 5}, False),
        ({"post_id": ""}, False),
        ({"post_id": "p\n"}, False),
        ({"post_id": "p" * 257}, False),
        ({"schema": "post/2"}, False),
        ({"tenant": None}, False),
        ({"priority": "asap"}, False),
        ({"reach": -1}, False),
        ({"media": [{**IMAGE, "kind": "picture"}]}, False),
        ({"media": [{**IMAGE, "uri": "ftp://h/x"}]}, False),
        ({"media": [{**IMAGE, "data": "aGk="}]}, False),
        ({"media": [{"media_id": "m-1", "kind": "image"}]}, False),
        ({"media": [{**IMAGE, "media_id": f"{i}"} for i in range(101)]}, False),
        ({"metadata": []}, False),
    ],
)
def test_posts_are_judged_alike_by_schema_and_decoder(fields: dict[str, Any], valid: bool) -> None:
    message = {**POST, **fields}
    assert accepts("post/1", message) is valid
    if valid:
        decode_post(json.dumps(message).encode())
    else:
        with pytest.raises(InvalidMessage):
            decode_post(json.dumps(message).encode())


DECISION: dict[str, Any] = {
    "decision_id": "d-1",
    "post_id": "p-1",
    "tenant": "default",
    "lang": None,
    "source": {"topic": "moderation.posts", "partition": 3, "offset": 4711, "timestamp_ms": 1795316079641},
    "action": "review",
    "confidence": 0.83,
    "labels": {"abuse": 0.91},
    "severity": 2,
    "decided_at": "2026-11-22T10:00:00Z",
    "modalities": {"text": {"status": "ok", "score": 0.4}, "speech": {"status": "absent"}},
    "evidence": [{"modality": "ocr", "media_id": "m-1", "bbox": [10, 20, 200, 60], "score": 0.93}],
    "versions": {"code": "1.0", "pack": "p@1", "policy": "q@1", "layers": []},
}


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({}, True),
        ({"later": "addition"}, True),
        ({"action": "delete"}, False),
        ({"labels": {"abuse": 1.01}}, False),
        ({"severity": 5}, False),
        ({"evidence": [{"modality": "ocr", "score": 0.5, "bbox": [1, 2, 3]}]}, False),
        ({"lang": 5}, False),
    ],
)
def test_decisions_are_judged_alike_by_schema_and_decoder(fields: dict[str, Any], valid: bool) -> None:
    message = {**DECISION, **fields}
    assert accepts("decision/1", message) is valid
    if valid:
        decode_decision(json.dumps(message).encode())
    else:
        with pytest.raises(InvalidMessage):
            decode_decision(json.dumps(message).encode())


FEEDBACK: dict[str, Any] = {
    "feedback_id": "f-1",
    "decision_id": "d-1",
    "post_id": "p-1",
    "source": "gold",
    "verdict": "approve",
    "created_at": "2026-11-22T10:00:00Z",
}


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({}, True),
        ({"labels": {"abuse": True}, "explanation_rating": 5, "spans": [{"span": [0, 4]}]}, True),
        ({"explanation_rating": 6}, False),
        ({"source": "guess"}, False),
        ({"labels": {"abuse": 1}}, False),
        ({"verdict": None}, False),
    ],
)
def test_feedback_is_judged_alike_by_schema_and_decoder(fields: dict[str, Any], valid: bool) -> None:
    message = {**FEEDBACK, **fields}
    assert accepts("feedback/1", message) is valid
    if valid:
        decode_feedback(json.dumps(message).encode())
    else:
        with pytest.raises(InvalidMessage):
            decode_feedback(json.dumps(message).encode())


def test_headers_are_described_by_their_kafka_names() -> None:
    assert accepts("dead-letter-headers/1", {"modstream-offset": "4711", "modstream-cause": "poison"})
    assert not accepts("dead-letter-headers/1", {"modstream-offset": "many"})
