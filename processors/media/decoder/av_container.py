"""Opening containers of video and sound, from memory and nothing else. The typed boundary to how FFmpeg is set up.

FFmpeg follows what a file says: playlists and scripts that name other files, addresses, devices. So the demuxer is
named by us, by magic bytes, from a list without any of those; it is given a reader of bytes in memory and no other
protocol; what it asks to open besides is refused; and only decoders of the list below are ever used, in one thread and
in software.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Never, TypeAlias, cast

import av
from av.container import InputContainer
from av.error import ExitError, FFmpegError
from av.packet import Packet
from av.stream import Discard, Stream

from processors.media.decoder.clock import FRAMES, Clock
from processors.media.decoder.decoded import DecoderLimits, Undecodable
from processors.media.kinds import kind_of

FORMATS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "audio/mp4": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/ogg": "ogg",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
}
"""What is decoded, and by which of FFmpeg's demuxers; no other is ever tried."""

VIDEO_DECODERS = frozenset(
    (
        *("h264", "hevc", "vp8", "vp9", "libdav1d", "mpeg4", "msmpeg4v2", "msmpeg4", "h263"),
        *("mpeg1video", "mpeg2video", "theora", "mjpeg", "prores", "rawvideo"),
    )
)
SOUND_DECODERS = frozenset(
    (
        *("aac", "mp3float", "mp3", "mp2float", "mp2", "opus", "vorbis", "flac", "alac", "ac3", "eac3"),
        *("amrnb", "amrwb", "speex", "gsm_ms", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt"),
        *("pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"),
        *("pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
    )
)
"""By FFmpeg's names: what phones, browsers and editors write. Each decoder more is one more to be attacked."""

AnyPacket: TypeAlias = "Packet[Stream]"

MAX_SAMPLES = 1_000_000
"""Samples that one packet of sound may decode to; real ones hold some thousands."""

_ID3_HEADER = 10
_MAX_TAGS = 8
"""ID3 tags before the sound; files have one."""


def demuxer_of(data: bytes, media_type: str) -> str:
    """FFmpeg's name of what reads the container. Raises `Undecodable` for a type that is not among `FORMATS`."""
    if media_type == "audio/mpeg":  # where a tag stands first, what follows it counts
        media_type = (kind_of(data[_behind_tags(data) :]) or ("audio", media_type))[1]
    try:
        return FORMATS[media_type]
    except KeyError:
        expected = ", ".join(sorted(FORMATS))
        raise Undecodable(f"{media_type} is not among the types that are decoded: {expected}") from None


def _behind_tags(data: bytes) -> int:
    at = 0
    for _ in range(_MAX_TAGS):
        if data[at : at + 3] != b"ID3" or at + _ID3_HEADER > len(data):
            break
        # Four times seven bits (ID3v2.4, section 3.1).
        size = sum((byte & 0x7F) << shift for byte, shift in zip(data[at + 6 : at + 10], (21, 14, 7, 0), strict=True))
        at += _ID3_HEADER + size
    return at


@contextmanager
def opened(data: bytes, media_type: str, limits: DecoderLimits, clock: Clock) -> Generator[InputContainer]:
    """The container; it is closed whatever happens. Raises `Undecodable` where there is none."""
    demuxer = demuxer_of(data, media_type)
    decoders = ",".join(sorted(VIDEO_DECODERS | SOUND_DECODERS))
    options = {
        "protocol_whitelist": "",
        "format_whitelist": demuxer,
        "codec_whitelist": decoders,
        # To find out what its streams are, FFmpeg decodes some of them.
        **_decoder_options(limits),
        "threads": "1",
    }
    if demuxer == "mov":
        # Players differ in how much of an edit list they follow: what one of them leaves out is judged too.
        options["advanced_editlist"] = "0"
    left_s = max(0.001, clock.left_s(FRAMES))  # 0 would mean for ever
    try:
        container = av.open(
            BytesIO(data),
            "r",
            format=demuxer,
            options=options,
            metadata_errors="replace",
            timeout=left_s,
            io_open=_refuse,
        )
    except ExitError:
        raise Undecodable(f"the {media_type} file took too long to open") from None
    except (FFmpegError, ValueError, OSError, RuntimeError) as error:
        raise Undecodable(f"the {media_type} file is broken: {said_by(error)}") from None
    try:
        yield container
    finally:
        container.close()


def only(container: InputContainer, *streams: Stream) -> None:
    """Spares the demuxer all other streams."""
    for stream in container.streams:
        stream.discard = Discard.default if stream in streams else Discard.all


def prepared(stream: Stream, limits: DecoderLimits) -> None:
    """The stream's decoder: one thread, and limits on what one packet may become."""
    context = stream.codec_context
    context.thread_count = 1
    context.thread_type = "NONE"
    context.options = _decoder_options(limits)


def packets_of(
    container: InputContainer, streams: Sequence[Stream], broken: Callable[[str], None]
) -> Iterator[AnyPacket]:
    """The packets of these streams, as far as there are any; `broken` is told in words what ended them."""
    try:
        yield from container.demux(streams)
    except FFmpegError as error:
        broken(said_by(error))
    except IndexError:  # PyAV knows the streams of the beginning
        broken("another stream begins there")


def decoder_name(stream: Stream) -> str | None:
    """FFmpeg's name of the stream's decoder; None where it has none."""
    context = cast("object | None", stream.codec_context)
    return stream.codec_context.name if context is not None else None


def said_by(error: Exception) -> str:
    """A library's words, without the numbers and names that it puts around them."""
    words = error.strerror if isinstance(error, FFmpegError) else str(error)
    return words or type(error).__name__


def _decoder_options(limits: DecoderLimits) -> dict[str, str]:
    # What a file asks to be left out of its sound (`skip_manual`: nothing is), not every player leaves out.
    return {"max_pixels": str(limits.max_pixels), "max_samples": str(MAX_SAMPLES), "flags2": "+skip_manual"}


def _refuse(*_: object) -> Never:
    raise PermissionError("it refers to other files")
