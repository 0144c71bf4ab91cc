"""A replay from its plan to its pairs: reads what was published, judges it again, and keeps what it has."""

from __future__ import annotations

import time
from collections.abc import Iterator

from schemas.replay import Judged, Pair
from streams.privacy import AuthorHash
from streams.replay.candidates import Candidate, Piece, from_decisions, from_posts, without_post
from streams.replay.gather import Told, gather
from streams.replay.judging import Judge
from streams.replay.plan import Plan
from streams.replay.rejudge import Undecided
from streams.replay.store import ReplayStore
from streams.settings import Settings

TEXT_CHARS = 500
"""Of a post's text, where it is shown: enough to see what it is about."""

PROGRESS_S = 5.0


class Replay:
    """One replay into one store. `run` may be called again after it was cut off at any point."""

    def __init__(self, settings: Settings, store: ReplayStore, plan: Plan, judge: Judge, *, posts: bool) -> None:
        """`posts`: whether posts are read, or the decisions are enough."""
        self._settings = settings
        self._store = store
        self._plan = plan
        self._judge = judge
        self._posts = posts
        self._authors = AuthorHash(settings.privacy.hash_key)

    def run(self, told: Told) -> None:
        """Raises KafkaException and TimeoutError; what was done until then is kept."""
        told = _now_and_then(told)
        gather(self._settings, self._store, self._plan, told)
        done = 0
        for piece in self._pieces():
            verdicts, cost = self._judge.judge(piece.candidates)
            with self._store.whole():
                for candidate, verdict in zip(piece.candidates, verdicts, strict=True):
                    self._store.put(self._pair(candidate, verdict))
                self._store.count(piece.counted)
                self._store.reach("posts", piece.reached)
                if cost is not None:
                    self._store.spend(cost)
            done += len(piece.candidates)
            told(f"{done:,} decisions judged again")

    def _pieces(self) -> Iterator[Piece]:
        if not self._posts:
            yield from from_decisions(self._store, self._plan)
            return
        yield from from_posts(self._settings, self._store, self._plan)
        yield from without_post(self._store, self._plan)

    def _pair(self, candidate: Candidate, verdict: Judged | Undecided) -> Pair:
        was, post = candidate.decision, candidate.post
        text = (post.text or "")[:TEXT_CHARS] if post is not None and self._plan.asked.with_text else None
        return Pair(
            post_id=was.post_id,
            tenant=was.tenant,
            lang=was.lang,
            source=was.source,
            decision_id=was.decision_id,
            pack=was.versions.pack,
            policy=was.versions.policy,
            was=was.judged,
            was_ms=was.timings_ms.get("total"),
            now=None if isinstance(verdict, Undecided) else verdict,
            undecided=verdict.code if isinstance(verdict, Undecided) else None,
            said=self._store.said(was),
            author=self._authors.of(post.tenant, post.author_id) if post is not None else None,
            text=text,
        )


def _now_and_then(told: Told) -> Told:
    next_s = time.monotonic() + PROGRESS_S

    def tell(line: str) -> None:
        nonlocal next_s
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + PROGRESS_S
            told(line)

    return tell
