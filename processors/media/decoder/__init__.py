"""Decoding of hostile media, in processes of its own."""

from processors.media.decoder.decoded import (
    Decoded,
    DecodedPicture,
    DecodedSound,
    DecoderBroken,
    DecoderLimits,
    Gap,
    MovingLimits,
    Undecodable,
)
from processors.media.decoder.pool import DecoderPool

__all__ = [
    "Decoded",
    "DecodedPicture",
    "DecodedSound",
    "DecoderBroken",
    "DecoderLimits",
    "DecoderPool",
    "Gap",
    "MovingLimits",
    "Undecodable",
]
