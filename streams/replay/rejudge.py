"""A policy over a published decision, without a model: exact, or not at all.

A decision holds the probabilities, but not everything that a policy goes by. What is missing is read from the post
(`Needs`), or shown to make no difference; where neither works, the answer is `Undecided` with the reason.

What a decision does not tell:

* what became of a label that was badly read: over its threshold it is drawn back towards it (`processors.fuse.gating`),
  so under another threshold the probability would be another;
* whether parts mean together what none means alone (`processors.fuse.interaction`), which hangs on thresholds too;
* how severe the text expert finds the post (`severity.2`, …). All answers that the published decision leaves open are
  tried, and it is decided where they agree.

Where the policy that made the decision is at hand, it is evaluated too: what does not come to the published verdict is
not decided, and labels whose threshold stays are as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from processors.fuse.gating import MODALITY_PARTS, SMALLEST_STEP
from processors.pack.features import MEDIA_FEATURES
from processors.pack.parts import WORD_PARTS
from processors.packs import Pack
from processors.policy import (
    INTERACTION_EMERGENT,
    INTERACTION_NEUTRALISED,
    LANG_UNSUPPORTED,
    EffectivePolicy,
    Facts,
    Policy,
    PostFacts,
    Verdict,
    known_flag,
)
from processors.policy.floors import SCORES_FLOOR
from schemas import GRADED_SEVERITIES, LABELS, Post, Status
from schemas.replay import Judged
from streams.replay.published import Published

ROUNDING = SMALLEST_STEP / 2
"""What a published probability may be off by, at most."""

UNTHRESHOLDED = 1.0
"""Of a label without a threshold: nothing is drawn back to it."""

WORDS = frozenset(MODALITY_PARTS[part] for part in WORD_PARTS)
INTERACTIONS = frozenset((INTERACTION_EMERGENT, INTERACTION_NEUTRALISED))
KNOWN = known_flag("")

IN_DECISION = frozenset(("tenant", "lang"))
"""Facts of a post that its decision has too."""

WINDOWS = "windows"
"""The one feature of texts that also counts what was read in pictures and heard."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """`code`: one of `REASONS`."""

    code: str


REASONS: Mapping[str, str] = {
    "another_pack": "the decision was made with another pack: its thresholds and labels are not this one's",
    "gating": "a badly read part is drawn back towards a threshold, and the decision does not tell from where",
    "interaction": "whether parts mean together what none means alone hangs on a threshold that differs",
    "severity": "how severe the text expert finds the post is not in the decision, and the verdict hangs on it",
    "scores_missing": "a label that the pack assesses had no score, and the decision does not tell which",
    "not_reproduced": "the policy that made the decision does not come to the published verdict on these facts",
    "features": "a rule asks for features that only the post's media have",
    "post_gone": "the post is no longer on its topic, and is needed",
    "failed": "the chain could not judge the post now",
    "media_gone": "media of the post are no longer to be had",
    "media_changed": "media hold other bytes than the decision was made on, or could not be had then",
}
"""Why a post was not judged again: code -> what it means."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a policy asks for that no decision has."""

    post: bool
    """The post itself: its region, or facts that rules name."""
    features: frozenset[str]

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> Needs:
        post, features = False, set[str]()
        for policy in policies:
            for name, layer in policy.document.layers.items():
                post |= name.startswith("region:")
                for rule in layer.rules.values():
                    for path in rule.condition.paths:
                        post |= path[0] == "post" and path[1] not in IN_DECISION
                        if path[0] == "features":
                            features.add(path[1])
        return cls(post or bool(features), frozenset(features))


class Rejudge:
    """Pure, and safe to use on several threads."""

    def __init__(self, pack: Pack, policy: Policy, before: Policy | None = None) -> None:
        """`pack`: the one that the decisions were made with. `before`: the policy that most of them were made with,
        where it is at hand."""
        self._pack = pack.version
        self._policy = policy
        self._before = before
        self.needs = Needs.of((policy,) if before is None else (policy, before))

    def judge(
        self, decision: Published, post: Post | None = None, features: Mapping[str, float] | None = None
    ) -> Judged | Undecided:
        """What the policy says. `post` and `features` (of the post's text) are given where `needs` asks for them."""
        if decision.versions.pack != self._pack:
            return Undecided("another_pack")
        if decision.versions.policy == self._policy.reference:
            return decision.judged
        if any(reason.rule == SCORES_FLOOR for reason in decision.reasons):
            return Undecided("scores_missing")
        if post is not None and post.media and self.needs.features & {*MEDIA_FEATURES, WINDOWS}:
            return Undecided("features")
        region = post.region if post is not None else None
        effective = self._policy.effective(decision.tenant, region, decision.lang)
        before = self._effective_before(decision)
        thresholds, once = effective.thresholds, before.thresholds if before is not None else None
        if _is_drawn(decision, thresholds, once):
            return Undecided("gating")
        interacting = _interactions(decision, thresholds, once)
        if interacting is None:
            return Undecided("interaction")
        facts = _facts(decision, post, features or {})
        found = self._verdicts(decision, effective, before, facts, interacting)
        if isinstance(found, Undecided):
            return found
        first, *others = found
        if any(_outcome(other) != _outcome(first) for other in others):
            return Undecided("severity")
        severities = {verdict.severity for verdict in found}
        return Judged(
            action=first.action,
            labels=decision.labels,
            flags=first.flags,
            severity=first.severity if len(severities) == 1 else None,
            rules=tuple(reason.rule for reason in first.reasons),
        )

    def _effective_before(self, decision: Published) -> EffectivePolicy | None:
        if self._before is None or decision.versions.policy != self._before.reference:
            return None
        named = dict(layer.split(":", 1) for layer in decision.versions.layers if ":" in layer)
        return self._before.effective(named.get("tenant"), named.get("region"), named.get("language"))

    def _verdicts(
        self,
        decision: Published,
        effective: EffectivePolicy,
        before: EffectivePolicy | None,
        facts: _FactsOf,
        interacting: tuple[str, ...],
    ) -> list[Verdict] | Undecided:
        """One verdict for each severity that the text expert may have found."""
        known = tuple(flag for flag in decision.flags if flag == LANG_UNSUPPORTED or flag.startswith(KNOWN))
        then = tuple(flag for flag in decision.flags if flag in INTERACTIONS)
        graded = (0, *GRADED_SEVERITIES)
        if before is not None:
            possible = list(_possible(decision, before, facts, (*known, *then)))
            if not possible:
                return Undecided("not_reproduced")
            if before.settings.severities.items() == effective.settings.severities.items():
                graded = tuple(possible)
        found: list[Verdict] = []
        for least in graded:
            found.append(effective.evaluate(facts.with_(least, (*known, *interacting))))
            if not found[0].thresholds or not effective.settings.severities:
                break  # severities count only where something is flagged, and where there are thresholds for them
        return found


