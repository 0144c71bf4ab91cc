"""Running items through a processor so that one at fault harms nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from processors.contract import Handle, ModalityError, Outcome, ProcessingError, Processor, TransientError
from schemas import Cause, Modality, Record, Stage

Fault = ModalityError | ProcessingError


def prepare_all(processor: Processor[Any], records: Sequence[Record]) -> list[tuple[Any, Fault | None]]:
    """Every record prepared, or why it could not be."""
    results: list[tuple[Any, Fault | None]] = []
    for record in records:
        try:
            results.append((processor.prepare(record), None))
        except (ModalityError, ProcessingError) as error:
            results.append((None, error))
        except Exception as error:  # noqa: BLE001  # whatever a processor raises is this item's poison
            results.append((None, poison(error)))
    return results


def run_isolating(
    process: Callable[[Sequence[Any]], Sequence[Outcome]], batch: Sequence[Any]
) -> tuple[list[Outcome], int]:
    """One outcome per item of the batch, and how many items were found to make it fail.

    When the whole batch raises, its halves are run alone, down to single items: n items with one poison among them take
    about 2 log2(n) calls.
    """
    if not batch:
        return [], 0
    try:
        outcomes = list(process(batch))
        if len(outcomes) != len(batch):
            raise RuntimeError(f"{len(outcomes)} outcomes for a batch of {len(batch)}")
    except TransientError as error:
        return [error] * len(batch), 0
    except Exception as error:  # noqa: BLE001  # a batch that raises is bisected
        if len(batch) == 1:
            return [error if isinstance(error, ProcessingError) else poison(error)], 1
        middle = len(batch) // 2
        left, guilty_left = run_isolating(process, batch[:middle])
        right, guilty_right = run_isolating(process, batch[middle:])
        return left + right, guilty_left + guilty_right
    return outcomes, 0


def poison(error: Exception) -> ProcessingError:
    """The dead letter's account of an unexpected exception."""
    found = ProcessingError(Cause.POISON, f"{type(error).__name__}: {error}")
    found.__cause__ = error
    return found


def without_modality(record: Record, error: ModalityError) -> Record:
    """The record, going on without the modality that could not be read."""
    noted = Modality(status=error.status, reason=error.reason)
    return replace(record, modalities={**record.modalities, error.modality: noted})


def outcomes_of(
    records: Sequence[Record], prepared: Sequence[tuple[Any, Fault | None]], processed: Sequence[Outcome]
) -> list[Outcome]:
    """One outcome per record, in order, from what `prepare_all` gave and what was made of the items without a fault."""
    results = iter(processed)
    outcomes: list[Outcome] = []
    for record, (_, fault) in zip(records, prepared, strict=True):
        if fault is None:
            outcomes.append(next(results))
        else:
            outcomes.append(without_modality(record, fault) if isinstance(fault, ModalityError) else fault)
    return outcomes


def run_batch(processor: Processor[Any], records: Sequence[Record]) -> list[Outcome]:
    """Prepare and process in one go: one outcome per record, in order."""
    prepared = prepare_all(processor, records)
    processed, _ = run_isolating(processor.process, [item for item, fault in prepared if fault is None])
    return outcomes_of(records, prepared, processed)


async def attempt(handle: Handle, record: Record) -> tuple[Outcome, int]:
    """The outcome of one item of an asynchronous stage, and 1 where it turned out to be poison."""
    try:
        return await handle(record), 0
    except ModalityError as error:
        return without_modality(record, error), 0
    except ProcessingError as error:
        return error, 0
    except Exception as error:  # noqa: BLE001  # whatever a processor raises is this item's poison
        return poison(error), 1


def timed(record: Record, stage: Stage, took_ms: float) -> Record:
    """The record with what the stage took for it, or for the batch that it was in."""
    return replace(record, timings_ms={**record.timings_ms, stage.value: took_ms})
