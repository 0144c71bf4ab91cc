from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from processors.asr.listener import Listener
from processors.asr.phantom import read_phantoms
from processors.asr.weights import read_weights
from processors.asr.whisper import Whisper
from processors.packs import Pack, load_pack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def embedded() -> Pack:
    return load_pack(ROOT / "models" / "embedded")


@pytest.fixture(scope="session")
def whisper(embedded: Pack) -> Whisper:
    """The embedded pack's model, with its lengths of windows."""
    part = embedded.manifest.asr
    assert part is not None
    return Whisper(read_weights(embedded, None), device="cpu", threads=2, windows_s=part.windows_s)


@pytest.fixture(scope="session")
def listener(whisper: Whisper, embedded: Pack) -> Listener:
    return Listener(whisper, read_phantoms(embedded), check="suspicious", windows=8)


@pytest.fixture(scope="session")
def speech() -> NDArray[np.float32]:
    """`ask what you can do for your country`: 3.3 s, 16 kHz."""
    with av.open(str(ROOT / "tests" / "fixtures" / "speech" / "jfk.flac")) as file:
        frames = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
    return np.concatenate(frames).astype(np.float32) / np.float32(32_768)
