"""Decoding of hostile media, in processes of its own."""

from processors.media.decoder.decoded import Decoded, DecodedPicture, DecoderBroken, DecoderLimits, Undecodable
from processors.media.decoder.pool import DecoderPool

__all__ = ["Decoded", "DecodedPicture", "DecoderBroken", "DecoderLimits", "DecoderPool", "Undecodable"]
