"""A decoder that does what its item says: `python -m tests.media.odd_decoder '<limits as JSON>'`.

An item is `GIF89a<what> <argument>`, or `fLaC<what> <argument>` where a decoder of sound is asked. All around the
decoding (pipes, limits, signals) is the real thing.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import msgspec
import numpy as np

from processors.media.decoder.child import serve
from processors.media.decoder.decoded import (
    MAX_COVERS,
    Decoded,
    DecodedPicture,
    DecodedSound,
    DecoderLimits,
    Gap,
    Undecodable,
)
from processors.media.decoder.tiles import MAX_TILES
from processors.media.wav import RATE, wav_of

START = b"GIF89a"
SOUND_START = b"fLaC"

PICTURE = DecodedPicture(
    data=cv2.imencode(".png", np.zeros((8, 6, 3), np.uint8))[1].tobytes(),
    width=6,
    height=8,
    scale=1.0,
    t=None,
    pdq="0" * 64,
    pdq_quality=0,
)

SOUND = DecodedSound(data=wav_of(np.zeros(160, np.int16)), seconds=0.01, t=0.0)


def item(what: str, argument: object = "", start: bytes = START) -> bytes:
    return start + f"{what} {argument}".encode()


def said(text: str) -> Decoded:
    return Decoded(kind="image", type="image/gif", width=6, height=8, pictures=(PICTURE,), picture_gap=Gap(reason=text))


def heard() -> Decoded:
    return Decoded(kind="audio", type="audio/flac", seconds=0.01, sound=SOUND)


def do(data: bytes, limits: DecoderLimits) -> Decoded:
    sounds = data.startswith(SOUND_START)
    what, _, argument = data.removeprefix(SOUND_START if sounds else START).decode().partition(" ")
    match what:
        case "pid":
            return said(str(os.getpid()))
        case "length":
            return said(str(len(data)))
        case "refuse":
            raise Undecodable(argument)
        case "spin":
            while True:
                pass
        case "wait":
            # Opening a FIFO waits for the other side, and reading for its words.
            return said(f"{os.getpid()} {Path(argument).read_text()}")
        case "die":
            os.kill(os.getpid(), signal.Signals[argument])
        case "exit":
            os._exit(int(argument))
        case "hog":
            blocks: list[bytes] = []
            while True:
                blocks.append(bytes(8 * 1024 * 1024))
        case "babble":
            os.write(1, b"a library that prints " * 10)
            os.write(2, b"x" * 200_000)
            return said("done")
        case "confess":
            return said(confession())
        case "lie" if sounds:
            return lie_of_sound(argument)
        case "lie":
            return lie(argument, limits)
        case "sound":
            return heard()
        case _:
            pass
    raise AssertionError(what)


def confession() -> str:
    """Environment, open files, limits, and what became of tries to go past them."""
    fds = sorted(int(fd.name) for fd in Path("/proc/self/fd").iterdir())[:-1] if sys.platform == "linux" else []
    try:
        Path(f"/tmp/modstream-{os.getpid()}").write_text("x")
        written = "wrote"
    except OSError as error:
        written = type(error).__name__
    Path(f"/tmp/modstream-{os.getpid()}").unlink(missing_ok=True)
    cores = resource.getrlimit(resource.RLIMIT_CORE)[0]
    group = "own group" if os.getpgrp() == os.getpid() else "worker's group"
    return f"{','.join(sorted(os.environ))} {fds} {written} {cores} {group} {Path.cwd()}"


def lie(how: str, limits: DecoderLimits) -> Decoded:
    honest = said("")
    match how:
        case "type":
            return replace(honest, type="image/png")
        case "number":
            return replace(honest, pictures=(PICTURE,) * (limits.max_frames + 1))
        case "none":
            return replace(honest, pictures=())
        case "original":
            return replace(honest, width=1_000_000, height=1_000_000)
        case "size of none":
            return replace(honest, width=None)
        case "kind":
            return replace(honest, kind="video")
        case "sound":
            return replace(honest, sound=SOUND)
        case "header":
            return replace(honest, type="x" * 1_000_000)
        case "bytes":
            data = PICTURE.data + bytes(4 * limits.picture_side**2 + 100_000)
            return replace(honest, pictures=(replace(PICTURE, data=data),))
        case "size":
            return replace(honest, pictures=(replace(PICTURE, width=7),))
        case "side":
            return replace(honest, pictures=(replace(PICTURE, width=limits.picture_side + 1),))
        case "format":
            return replace(honest, pictures=(replace(PICTURE, data=b"GIF89a" + bytes(100)),))
        case "scale":
            return replace(honest, pictures=(replace(PICTURE, scale=float("nan")),))
        case "hash":
            return replace(honest, pictures=(replace(PICTURE, pdq="../../etc/passwd"),))
        case _:
            raise AssertionError(how)


def lie_of_sound(how: str) -> Decoded:
    """Where one second may be listened to and one frame looked at."""
    honest = heard()
    match how:
        case "kind":
            return replace(honest, kind="image")
        case "nothing":
            return replace(honest, sound=None)
        case "no sample":
            return replace(honest, sound=replace(SOUND, data=wav_of(np.zeros(0, np.int16))))
        case "pictures":
            return replace(honest, width=6, height=8, pictures=(PICTURE,) * (2 + MAX_COVERS * MAX_TILES))
        case "seconds":
            return replace(honest, seconds=float("nan"))
        case "no seconds":
            return replace(honest, seconds=None)
        case "short":
            return replace(honest, seconds=0.001)
        case "start":
            return replace(honest, sound=replace(SOUND, t=float("nan")))
        case "bytes":
            return replace(honest, sound=replace(SOUND, data=wav_of(np.zeros(RATE + 1, np.int16))))
        case "header":
            return replace(honest, sound=replace(SOUND, data=SOUND.data[:40] + bytes(4) + SOUND.data[44:]))
        case _:
            raise AssertionError(how)


if __name__ == "__main__":
    serve(msgspec.json.decode(sys.argv[1], type=DecoderLimits), do)
