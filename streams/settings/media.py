"""Settings of media: where they may come from, where they are kept, how much of them is read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct


class StoreSettings(Struct, frozen=True, kw_only=True):
    """The content-addressed store of what was fetched and of the pictures made from it."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^\S+\Z",
            title="a folder, or an address with s3://, gs:// or az://",
            description="Where media are kept. All workers of a group must see the same store, so that one machine may "
            "use a folder and several need a bucket. Credentials and endpoints come from the cloud's own environment "
            "variables (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, …).",
        ),
    ] = "~/.local/share/modstream/store"
    retention_days: Annotated[
        float,
        Meta(
            ge=0,
            le=36_500,
            description="Media are removed this long after a post last needed them; 0 keeps them until their posts are "
            "deleted. A week covers retries, review and replay of the near past.",
        ),
    ] = 7.0


class MediaSettings(Struct, frozen=True, kw_only=True):
    """Fetching and decoding. Media come from people who want to break you: everything has a limit."""

    file_roots: Annotated[
        tuple[Path, ...],
        Meta(description="Folders below which `file` addresses may be read; none by default."),
    ] = ()
    allow_http: Annotated[
        bool,
        Meta(description="Whether `http` addresses are fetched: anybody on the way could change what is judged."),
    ] = False
    cloud_prefixes: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses with `s3`, `gs` or `az` are read only below these (`s3://bucket/folder/`), since "
            "they are read with our credentials; none by default."
        ),
    ] = ()
    allowed_ports: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=65_535)], ...],
        Meta(description="Ports that `http` and `https` addresses may name; others are services that no CDN runs on."),
    ] = (80, 443)
    allowed_networks: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks that may be fetched from although they are private (10.20.0.0/16), for a CDN of your "
            "own; none by default, so that nobody's post can look around in yours."
        ),
    ] = ()
    proxy: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://[^\s/?#@]+/?\Z",
                title="an http or https address without user name",
                description="A forward proxy for all `http` and `https` fetches. It resolves names itself, so it must "
                "refuse private addresses itself. Proxies of the environment are never used.",
            ),
        ]
        | None
    ) = None
    max_bytes: Annotated[
        int,
        Meta(ge=1_024, le=4 * 1024**3, description="Most bytes of one media item; a larger one is not read further."),
    ] = 32 * 1024 * 1024
    max_inline_bytes: Annotated[
        int,
        Meta(ge=0, le=2 * 1024 * 1024, description="Most bytes of media that ride in the post itself."),
    ] = 256 * 1024
    fetch_timeout_s: Annotated[
        float,
        Meta(gt=0, le=600, description="One media item may take this long, redirects and all."),
    ] = 10.0
    max_redirects: Annotated[
        int,
        Meta(ge=0, le=20, description="Redirects that are followed; every hop is checked like the first address."),
    ] = 3
    concurrency: Annotated[
        int,
        Meta(ge=1, le=10_000, description="Posts whose media are fetched at the same time."),
    ] = 64
    max_pixels: Annotated[
        int,
        Meta(
            ge=1_024,
            le=1_000_000_000,
            description="Most pixels of a picture, by its header, before any is decoded: twice what phones take.",
        ),
    ] = 100_000_000
    picture_side: Annotated[
        int,
        Meta(
            ge=256,
            le=8_192,
            description="Pictures are kept with at most this many pixels on the long side: readable small print needs "
            "no more.",
        ),
    ] = 2_048
    max_frames: Annotated[
        int,
        Meta(
            ge=1,
            le=256,
            description="Frames that are looked at of a picture that moves: half of them evenly spread, half where it "
            "changes most.",
        ),
    ] = 8
    decode_timeout_s: Annotated[
        float,
        Meta(gt=0, le=600, description="Wall time after which the process that decodes an item is killed."),
    ] = 15.0
    decode_memory_mb: Annotated[
        int,
        Meta(
            ge=256,
            le=65_536,
            description="Memory of a process that decodes, beside what its libraries take: a bomb ends there.",
        ),
    ] = 2_048
    decoders: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=256,
                description="Processes that decode pictures; without it, as many as cores this process may use. Sound "
                "and video have half as many of their own, at least one.",
            ),
        ]
        | None
    ) = None

    max_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=86_400,
            description="Most seconds of a video that are looked at, and of a post's sounds that are listened to; the "
            "rest is left, and the modality is `partial`.",
        ),
    ] = 600.0
    long_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=86_400,
            description="Posts whose videos and sounds last longer than this together go through the lane of long "
            "media, where they hold no short post up.",
        ),
    ] = 60.0
    video_frames: Annotated[
        int,
        Meta(ge=1, le=256, description="Most frames of a video that are looked at."),
    ] = 16
    frame_gap_s: Annotated[
        float,
        Meta(
            gt=0,
            le=3_600,
            description="Beside the frames at which scenes change, one is looked at after this many seconds, as far as "
            "`video_frames` goes.",
        ),
    ] = 4.0


