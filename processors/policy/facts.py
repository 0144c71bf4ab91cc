"""What the policy is told of a post, and the part of it that a set of rules asks for."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from processors.policy.vocabulary import KNOWN_FLAGS, MEDIA_KINDS, Path, known_flag
from schemas import LABELS, MODALITIES, Modality, Post, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class PostFacts:
    """Facts of a post that rules may use. What a post does not say is "" or 0, so that no rule fails over it."""

    tenant: str = "default"
    region: str = ""
    platform: str = ""
    account_type: str = ""
    reach: float = 0
    priority: str = "standard"
    lang: str = ""
    """The language that was found, not the one that the producer named."""
    kinds: tuple[str, ...] = ()
    """Kinds of the post's media, each once, sorted."""
    text_length: int = 0
    """Code points of the text as it was posted."""

    @classmethod
    def of(cls, post: Post, lang: str) -> PostFacts:
        return cls(
            tenant=post.tenant,
            region=post.region or "",
            platform=post.platform or "",
            account_type=post.account_type or "",
            reach=post.reach or 0,
            priority=post.priority.value,
            lang=lang,
            kinds=tuple(sorted({media.kind for media in post.media})),
            text_length=len(post.text or ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a decision depends on besides the policy."""

    scores: Mapping[str, float]
    """Label -> calibrated probability, rounded to 3 decimals; only labels that were assessed."""
    not_assessed: Collection[str] = ()
    """Labels that no expert measured on this post, though the pack may on others: without a picture, or without text,
    nobody can tell. That they have no score is no fault then."""
    post: PostFacts
    targets: Mapping[str, float] = field(default_factory=dict[str, float])
    """Target -> calibrated probability, rounded to 3 decimals."""
    severities: Mapping[int, float] = field(default_factory=dict[int, float])
    """k -> calibrated probability that the severity is at least k, rounded to 3 decimals."""
    modalities: Mapping[str, Modality] = field(default_factory=dict[str, Modality])
    """A modality that is missing is absent."""
    flags: tuple[str, ...] = ()
    """What other stages flagged, such as `lang.unsupported` or `known.<list>`."""
    features: Mapping[str, float] = field(default_factory=dict[str, float])
    """The quality features of the pack stage."""


class UnusableFact(ValueError):
    """A fact that is no number where one is expected; nothing may be decided from it."""


_ABSENT = Modality(status=Status.ABSENT)


class FactView:
    """The facts that a set of rules asks for, as variables for CEL.

    Handing over a fact costs the CEL library about a microsecond, and evaluating a rule a fifth of that: so only the
    facts that some rule names are handed over, once per decision.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        wanted = sorted(set(paths))
        self._scores = [path[1] for path in wanted if path[0] == "scores"]
        self._features = [path[1] for path in wanted if path[0] == "features"]
        self._post = [path[1] for path in wanted if path[0] == "post"]
        self._modalities = [(path[1], path[2]) for path in wanted if path[0] == "modalities"]
        self._flags = ("flags",) in wanted
        self._severity = ("severity",) in wanted

    def variables(
        self, facts: Facts, scores: Mapping[str, float], flags: tuple[str, ...], severity: int
    ) -> dict[str, object]:
        """The variables for these facts; `scores` are those that can be used, `flags` all that are known so far.

        Labels and features without a value are left out of their maps. Raises `UnusableFact` for a number that is not
        finite.
        """
        values: dict[str, object] = {}
        if self._flags:
            values["flags"] = flags
        if self._severity:
            values["severity"] = severity
        if self._scores:
            values["scores"] = _numbers("scores", self._scores, scores)
        if self._features:
            values["features"] = _numbers("features", self._features, facts.features)
        if self._post:
            values["post"] = {name: getattr(facts.post, name) for name in self._post}
            if "reach" in self._post:
                _finite("post.reach", facts.post.reach)
        if self._modalities:
            values["modalities"] = self._read(facts.modalities)
        return values

    def _read(self, modalities: Mapping[str, Modality]) -> dict[str, dict[str, object]]:
        values: dict[str, dict[str, object]] = {}
        for name, attribute in self._modalities:
            modality = modalities.get(name, _ABSENT)
            value: object = modality.status.value
            if attribute != "status":
                number: float | None = getattr(modality, attribute)
                value = _finite(f"modalities.{name}.{attribute}", number or 0.0)
            values.setdefault(name, {})[attribute] = value
        return values


def _numbers(group: str, names: list[str], values: Mapping[str, float]) -> dict[str, object]:
    return {name: _finite(f"{group}.{name}", values[name]) for name in names if name in values}


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise UnusableFact(f"{name} is {value}; expected a finite number")
    return float(value)


def sample_variables(paths: frozenset[Path]) -> list[dict[str, object]]:
    """Variables to try a rule with before it meets a post: nothing is there, everything is, and the two mixtures."""
    view = FactView(paths)
    features = [path[1] for path in paths if path[0] == "features"]
    samples: list[dict[str, object]] = []
    everything = (*KNOWN_FLAGS, known_flag("list"))
    for number, flags in ((0.0, ()), (0.0, everything), (1.0, ()), (1.0, everything)):
        facts = Facts(
            scores=dict.fromkeys(LABELS, number),
            post=PostFacts(reach=number, text_length=int(number), kinds=MEDIA_KINDS if flags else ()),
            modalities={
                name: Modality(status=Status.OK, score=number, confidence=number, weight=number)
                for name in MODALITIES
                if flags
            },
            features=dict.fromkeys(features, number),
        )
        samples.append(view.variables(facts, facts.scores, flags, severity=4 if number else 0))
    return samples
