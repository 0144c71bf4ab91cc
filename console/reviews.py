"""Feedback: what a reviewer says of a decision, signed by the server."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from console.access import Role
from console.guards import MAX_BODY_BYTES, PERSON, Refused, answer
from console.pages import needs
from console.site import SITE, Site
from schemas import InvalidMessage, decode_decision, decode_feedback
from schemas.feedback import FEEDBACK_SCHEMA
from schemas.wire import decode_json
from streams.feedback import NotDelivered
from streams.reader import Read

SOURCE = "review"
"""What the page's feedback is; appeals, audits and gold labels come from elsewhere."""

FIELDS = (
    "decision_id",
    "post_id",
    "verdict",
    "labels",
    "spans",
    "boxes",
    "times",
    "comment",
    "explanation_rating",
    "seconds_spent",
)
"""What the page may say. Who said it and when is not for it to say: whatever else it sends is not read."""

_decoder = msgspec.json.Decoder(dict[str, Any])


@needs(Role.REVIEWER)
async def give(request: web.Request) -> web.StreamResponse:
    """Publish a feedback; the answer comes when it is on its topic."""
    site, person = request.app[SITE], request[PERSON]
    raw = await request.read()
    given = decode_json(raw, _decoder, schema=FEEDBACK_SCHEMA, max_bytes=MAX_BODY_BYTES)
    signed = {
        **{name: given[name] for name in FIELDS if given.get(name) is not None},
        "schema": FEEDBACK_SCHEMA,
        "feedback_id": str(uuid.uuid4()),
        "reviewer": person.name,
        "role": person.role.value,
        "source": SOURCE,
        "created_at": datetime.now(UTC).isoformat(),
    }
    feedback = decode_feedback(msgspec.json.encode(signed))
    if not await _was_decided(site, feedback.post_id, feedback.decision_id):
        raise Refused(404, "there is no such decision on this post: it may have been decided anew, or deleted")
    try:
        await site.in_thread(site.feedback.send, feedback)
    except NotDelivered as error:
        raise Refused(503, f"{error}: try again") from error
    return answer({"feedback_id": feedback.feedback_id}, 201)


async def _was_decided(site: Site, post_id: str, decision_id: str) -> bool:
    held = site.feeds.decision_of(post_id)
    if held is not None and held.row.decision_id == decision_id:
        return True

    def takes(read: Read) -> bool:
        if read.value is None:
            return True
        try:
            return decode_decision(read.value).decision_id == decision_id
        except InvalidMessage:
            return False

    found = await site.in_thread(site.lookup.last_of, site.topics.decisions, post_id.encode(), takes)
    return bool(found.messages) and found.messages[-1].value is not None