class KnownSettings(Struct, frozen=True, kw_only=True):
    """Lists of known content, checked before any model. A match is the flag `known.<list>`; policies decide on it."""

    lists: Annotated[
        tuple[Path, ...],
        Meta(
            description="Files of hashes, one list a file, named after it (`terror.txt` is the list `terror`): "
            "one MD5, SHA-256 or PDQ hash in hex a line, `#` begins a comment. Read again when they change."
        ),
    ] = ()
    pdq_distance: Annotated[
        int,
        Meta(
            ge=0,
            le=128,
            description="Most bits in which a PDQ hash may differ from a listed one and still match; 31 is what PDQ's "
            "authors advise.",
        ),
    ] = 31


class OcrSettings(Struct, frozen=True, kw_only=True):
    """Reading what is written in pictures."""

    models: (
        Annotated[
            Path,
            Meta(
                description="Folder with `detection/` and `recognition/`, each an `inference.onnx` with its "
                "`inference.yml` as PaddleOCR exports them; without it, the pack's own."
            ),
        ]
        | None
    ) = None
    detection_side: Annotated[
        int,
        Meta(ge=320, le=4_096, description="Long side, in pixels, at which lines are looked for; costs grow with it."),
    ] = 1_024
    min_confidence: Annotated[
        float,
        Meta(ge=0, le=1, description="A line read with less confidence than this counts as not read."),
    ] = 0.5
    min_chars: Annotated[
        int,
        Meta(ge=1, le=100, description="Lines of fewer characters are left out: single letters are mostly texture."),
    ] = 2
    max_lines: Annotated[
        int,
        Meta(ge=1, le=2_000, description="Lines read in a picture; with more, its text is `partial`."),
    ] = 200
    cache_pictures: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Pictures whose reading is remembered (by SHA-256); 0 reads each anew."),
    ] = 4_096
    tessdata: (
        Annotated[
            Path,
            Meta(
                description="Folder of Tesseract's `*.traineddata`, for scripts that the recogniser lacks "
                "(Cyrillic, Arabic, Devanagari, Hangul, Thai, …); needs the `tesseract` program. Without it, such "
                "lines make the modality `unsafe`."
            ),
        ]
        | None
    ) = None


class HallucinationCheck(StrEnum):
    SUSPICIOUS = "suspicious"
    ALWAYS = "always"


class AsrSettings(Struct, frozen=True, kw_only=True):
    """Hearing what is said in sounds."""

    model: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=4_096,
                description="A folder with a Whisper model in CTranslate2's format, or the name of one on its hub "
                "(`large-v3`, `large-v3-turbo`), which is downloaded when a worker starts; without it, the pack's own.",
            ),
        ]
        | None
    ) = None
    compute_type: Annotated[
        str,
        Meta(
            pattern=r"^(auto|int8|int8_float32|int8_float16|int8_bfloat16|int16|float16|bfloat16|float32)\Z",
            title="a type of numbers that CTranslate2 has",
            description="The numbers that the model computes in; `auto` is int8 on a CPU and float16 on a GPU.",
        ),
    ] = "auto"
    hallucination_check: Annotated[
        HallucinationCheck,
        Meta(
            description="Which chunks are heard again with their speech silenced, to see whether the words come from "
            "what is left: those that look `suspicious`, or `always` all of them.",
        ),
    ] = HallucinationCheck.SUSPICIOUS
    cache_sounds: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Sounds whose words are remembered (by SHA-256); 0 hears each anew."),
    ] = 1_024
