"""Failures that are nobody's bug: each becomes one clear sentence, and exit code 1."""

from __future__ import annotations


class CommandFailed(Exception):
    """A command cannot do what was asked; the message is one sentence for a person."""


def sentence_of(error: Exception) -> str | None:
    """What to tell a person, None for an error that should not have happened and needs its traceback.

    The types are imported here, after something has failed, so that no command loads what only others need.
    """
    from confluent_kafka import KafkaError, KafkaException

    from processors.engines import EngineError
    from processors.media.known import KnownListError
    from processors.media.store import MediaMissing, StoreAway, StoreError
    from processors.ocr.tesseract import TesseractError
    from processors.packs import PackError
    from processors.policy import PolicyError
    from streams.access import AccessRefused
    from streams.beside import BesideError
    from streams.broker import BrokerError
    from streams.kafka import Unreachable
    from streams.local import ChainFailed
    from streams.settings import SettingsError
    from streams.topics import TopicsError
    from streams.worker import Broken, Fenced, IdentityTaken

    told = (
        CommandFailed,
        SettingsError,
        Unreachable,
        AccessRefused,
        TopicsError,
        ChainFailed,
        BesideError,
        BrokerError,
        PolicyError,
        PackError,
        EngineError,
        StoreError,
        StoreAway,
        MediaMissing,
        KnownListError,
        TesseractError,
        IdentityTaken,
        Broken,
        Fenced,
    )
    if isinstance(error, told):
        return str(error)
    if isinstance(error, KafkaException):
        cause: object = error.args[0] if error.args else error
        return f"Kafka: {cause.str() if isinstance(cause, KafkaError) else cause}"
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return f"{error.filename}: {reason}" if error.filename else reason
    return None
