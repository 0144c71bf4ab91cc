"""The sound objects that the fetch stage made, as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from processors.media.store import MediaDamaged, MediaStore
from processors.media.wav import samples_of

_FULL_SCALE = 32_768
"""Of 16-bit samples: -32,768 becomes -1."""


class SoundReader:
    """Reads sounds of the media store. May be used from several threads.

    Nothing is decoded here: our own decoder wrote plain samples, and their address is the SHA-256 that is verified.
    """

    def __init__(self, store: MediaStore) -> None:
        self._store = store

    def read(self, tenant: str, object: str) -> NDArray[np.float32]:  # noqa: A002 - the field's name in `Sound`
        """The sound at `Sound.object`: float32, shape [samples], 16 kHz, -1 to 1.

        Raises `MediaMissing` (`MediaDamaged`), `StoreAway`, and ValueError for what is no SHA-256 in hex.
        """
        data = self._store.get(tenant, object)
        try:
            samples = samples_of(data)
        except ValueError as error:
            raise MediaDamaged(f"object {object} of the media store is no sound that can be read: {error}") from None
        return samples.astype(np.float32) / np.float32(_FULL_SCALE)
