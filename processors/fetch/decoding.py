"""The decoders as one post may use them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from processors.fetch.faults import Crowded
from processors.fetch.patience import Patience
from processors.media.decoder import Decoded, Undecodable
from schemas import MediaKind


class Decoder(Protocol):
    """What `DecoderPool` does."""

    async def decode(self, data: bytes, /) -> Decoded: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Decoders, and the turns at them."""

    decoder: Decoder
    turns: asyncio.Semaphore
    """As many as there are decoders: who has one need not wait, and uses up time of his own."""


@dataclass(frozen=True, slots=True)
class PostDecoder:
    """Decodes one item at a time, within the post's share of time."""

    pictures: Desk
    moving: Desk
    """For video and sound: pictures wait for neither."""
    patience: Patience
    timeout_s: float
    final: bool
    """Whether the post has no further try: who does not get his turn has failed then."""

    async def decode(self, data: bytes, kind: MediaKind) -> Decoded:
        """`kind`: by the item's first bytes. Raises `Undecodable`, `DecoderBroken`, and `Crowded` where it is not
        final."""
        desk = self.pictures if kind == "image" else self.moving
        if not self.patience.may_decode:
            raise Undecodable("the post's media take too long to decode")
        try:
            await self.patience.turn(desk.turns, self.timeout_s)
        except Crowded as error:
            if self.final:
                raise Undecodable(str(error)) from None
            raise
        try:
            with self.patience.decoding():
                return await desk.decoder.decode(data)
        finally:
            desk.turns.release()
