"""Stage `ocr`: what is written in the pictures of a batch of posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from processors.contract import BatchPolicy, Outcome, TransientError
from processors.cores import usable_cores
from processors.engines import Device, EngineStatistics
from processors.media.store import MediaMissing, StoreAway
from processors.ocr.detection import detection_size
from processors.ocr.merging import merge_frames
from processors.ocr.metered import MeteredGraph
from processors.ocr.modality import OCR, ocr_modality
from processors.ocr.models import open_graphs
from processors.ocr.options import OcrOptions
from processors.ocr.reader import Reader, ReadingInput
from processors.ocr.script import ScriptIdentifier
from processors.ocr.section import PictureReading, ocr_picture, picture_reading
from processors.ocr.tesseract import TesseractReader
from processors.packs import Pack
from processors.reading_cache import CacheStatistics, ReadingCache
from processors.text import langid
from schemas import Cause, OcrPicture, OcrSection, Picture, Record, Stage

PIXELS_A_THREAD = 800_000
"""At detection size: a picture of 1,024 x 768, or four memes; about a second of a core, lines included. Enough that all
threads end about together, and few enough that a post does not wait long behind others."""

PICTURES_A_THREAD = 8

GPU_BATCHING = BatchPolicy(max_items=128, max_cost=64_000_000, max_wait_s=0.002)
"""A GPU is idle in a small batch; 2 ms are less than what one costs."""

WARM_UP_SIDE = 64
"""The first run of a graph allocates, and on a GPU chooses its kernels."""


def cpu_batching(threads: int) -> BatchPolicy:
    """Batches that keep so many threads busy."""
    return BatchPolicy(max_items=PICTURES_A_THREAD * threads, max_cost=PIXELS_A_THREAD * threads, max_wait_s=0.0)


class PictureSource(Protocol):
    def read(self, tenant: str, object: str, /) -> NDArray[np.uint8]:  # noqa: A002
        """[height, width, 3], RGB. Raises `MediaMissing`, `StoreAway`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class OpenPicture:
    """One picture of a post, before it is read: its pixels, or what was read in it before, or why there is neither."""

    media_id: str
    picture: Picture
    pixels: ReadingInput | None = None
    reading: PictureReading | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OpenPost:
    record: Record
    pictures: tuple[OpenPicture, ...]


