"""The picture objects that the fetch stage made, as arrays."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from processors.media.store import MediaDamaged, MediaStore

_READ = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
"""Objects of ours are upright: should one say otherwise, that is not true."""


class PictureReader:
    """Reads pictures of the media store. May be used from several threads.

    Only what our own decoder wrote is decoded here, in this process: its address is the SHA-256 that is verified.
    """

    def __init__(self, store: MediaStore) -> None:
        self._store = store

    def read(self, tenant: str, object: str) -> NDArray[np.uint8]:  # noqa: A002 - the field's name in `Picture`
        """The picture at `Picture.object`: uint8, shape [height, width, 3], RGB.

        Raises `MediaMissing`, `StoreAway`, and ValueError for what is no SHA-256 in hex.
        """
        data = self._store.get(tenant, object)
        try:
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _READ)
        except cv2.error:
            pixels = None
        if pixels is None:
            raise MediaDamaged(f"object {object} of the media store is no picture that can be read")
        return np.asarray(pixels, np.uint8)
