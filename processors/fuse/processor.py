"""Stage `fuse`: what the experts said becomes calibrated probabilities, a verdict and a decision."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from processors.contract import BatchPolicy, Outcome, ProcessingError
from processors.fuse.calibration import Calibration
from processors.fuse.evidence import EvidenceLimits, TextEvidence, text_evidence
from processors.fuse.identity import decision_id, flag_id
from processors.fuse.language import can_read
from processors.fuse.modalities import combined_confidence, final_modalities
from processors.packs import Pack
from processors.policy import LANG_UNSUPPORTED, Facts, Policy, PostFacts, Verdict
from schemas import Action, Cause, Decision, Flag, Record, Stage, Versions

BATCHING = BatchPolicy(max_items=256, max_cost=256, max_wait_s=0.0)
"""A fraction of a millisecond per post: nothing is gained by waiting."""

Clock = Callable[[], int]
"""Milliseconds since the epoch."""


def system_clock() -> int:
    return time.time_ns() // 1_000_000


class FuseProcessor:
    """Safe to call from several threads."""

    stage = Stage.FUSE

    def __init__(
        self,
        pack: Pack,
        policy: Policy,
        *,
        code: str,
        limits: EvidenceLimits | None = None,
        clock: Clock = system_clock,
        batching: BatchPolicy = BATCHING,
    ) -> None:
        """`code`: the version of modstream that decides. `clock` is read once per decision."""
        self.batching = batching
        self._pack = pack
        self._policy = policy
        self._code = code
        self._limits = limits or EvidenceLimits()
        self._clock = clock
        self._calibration = Calibration(pack)
        self._not_assessed = pack.not_assessed
        self._policy_errors: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def policy_errors(self) -> dict[str, int]:
        """Rule (or check) -> posts on which it could not be evaluated, since the start."""
        with self._lock:
            return dict(self._policy_errors)

    def cost(self, record: Record, /) -> int:
        """Posts."""
        return 1

    def prepare(self, record: Record, /) -> Record:
        """The record with its decision and flags. Raises `ProcessingError` for one that ingest has not seen."""
        if record.ingest is None:
            raise ProcessingError(Cause.INVALID_RECORD, "no such section; expected ingest to run before fuse", "ingest")
        windows = self._window_probabilities(record)
        labels = self._calibration.post_probabilities(windows) if windows is not None else {}
        features = record.pack.features if record.pack is not None else {}
        lang = record.ingest.lang
        readable = can_read(self._pack, lang, features.get("letters", 0.0))
        modalities = final_modalities(record, labels, readable=readable)
        effective = self._policy.effective(record.post.tenant, record.post.region, lang)
        verdict = effective.evaluate(
            Facts(
                scores=labels,
                post=PostFacts.of(record.post, lang),
                modalities=modalities,
                flags=(LANG_UNSUPPORTED,) if labels and not readable else (),
                features=features,
            )
        )
        if verdict.errors:
            with self._lock:
                self._policy_errors.update(error.rule for error in verdict.errors)
        evidence = self._evidence(record, windows, verdict)
        verdict = verdict.with_evidence(evidence.by_label or {})
        now_ms = self._clock()
        decision = Decision(
            decision_id=decision_id(record.post.post_id, record.content_hash, self._pack.hash, self._policy.hash),
            post_id=record.post.post_id,
            tenant=record.post.tenant,
            lang=lang,
            source=record.source,
            action=verdict.action,
            confidence=combined_confidence(modalities),
            labels=labels,
            not_assessed=self._not_assessed,
            severity=verdict.severity,
            modalities=modalities,
            evidence=evidence.pieces,
            flags=verdict.flags,
            reasons=verdict.reasons,
            versions=self._versions(record, effective.layers),
            timings_ms={**record.timings_ms, "total": float(max(0, now_ms - record.received_ms))},
            decided_at=datetime.fromtimestamp(now_ms / 1000, UTC),
        )
        return replace(
            record, modalities=modalities, decision=decision, flags=_flag_messages(decision, verdict, evidence)
        )

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        return list(batch)

    def _window_probabilities(self, record: Record) -> NDArray[np.float64] | None:
        """[windows, labels]; None where the text expert has read nothing."""
        if record.encode is None or record.pack is None or not len(record.encode.logits):
            return None
        try:
            return self._calibration.window_probabilities(record.encode.logits)
        except ValueError as error:
            raise ProcessingError(Cause.INVALID_RECORD, str(error), "encode.logits") from None

    def _evidence(self, record: Record, windows: NDArray[np.float64] | None, verdict: Verdict) -> TextEvidence:
        if windows is None or record.pack is None or verdict.action is Action.APPROVE:
            return TextEvidence()
        return text_evidence(
            record.post,
            record.pack.windows,
            windows,
            self._calibration.labels,
            _thresholds_of_interest(verdict),
            self._limits,
        )

    def _versions(self, record: Record, layers: tuple[str, ...]) -> Versions:
        engine = record.encode.engine if record.encode is not None else None
        return Versions(
            code=self._code,
            pack=self._pack.version,
            policy=self._policy.reference,
            layers=layers,
            engines={"text": engine} if engine else {},
        )


def _thresholds_of_interest(verdict: Verdict) -> dict[str, float]:
    """Label -> the threshold that a window must be over to speak for it.

    These are the flagged labels and those that the reasons are about; a rule that speaks of a label under its threshold
    has its highest window as evidence, so nothing is over 1.
    """
    thresholds = {label: 1.0 for labels in verdict.reason_labels for label in labels}
    return thresholds | dict(verdict.thresholds)


def _flag_messages(decision: Decision, verdict: Verdict, evidence: TextEvidence) -> tuple[Flag, ...]:
    return tuple(
        Flag(
            flag_id=flag_id(decision.decision_id, flag),
            decision_id=decision.decision_id,
            post_id=decision.post_id,
            tenant=decision.tenant,
            flag=flag,
            probability=_probability(decision, flag) if flag in verdict.thresholds else None,
            threshold=verdict.thresholds.get(flag),
            severity=decision.severity,
            action=decision.action,
            # A refinement (`hate.race`) rests on what its label rests on.
            evidence=evidence.of(flag.partition(".")[0]),
            decided_at=decision.decided_at,
        )
        for flag in decision.flags
    )


def _probability(decision: Decision, flag: str) -> float | None:
    label, _, target = flag.partition(".")
    probabilities: Mapping[str, float] = decision.targets if target else decision.labels
    return probabilities.get(target or label)