class OcrProcessor:
    """A record without fetched pictures passes untouched. Safe to call from several threads."""

    stage = Stage.OCR

    def __init__(
        self,
        reader: Reader,
        graphs: Sequence[MeteredGraph],
        pictures: PictureSource,
        options: OcrOptions,
        *,
        batching: BatchPolicy | None = None,
    ) -> None:
        """`graphs`: those that the reader runs, for metrics. `batching`: by default for one thread."""
        self.batching = batching or cpu_batching(1)
        self.graphs = tuple(graphs)
        self._reader = reader
        self._pictures = pictures
        self._options = options
        self._cache: ReadingCache[PictureReading] = ReadingCache(options.cache_pictures)

    @classmethod
    def of(
        cls,
        pack: Pack,
        pictures: PictureSource,
        *,
        options: OcrOptions | None = None,
        device: Device = "cpu",
        threads: int | None = None,
        provider_options: Mapping[str, Mapping[str, str]] | None = None,
        engines: Path | None = None,
        batching: BatchPolicy | None = None,
    ) -> OcrProcessor:
        """The stage for a pack, warmed up.

        `threads`: CPU threads in all, by default the cores that this process may use. With `engines` the script expert
        runs on the CPU, for it is too small to get one. Raises `PackError` and `EngineError` as `open_graphs`, and
        `TesseractError` where the options ask for it and it is not there.
        """
        options = options or OcrOptions()
        threads = threads or usable_cores()
        graphs = open_graphs(
            pack, options.models, device=device, threads=threads, provider_options=provider_options, engines=engines
        )
        scripts = ScriptIdentifier.of(
            pack,
            reads=graphs.reads,
            device=device if engines is None else "cpu",
            threads=threads,
            provider_options=provider_options,
        )
        reader = Reader(
            graphs.detector,
            graphs.recogniser,
            graphs.lanes,
            reads=graphs.reads,
            max_lines=options.max_lines,
            scripts=scripts,
            other=None if options.tessdata is None else TesseractReader.open(options.tessdata),
        )
        langid.load()
        # An engine has bounds: whether it takes the largest picture shows now, and not in the middle of the stream.
        side = WARM_UP_SIDE if engines is None else options.detection_side
        blank = np.full((side, side, 3), 255, np.uint8)
        reader.read([ReadingInput.of(blank, options.detection_side)])
        graphs.recogniser.read([blank[: graphs.recogniser.height]])
        batching = batching or (cpu_batching(threads) if device == "cpu" else GPU_BATCHING)
        return cls(reader, (graphs.detection, graphs.recognition), pictures, options, batching=batching)

    def engines(self) -> dict[str, tuple[str, EngineStatistics]]:
        """Graph -> its execution provider, and what it has done since the start."""
        return {graph.graph: (graph.engine.provider, graph.statistics) for graph in self.graphs}

    @property
    def cache_statistics(self) -> CacheStatistics:
        """Pictures looked up in the memory of earlier readings."""
        return self._cache.statistics

    def cost(self, record: Record, /) -> int:
        """Pixels at detection size."""
        side = self._options.detection_side
        sizes = (detection_size(picture.width, picture.height, side) for _, picture in record.pictures)
        return sum(width * height for width, height in sizes)

    def prepare(self, record: Record, /) -> OpenPost:
        """The post with its pictures' pixels. Raises `TransientError` where the store is away."""
        tenant = record.post.tenant
        return OpenPost(record, tuple(self._open(tenant, media, picture) for media, picture in record.pictures))

    def process(self, batch: Sequence[OpenPost], /) -> Sequence[Outcome]:
        """Raises `EngineError` where an engine fails, for the whole batch."""
        readings = self._read([picture for post in batch for picture in post.pictures])
        return [self._with_section(post, readings) for post in batch]

    def _open(self, tenant: str, media_id: str, picture: Picture) -> OpenPicture:
        if (reading := self._cache.get(picture.object)) is not None:
            return OpenPicture(media_id, picture, reading=reading)
        try:
            pixels = self._pictures.read(tenant, picture.object)
        except MediaMissing as error:
            return OpenPicture(media_id, picture, missing=f"{media_id}: the picture cannot be read: {error}")
        except StoreAway as error:
            raise TransientError(Cause.TRANSIENT, f"the media store cannot be read now: {error}", "fetch") from error
        return OpenPicture(media_id, picture, pixels=ReadingInput.of(pixels, self._options.detection_side))

    def _read(self, pictures: Sequence[OpenPicture]) -> dict[str, PictureReading]:
        """By object: the same picture twice in a batch is read once."""
        known = {picture.picture.object: picture.reading for picture in pictures if picture.reading is not None}
        new = {
            picture.picture.object: picture.pixels
            for picture in pictures
            if picture.pixels is not None and picture.picture.object not in known
        }
        found = self._reader.read(list(new.values())) if new else []
        for (sha256, item), lines in zip(new.items(), found, strict=True):
            height, width = item.picture.shape[:2]
            known[sha256] = picture_reading(lines, width, height, self._options)
            self._cache.put(sha256, known[sha256])
        return known

    def _with_section(self, post: OpenPost, readings: Mapping[str, PictureReading]) -> Record:
        if not post.pictures:
            return post.record
        read: list[OcrPicture] = []
        left_out: dict[str, int] = {}
        for opened in post.pictures:
            reading = readings.get(opened.picture.object)
            if opened.missing is None and reading is not None:
                read.append(ocr_picture(opened.media_id, opened.picture, reading))
                left_out[opened.media_id] = left_out.get(opened.media_id, 0) + reading.left_out
        pictures = merge_frames(read)
        missing = [opened.missing for opened in post.pictures if opened.missing is not None]
        lang, confidence = langid.detect("\n".join(line.text for picture in pictures for line in picture.lines))
        section = OcrSection(
            pictures=pictures,
            lang=lang,
            lang_confidence=confidence,
            engine=self.graphs[-1].engine.provider,
        )
        modality = ocr_modality(pictures, left_out, missing, post.record.modalities.get(OCR))
        return replace(post.record, ocr=section, modalities={**post.record.modalities, OCR: modality})
