"""Stage `fuse`: what the experts said becomes calibrated probabilities, a verdict and a decision."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from processors.contract import BatchPolicy, Outcome, ProcessingError
from processors.fuse.combine import fuse_scores
from processors.fuse.details import Details
from processors.fuse.evidence import EvidenceLimits, PostEvidence, post_evidence
from processors.fuse.evidence_media import line_pieces, picture_pieces, segment_pieces
from processors.fuse.evidence_text import text_pieces
from processors.fuse.fusion import GRAPH, Fusion
from processors.fuse.gating import MODALITY_PARTS, part_weights
from processors.fuse.identity import decision_id, flag_id
from processors.fuse.interaction import interactions
from processors.fuse.judged import judged_modalities, raised_flags
from processors.fuse.modalities import combined_confidence, final_modalities
from processors.fuse.pieces import Piece
from processors.fuse.scores import Judge, PostScores
from processors.pack.features import MEDIA_FEATURES
from processors.pack.language import post_language
from processors.packs import Pack
from processors.packs.calibration import DECIMALS
from processors.packs.heads import IMPLICIT
from processors.policy import Facts, Policy, PostFacts, Verdict
from schemas import LABELS, Action, Cause, Decision, Flag, Record, Stage, Versions

BATCHING = BatchPolicy(max_items=256, max_cost=256, max_wait_s=0.0)
"""A fraction of a millisecond per post: nothing is gained by waiting."""

ABUSE = "abuse"
"""The label without which a post has nothing that could be said openly or not."""

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
        fusion: bool = True,
        clock: Clock = system_clock,
        batching: BatchPolicy = BATCHING,
    ) -> None:
        """`code`: the version of modstream that decides. `fusion`: whether the pack's fusion judges, where it has one.
        `clock` is read once per decision. Raises `PackError` and `EngineError` for a fusion that cannot be used."""
        self.batching = batching
        self._pack = pack
        self._policy = policy
        self._code = code
        self._limits = limits or EvidenceLimits()
        self._clock = clock
        self._judge = Judge(pack)
        expert = pack.manifest.fusion if fusion else None
        self._fusion = Fusion.of(pack, expert) if expert is not None else None
        self._implicit = pack.manifest.thresholds.get(IMPLICIT)
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
        """The record with its decision and flags. Raises `ProcessingError` for one that ingest has not seen, and for
        the experts' output where it is not of this record and pack."""
        if record.ingest is None:
            raise ProcessingError(Cause.INVALID_RECORD, "no such section; expected ingest to run before fuse", "ingest")
        scores = self._judge.scores(record)
        details = Details.of(scores.details)
        features = _features(record)
        weights = part_weights(features, scores.parts, self._pack.manifest.gating)
        whole = self._fusion.judge(record, weights) if self._fusion is not None else None
        lang = post_language(record)
        effective = self._policy.effective(record.post.tenant, record.post.region, lang)
        labels = fuse_scores(scores.parts, weights, effective.thresholds, whole)
        judged = judged_modalities(record, self._pack, scores.parts)
        trusted = {modality: weights[part] for part, modality in MODALITY_PARTS.items() if part in weights}
        modalities = final_modalities(record, judged, trusted)
        interacting = interactions(scores.parts, whole, effective.thresholds)
        expected = self._judge.expected(record)
        verdict = effective.evaluate(
            Facts(
                scores=labels,
                not_assessed=[label for label in LABELS if label not in expected],
                post=PostFacts.of(record.post, lang),
                targets=details.targets,
                severities=details.severities,
                modalities=modalities,
                flags=(*raised_flags(record, self._pack, scores.parts), *interacting),
                features=features,
            )
        )
        if verdict.errors:
            with self._lock:
                self._policy_errors.update(error.rule for error in verdict.errors)
        evidence = self._evidence(record, scores, verdict)
        verdict = verdict.with_evidence(evidence.by_label or {})
        now_ms = self._clock()
        decision = Decision(
            decision_id=decision_id(
                record.post.post_id,
                record.content_hash,
                [media.sha256 for media in record.fetch.media] if record.fetch is not None else (),
                self._pack.hash,
                self._policy.hash,
            ),
            post_id=record.post.post_id,
            tenant=record.post.tenant,
            lang=lang,
            source=record.source,
            action=verdict.action,
            confidence=combined_confidence(modalities),
            labels=labels,
            not_assessed=tuple(label for label in LABELS if label not in labels),
            targets=details.targets,
            attacks=details.attacks,
            explicitness=details.explicitness(self._implicit, abusive=ABUSE in verdict.thresholds),
            severity=verdict.severity,
            modalities=modalities,
            evidence=evidence.pieces,
            flags=verdict.flags,
            reasons=verdict.reasons,
            versions=self._versions(record, effective.layers, fused=whole is not None),
            timings_ms={**record.timings_ms, "total": float(max(0, now_ms - record.received_ms))},
            decided_at=datetime.fromtimestamp(now_ms / 1000, UTC),
        )
        return replace(
            record, modalities=modalities, decision=decision, flags=_flag_messages(decision, verdict, evidence)
        )

    def process(self, batch: Sequence[Record], /) -> Sequence[Outcome]:
        return list(batch)

    def _evidence(self, record: Record, scores: PostScores, verdict: Verdict) -> PostEvidence:
        """All that was read and heard, and what else speaks for an action that restricts the post."""
        windows = record.pack.windows if record.pack is not None and len(scores.windows) else ()
        rounded = scores.windows.round(DECIMALS)
        pieces: list[Piece] = []
        if verdict.action is not Action.APPROVE:
            attributions = record.encode.attributions if record.encode is not None else ()
            pieces += text_pieces(record.post, windows, rounded, self._judge.text_labels, attributions)
        if record.ocr is not None:
            pieces += line_pieces(record.ocr, windows, rounded, self._judge.text_labels)
        if verdict.action is not Action.APPROVE and len(scores.pictures):
            pieces += picture_pieces(record.pictures, scores.pictures.round(DECIMALS), self._judge.image_labels)
        if record.asr is not None:
            pieces += segment_pieces(record.asr, windows, rounded, self._judge.text_labels)
        return post_evidence(pieces, _thresholds_of_interest(verdict), self._limits)

    def _versions(self, record: Record, layers: tuple[str, ...], *, fused: bool) -> Versions:
        encode = record.encode
        ran = {
            "text": encode.engine if encode is not None else None,
            "image": encode.image.engine if encode is not None and encode.image is not None else None,
            "ocr": record.ocr.engine if record.ocr is not None else None,
            "asr": record.asr.engine if record.asr is not None else None,
            GRAPH: self._fusion.engine.provider if fused and self._fusion is not None else None,
        }
        return Versions(
            code=self._code,
            pack=self._pack.version,
            policy=self._policy.reference,
            layers=layers,
            engines={graph: engine for graph, engine in ran.items() if engine},
        )


def _features(record: Record) -> dict[str, float]:
    """What rules may ask of any post that pack has seen: without pictures, or sound, their features are 0."""
    return {**dict.fromkeys(MEDIA_FEATURES, 0.0), **record.pack.features} if record.pack is not None else {}


def _thresholds_of_interest(verdict: Verdict) -> dict[str, float]:
    """Label -> the threshold that a window must be over to speak for it.

    These are the flagged labels and those that the reasons are about; a rule that speaks of a label under its threshold
    has its highest window as evidence, so nothing is over 1.
    """
    thresholds = {label: 1.0 for labels in verdict.reason_labels for label in labels}
    return thresholds | dict(verdict.thresholds)


def _flag_messages(decision: Decision, verdict: Verdict, evidence: PostEvidence) -> tuple[Flag, ...]:
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
