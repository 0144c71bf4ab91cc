"""Pack, encode and fuse for one record at a time: for tests of decisions."""

from __future__ import annotations

from processors.encode import EncodeProcessor
from processors.fuse import FuseProcessor
from processors.pack.processor import PackProcessor
from schemas import Decision, Record

NOW_MS = 1_795_316_080_250

LENIENT = """
schema: policy/1
name: lenient
version: "1"
layers:
  default: {}
"""
"""The mildest policy that can be written: it has no rules at all."""


class Chain:
    """The stages before fuse; each test brings its own fuse stage."""

    def __init__(self, packer: PackProcessor, encoder: EncodeProcessor) -> None:
        self._packer = packer
        self._encoder = encoder

    def encoded(self, record: Record) -> Record:
        [outcome] = self._encoder.process([self._encoder.prepare(self._packer.prepare(record))])
        assert isinstance(outcome, Record)
        return outcome

    def fused(self, fuser: FuseProcessor, record: Record) -> Record:
        return fused(fuser, self.encoded(record))

    def decision(self, fuser: FuseProcessor, record: Record) -> Decision:
        return decided(fuser, self.encoded(record))


def fused(fuser: FuseProcessor, record: Record) -> Record:
    [outcome] = fuser.process([fuser.prepare(record)])
    assert isinstance(outcome, Record)
    return outcome


def decided(fuser: FuseProcessor, record: Record) -> Decision:
    decision = fused(fuser, record).decision
    assert decision is not None
    return decision
