"""The two ways to judge a published decision's post again: the policy alone, and the whole chain."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from processors.chain import run_chain
from processors.contract import AnyProcessor, Outcome, ProcessingError
from processors.fuse.identity import decision_id
from processors.packs import Pack
from schemas import Decision, Post, Record, Status
from schemas.replay import Judged
from streams.replay.candidates import Candidate
from streams.replay.features import TextFeatures
from streams.replay.media import BesideStore
from streams.replay.published import Published
from streams.replay.rejudge import Rejudge, Undecided
from streams.replay.store import Cost
from streams.topology import STAGES

Verdicts = list[Judged | Undecided]


class Judge(Protocol):
    """Judges posts again."""

    def judge(self, candidates: Sequence[Candidate]) -> tuple[Verdicts, Cost | None]:
        """One verdict per candidate, in order, and what they cost where a model ran."""
        ...


class ByPolicy:
    """The policy alone, over what the decisions hold."""

    def __init__(self, rejudge: Rejudge, features: TextFeatures | None) -> None:
        """`features`: of texts; None where no rule asks for any."""
        self._rejudge = rejudge
        self._features = features

    def judge(self, candidates: Sequence[Candidate]) -> tuple[Verdicts, Cost | None]:
        return [self._judge(candidate.decision, candidate.post) for candidate in candidates], None

    def _judge(self, decision: Published, post: Post | None) -> Judged | Undecided:
        if post is None and self._rejudge.needs.post:
            return Undecided("post_gone")
        try:
            features = self._features.of(post) if self._features is not None and post is not None else None
        except ProcessingError:
            return Undecided("failed")
        return self._rejudge.judge(decision, post, features)


class ByChain:
    """The same processors as the live chain, over the posts."""

    def __init__(self, processors: Sequence[AnyProcessor], store: BesideStore, before: Pack | None) -> None:
        """`store`: where the posts' media are put. `before`: the pack that made the decisions, where it is at hand."""
        self._processors = processors
        self._store = store
        self._before = before

    def judge(self, candidates: Sequence[Candidate]) -> tuple[Verdicts, Cost | None]:
        records = [_record(candidate, candidate.post) for candidate in candidates if candidate.post is not None]
        began_s = time.perf_counter()
        outcomes = iter(run_chain(self._processors, records))
        took_s = time.perf_counter() - began_s
        stages: dict[str, float] = {}
        verdicts: Verdicts = []
        for candidate in candidates:
            if candidate.post is None or candidate.value is None:
                verdicts.append(Undecided("post_gone"))
                continue
            outcome = next(outcomes)
            if isinstance(outcome, Record):
                _add(stages, outcome.timings_ms)
            verdicts.append(self._verdict(candidate.decision, outcome))
        self._forget([record.post for record in records])
        return verdicts, Cost(posts=len(records), seconds=took_s, stages_ms=stages)

    def _verdict(self, was: Published, outcome: Outcome) -> Judged | Undecided:
        if isinstance(outcome, ProcessingError) or outcome.decision is None:
            return Undecided("failed")
        if outcome.post.media and (reason := self._media(was, outcome)) is not None:
            return Undecided(reason)
        return _judged(outcome.decision)

    def _media(self, was: Published, record: Record) -> str | None:
        """Why the media are not those that the decision was made on."""
        fetched = record.fetch.media if record.fetch is not None else ()
        missing = len(fetched) < len(record.post.media)
        if self._before is not None and was.versions.pack == self._before.version:
            # A decision's id is a function of the bytes of its media.
            hashes = [media.sha256 for media in fetched]
            policy = was.versions.policy.rpartition("@")[2]
            then = decision_id(was.post_id, record.content_hash, hashes, self._before.hash, policy)
            if then == was.decision_id:
                return None
            return "media_gone" if missing else "media_changed"
        failed = any(part.status is Status.FAILED for part in was.modalities.values())
        return "media_gone" if missing and not failed else None

    def _forget(self, posts: Sequence[Post]) -> None:
        """The media of posts that are done: a replay keeps no copies."""
        with_media = [post.post_id for post in posts if post.media]
        if with_media:
            asyncio.run(self._store.forget_all(with_media))


class PolicyThenChain:
    """The chain for those posts that a policy alone cannot decide."""

    def __init__(self, policy: ByPolicy, chain: ByChain) -> None:
        self._policy = policy
        self._chain = chain

    def judge(self, candidates: Sequence[Candidate]) -> tuple[Verdicts, Cost | None]:
        verdicts, _ = self._policy.judge(candidates)
        left = [at for at, verdict in enumerate(verdicts) if isinstance(verdict, Undecided)]
        if not left:
            return verdicts, None
        again, cost = self._chain.judge([candidates[at] for at in left])
        for at, verdict in zip(left, again, strict=True):
            verdicts[at] = verdict
        return verdicts, cost


def _add(totals: dict[str, float], some: Mapping[str, float]) -> None:
    for name, number in some.items():
        totals[name] = totals.get(name, 0.0) + number


def _record(candidate: Candidate, post: Post) -> Record:
    """As a worker makes it of the message."""
    return Record(
        post=post,
        source=candidate.decision.source,
        content_hash=hashlib.sha256(candidate.value or b"").hexdigest(),
        received_ms=time.time_ns() // 1_000_000,
        route=STAGES,
    )


def _judged(decision: Decision) -> Judged:
    return Judged(
        action=decision.action,
        labels=decision.labels,
        flags=decision.flags,
        severity=decision.severity,
        rules=tuple(reason.rule for reason in decision.reasons),
    )
