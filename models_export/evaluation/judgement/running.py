"""Items through the chain's own stages: the policy decides, so that what would go to review is known as well."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from models_export.evaluation.asr_suite.words import words
from models_export.evaluation.judgement.prediction import Misread, Prediction, Said
from models_export.evaluation.judgement.suite import Item, Judgement, Suite
from models_export.evaluation.labelled_media import through
from models_export.evaluation.ocr_suite.views import lenient
from models_export.measures.edit_distance import distance_within, sequence_distance
from processors.contract import AnyProcessor, Outcome, ProcessingError
from processors.pack.joined_text import join_lines, join_segments
from processors.packs import Pack
from processors.policy import Policy
from schemas import Decision, Record, Source, Stage

CHUNK = 256
"""Items that go through the stages together: some of their own batches, and some seconds between signs of life."""


OCR, SPEECH, IMAGE, FUSION = "ocr", "speech", "image", "fusion"
"""What an item can be judged without."""

READ_BY = {OCR: Stage.OCR, SPEECH: Stage.ASR}


class Judge:
    """Processors and what is known of them."""

    def __init__(
        self, processors: Sequence[AnyProcessor], route: tuple[Stage, ...], pack: Pack, policy: Policy
    ) -> None:
        """`pack` and `policy`: those that the processors have."""
        self._processors = processors
        self._route = route
        self._heads = pack.manifest.text.heads
        self._pack_thresholds = pack.thresholds
        self._policy = policy

    def judge(
        self, suite: Suite, items: Sequence[Item], progress: Callable[[int], None], *, texts: bool = False
    ) -> tuple[list[Prediction], float]:
        """A prediction per item, in order, and the wall time of it all in seconds. `texts`: write them down as well."""
        predictions: list[Prediction] = []
        began_s = time.perf_counter()
        for start in range(0, len(items), CHUNK):
            chunk = items[start : start + CHUNK]
            records = [self._record(item, at) for at, item in enumerate(chunk, start)]
            outcomes: list[Outcome] = list(records)
            for processor in self._processors:
                outcomes = through(processor, list(map(withheld, chunk, outcomes)))
            predictions += [
                self._prediction(suite, item, outcome, texts=texts)
                for item, outcome in zip(chunk, outcomes, strict=True)
            ]
            progress(len(predictions))
        return predictions, time.perf_counter() - began_s

    def _record(self, item: Item, at: int) -> Record:
        post = item.post
        return Record(
            post=post,
            source=Source(topic="eval", partition=0, offset=at, timestamp_ms=0),
            content_hash=hashlib.sha256(f"{post.post_id}\0{post.text}".encode(errors="surrogatepass")).hexdigest(),
            received_ms=0,
            route=self._route,
        )

    def _prediction(self, suite: Suite, item: Item, outcome: Outcome, *, texts: bool) -> Prediction:
        base = Prediction(
            id=item.post.post_id,
            suite=suite.name,
            groups=item.groups,
            truth=item.truth,
            text=item.post.text if texts else None,
        )
        if isinstance(outcome, ProcessingError):
            return replace(base, error=f"{outcome.cause}: {outcome.reason}")
        decision = outcome.decision
        if decision is None:
            raise RuntimeError(f"{item.post.post_id} left the chain without a decision")
        return replace(
            base,
            probabilities=probabilities_of(decision),
            logits=self._logits(outcome),
            thresholds=self._thresholds(outcome, decision.lang),
            action=decision.action,
            flags=decision.flags,
            modalities={
                name: Said(status=said.status, score=said.score, weight=said.weight)
                for name, said in decision.modalities.items()
            },
            misread={
                name: misread_of(outcome, name, wanted, item.groups.get("lang"))
                for name, wanted in item.transcripts.items()
            },
        )

    def _logits(self, record: Record) -> dict[str, float]:
        encode = record.encode
        if encode is None or not len(encode.logits):
            return {}
        highest = encode.logits.max(axis=0)
        return {head: round(float(logit), 4) for head, logit in zip(self._heads, highest, strict=True)}

    def _thresholds(self, record: Record, lang: str | None) -> dict[str, float]:
        settings = self._policy.effective(record.post.tenant, record.post.region, lang).settings
        targets = {f"target.{name.partition('.')[2]}": of.value for name, of in settings.refinements.items()}
        labels = {label: of.value for label, of in settings.thresholds.items()}
        return {**self._pack_thresholds, **targets, **labels}


def withheld(item: Item, outcome: Outcome) -> Outcome:
    """The outcome between two stages, without what the item is to be judged without.

    Stages that read it are taken from the route, which ingest has set; what encode has made of it is taken from fuse.
    """
    if not isinstance(outcome, Record) or not item.without:
        return outcome
    left_out = [READ_BY[name] for name in item.without if name in READ_BY]
    encode = outcome.encode
    if encode is not None and IMAGE in item.without:
        encode = replace(encode, image=None)
    if encode is not None and FUSION in item.without:
        # Of words without an embedding the fusion is not asked, as in a pack that has none.
        encode = replace(encode, parts={})
    return replace(outcome, route=tuple(stage for stage in outcome.route if stage not in left_out), encode=encode)


def misread_of(record: Record, name: str, wanted: str, lang: str | None) -> Misread:
    """Of writing by letters in the lenient view of `eval ocr`, wherever they are in the reading: transcripts leave out
    what stands small in a corner. Of speech by words, as `eval asr` counts them.

    `lang`: of what is said; None: of no language's own rules."""
    if name == OCR:
        text = lenient(wanted)
        return Misread(edits=distance_within(text, lenient(join_lines(record.ocr).text)), length=len(text))
    spoken, heard = words(wanted, lang), words(join_segments(record.asr).text, lang)
    return Misread(edits=sequence_distance(spoken, heard), length=len(spoken))


def probabilities_of(decision: Decision) -> dict[str, float]:
    """Labels by their names, targets and attacks with theirs in front."""
    return {
        **decision.labels,
        **{f"target.{name}": value for name, value in decision.targets.items()},
        **{f"attack.{name}": value for name, value in decision.attacks.items()},
    }


def judged_otherwise(predictions: Sequence[Prediction], judgements: Sequence[Judgement]) -> list[Prediction]:
    """The same items as a baseline judges them; it takes no action."""
    return [
        Prediction(
            id=of.id,
            suite=of.suite,
            groups=of.groups,
            truth=of.truth,
            probabilities=said.probabilities,
            thresholds=said.thresholds,
        )
        for of, said in zip(predictions, judgements, strict=True)
    ]
