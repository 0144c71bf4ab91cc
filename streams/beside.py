"""From the settings to what a worker hosts: the live chain, and beside it a canary for some posts and a shadow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from processors.canary import LIVE, Choice, Split
from processors.chain import Models, Processors, build_chain
from processors.contract import AnyProcessor, is_async
from processors.engines import EngineError
from processors.ocr.tesseract import TesseractError
from processors.pack.features import FEATURES
from processors.packs import Pack, PackError, load_pack
from processors.policy import Policy, PolicyError, load_policy
from schemas import Record, Stage
from streams.assembly import WITH_MEDIA, WITHOUT_MODELS, chain_of, media_of, models_of, options_of
from streams.settings import CanarySettings, Settings, ShadowSettings
from streams.topology import Topics
from streams.worker.canary import CanaryWatch
from streams.worker.outcomes import Versions
from streams.worker.shadow import Shadow, at_low_priority, shadow_producer

JUDGING = (Stage.PACK, Stage.ENCODE, Stage.FUSE)
"""The stages that a model pack of its own needs anew. What was read and heard (`ocr`, `asr`) is text to any pack."""


class BesideError(Exception):
    """A canary or a shadow that cannot be loaded: which, and why."""


@dataclass(frozen=True)
class HostedCanary:
    watch: CanaryWatch
    versions: Versions
    processors: Processors
    """Its own; what it shares with the live pack is not among them."""


@dataclass(frozen=True)
class Hosted:
    """What runs in a worker."""

    processors: Processors
    """One for each stage; those of a canary are in it."""
    versions: Versions
    live: Processors
    """The live ones alone."""
    canary: HostedCanary | None = None
    shadow: Shadow | None = None


def hosted(settings: Settings, code: str, stages: Sequence[Stage]) -> Hosted:
    """Raises what `chain_of` raises, and `BesideError`."""
    if WITHOUT_MODELS.issuperset(stages):
        live, versions = chain_of(settings, code, stages)
        return Hosted(live, versions, live)
    models = models_of(settings)
    second = second_models("canary", settings.canary, settings, models)
    if second is None:
        live, versions = chain_of(settings, code, stages, models=models)
        return Hosted(live, versions, live, shadow=_shadow(settings, code, stages, models))
    watch = CanaryWatch(settings.canary, name_of(second))
    same_pack = second.pack.hash == models.pack.hash
    if same_pack:
        models = replace(models, policy_of=_policy_of(watch, models.policy, second.policy))
    live, versions = chain_of(settings, code, stages, models=models)
    needed = [Stage.FUSE] if same_pack else [*_readers(settings, models.pack, second.pack), *JUDGING]
    own = _built("canary", settings, code, [stage for stage in needed if stage in stages], second)
    by_stage = {processor.stage: processor for processor in own}
    processors = tuple(_split(processor, by_stage, watch, windows=not same_pack) for processor in live)
    canary = HostedCanary(watch, Versions(code, second.pack.version, second.policy.reference), own)
    return Hosted(processors, versions, live, canary, _shadow(settings, code, stages, models))


def second_models(
    role: str, chosen: CanarySettings | ShadowSettings, settings: Settings, live: Models
) -> Models | None:
    """The pack and policy of a canary or a shadow, each the live one where the settings name no other; None where they
    name neither. Raises `BesideError`."""
    if chosen.pack is None and chosen.policy is None:
        return None
    try:
        pack = live.pack if chosen.pack is None else load_pack(chosen.pack)
        return Models(pack, load_policy(chosen.policy or settings.policy, pack.thresholds, FEATURES))
    except (PackError, PolicyError) as error:
        raise BesideError(f"the {role} cannot be used: {error}") from error


def name_of(models: Models) -> str:
    """`pack@sha policy@sha`."""
    return f"{models.pack.version} {models.policy.reference}"


def _shadow(settings: Settings, code: str, stages: Sequence[Stage], live: Models) -> Shadow | None:
    if Stage.FUSE not in stages or (models := second_models("shadow", settings.shadow, settings, live)) is None:
        return None
    anew = models.pack.hash != live.pack.hash
    needed = list(JUDGING) if anew else [Stage.FUSE]
    return Shadow(
        at_low_priority(lambda: _built("shadow", settings, code, needed, models)),
        settings.shadow,
        Topics(settings.topics.prefix).shadow,
        pack=models.pack.version,
        policy=models.policy.reference,
        anew=anew,
        producer=shadow_producer(settings.kafka),
    )


def _built(role: str, settings: Settings, code: str, stages: Sequence[Stage], models: Models) -> Processors:
    media = media_of(settings) if WITH_MEDIA.intersection(stages) else None
    try:
        return build_chain(options_of(settings, code, settings.retry.max_attempts), models, media, stages=stages)
    except (PackError, EngineError, TesseractError) as error:
        raise BesideError(f"the {role} cannot be used: {error}") from error


def _readers(settings: Settings, live: Pack, canary: Pack) -> list[Stage]:
    """The stages whose models differ; those that settings name read for both."""
    found: list[Stage] = []
    if settings.ocr.models is None and live.manifest.ocr != canary.manifest.ocr:
        found.append(Stage.OCR)
    if settings.asr.model is None and live.manifest.asr != canary.manifest.asr:
        found.append(Stage.ASR)
    return found


def _split(live: AnyProcessor, own: Mapping[Stage, AnyProcessor], choice: Choice, *, windows: bool) -> AnyProcessor:
    canary = own.get(live.stage)
    if canary is None or is_async(live) or is_async(canary):
        return live
    return Split(live, canary, choice, windows=windows)


def _policy_of(choice: Choice, live: Policy, canary: Policy) -> Callable[[Record], Policy]:
    def policy(record: Record) -> Policy:
        return canary if record.judge != LIVE and choice.takes(record.post.post_id) else live

    return policy
