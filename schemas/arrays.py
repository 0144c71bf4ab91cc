"""numpy arrays in msgpack."""

from __future__ import annotations

import struct
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

# An array is an extension: one byte dtype, one byte rank, each dimension as uint32, then the elements in C order,
# all little-endian.
_ARRAY_EXT = 1
_MAX_RANK = 4
_DTYPES = tuple(np.dtype(name) for name in ("<i4", "<f4", "<i8", "<f8", "<f2", "|u1", "|i1", "<u2", "<u4"))
"""The dtypes that may travel; a dtype's place is its code, so this list only grows at its end."""
_DTYPE_CODES = {dtype: code for code, dtype in enumerate(_DTYPES)}


def encode_array(value: Any) -> msgspec.msgpack.Ext:
    if not isinstance(value, np.ndarray):
        raise NotImplementedError(f"a record cannot hold {type(value).__name__}")
    array = cast("NDArray[Any]", value)
    code = _DTYPE_CODES.get(array.dtype)
    if code is None or array.ndim > _MAX_RANK:
        raise NotImplementedError(f"a record cannot hold an array of {array.dtype} with {array.ndim} dimensions")
    header = struct.pack(f"<BB{array.ndim}I", code, array.ndim, *array.shape)
    return msgspec.msgpack.Ext(_ARRAY_EXT, header + array.tobytes())


def decode_extension(code: int, data: memoryview) -> NDArray[Any]:
    if code != _ARRAY_EXT:
        raise ValueError(f"unknown extension {code}")
    if len(data) < 2 or data[0] >= len(_DTYPES) or data[1] > _MAX_RANK:
        raise ValueError("an array with a broken header")
    dtype, rank = _DTYPES[data[0]], data[1]
    body = 2 + 4 * rank
    if len(data) < body:
        raise ValueError("an array with a broken header")
    shape = struct.unpack_from(f"<{rank}I", data, 2)
    count = 1
    for size in shape:
        count *= size
    if len(data) - body != count * dtype.itemsize:
        raise ValueError(f"an array of shape {list(shape)} and {dtype} with {len(data) - body} bytes")
    return np.frombuffer(data, dtype=dtype, count=count, offset=body).reshape(shape)
