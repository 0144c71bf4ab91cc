"""Which partition a key is in: that of Java's, Faust's and our own producers (`murmur2_random`)."""

from __future__ import annotations

_SEED = 0x9747B28C
_M = 0x5BD1E995
_R = 24
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit hash of a key, 0..2^32-1 (`org.apache.kafka.common.utils.Utils.murmur2`, there signed)."""
    length = len(data)
    found = _SEED ^ length
    whole = length - length % 4
    for at in range(0, whole, 4):
        part = int.from_bytes(data[at : at + 4], "little") * _M & _MASK
        part = (part ^ part >> _R) * _M & _MASK
        found = (found * _M & _MASK) ^ part
    if whole < length:
        found = (found ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    found = (found ^ found >> 13) * _M & _MASK
    return found ^ found >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key that is not empty, as `DefaultPartitioner` has it: the hash without its sign, modulo."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