@dataclass(frozen=True, slots=True)
class _FactsOf:
    """The facts that are the same whatever is tried."""

    decision: Published
    post: PostFacts
    features: Mapping[str, float]
    not_assessed: tuple[str, ...]

    def with_(self, least: int, flags: tuple[str, ...]) -> Facts:
        """`least`: how severe the text expert finds the post at least; 0 where it finds nothing."""
        return Facts(
            scores=self.decision.labels,
            not_assessed=self.not_assessed,
            post=self.post,
            targets=self.decision.targets,
            severities={least: 1.0} if least else {},
            modalities=self.decision.modalities,
            flags=flags,
            features=self.features,
        )


def _facts(decision: Published, post: Post | None, features: Mapping[str, float]) -> _FactsOf:
    lang = decision.lang or ""
    facts = PostFacts.of(post, lang) if post is not None else PostFacts(tenant=decision.tenant, lang=lang)
    missing = tuple(label for label in LABELS if label not in decision.labels)
    return _FactsOf(decision, facts, features, missing)


def _possible(decision: Published, before: EffectivePolicy, facts: _FactsOf, flags: tuple[str, ...]) -> Iterator[int]:
    """What the text expert may have said of the severity, so that the policy came to the published verdict."""
    for least in (0, *GRADED_SEVERITIES):
        verdict = before.evaluate(facts.with_(least, flags))
        if _is_published(verdict, decision):
            if not verdict.thresholds:
                yield from (0, *GRADED_SEVERITIES)  # nothing is flagged, so it was not asked for
                return
            yield least


def _is_published(verdict: Verdict, decision: Published) -> bool:
    said = (verdict.action, verdict.flags, verdict.severity)
    return said == (decision.action, decision.flags, decision.severity)


def _outcome(verdict: Verdict) -> object:
    return verdict.action, verdict.flags, [reason.rule for reason in verdict.reasons]


def _judged_parts(decision: Published) -> dict[str, tuple[float, float]]:
    """Modality -> score, the highest of its labels, and weight; only of those that were judged."""
    return {
        name: (modality.score, modality.weight or 0.0)
        for name, modality in decision.modalities.items()
        if modality.score is not None
    }


def _is_drawn(decision: Published, now: Mapping[str, float], once: Mapping[str, float] | None) -> bool:
    """Whether a published probability was drawn back, or would be now, so that it would be another."""
    parts = _judged_parts(decision)
    low = {name for name, (_, weight) in parts.items() if weight < 1.0}
    if not low:
        return False
    words = {name for name in WORDS & decision.modalities.keys() if _is_there(decision, name)}
    # Windows over several kinds of words are as good as the worst of them, and have no modality that tells their score.
    together = len(words) > 1 and bool(words & low)
    bound = 1.0 if together else max(parts[name][0] for name in low) + ROUNDING
    for label, probability in decision.labels.items():
        threshold = now.get(label, UNTHRESHOLDED)
        before = once.get(label, UNTHRESHOLDED) if once is not None else None
        if threshold == before:
            continue
        # At or under its threshold nothing is drawn: a label that is no flag is what it was measured as.
        if label in decision.flags and (before is None or bound > before):
            return True
        if probability > threshold and bound > threshold:
            return True
    return False


def _is_there(decision: Published, name: str) -> bool:
    return decision.modalities[name].status is not Status.ABSENT


def _interactions(
    decision: Published, now: Mapping[str, float], once: Mapping[str, float] | None
) -> tuple[str, ...] | None:
    """The flags of parts that interact; None where the decision does not tell."""
    parts = _judged_parts(decision)
    if len(parts) < 2:
        return ()
    loudest = max(score for score, _ in parts.values())
    if once is None:
        return None if any(_may_interact(decision, loudest, now)) else ()
    differ = {label: over for label, over in now.items() if once.get(label) != over}
    then = {label: once[label] for label in differ if label in once}
    if any(_may_interact(decision, loudest, differ)) or any(_may_interact(decision, loudest, then)):
        return None
    return tuple(flag for flag in decision.flags if flag in INTERACTIONS)


def _may_interact(decision: Published, loudest: float, thresholds: Mapping[str, float]) -> Iterator[bool]:
    """Nothing interacts about a label that neither the whole nor any part of the post is over the threshold of."""
    for label, threshold in thresholds.items():
        probability = decision.labels.get(label)
        if probability is not None:
            yield max(probability, loudest) + ROUNDING > threshold
