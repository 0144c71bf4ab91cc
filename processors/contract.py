"""What a processor is: a pure function of a batch, and the three ways in which an item can fail.

A processor never sees Kafka, never sleeps and never retries; it can be called from a test or a notebook with a list
of records. The streams layer owns queues, threads, retries and dead letters, and acts on the errors below as the
failure table of ARCHITECTURE says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from schemas import Record, Stage, Status

if TYPE_CHECKING:
    from typing_extensions import TypeIs


class ProcessingError(Exception):
    """One item cannot be processed, and trying again would not help: it becomes a dead letter.

    `cause` is a stable code (`schemas.Cause` where one fits), `reason` one sentence for a person, `field` the path of
    the offending field when there is one.
    """

    by_canary = False
    """Whether it befell the canary."""

    def __init__(self, cause: str, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason
        self.field = field


class TransientError(ProcessingError):
    """The item failed for a reason that may pass (time-outs, 5xx, a store away): it is tried again later."""


class ModalityError(Exception):
    """One modality of the item cannot be read; the record goes on without it and its action is at least `review`."""

    def __init__(self, modality: str, reason: str, status: Status = Status.FAILED) -> None:
        super().__init__(f"{modality}: {reason}")
        self.modality = modality
        self.reason = reason
        self.status = status


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How large a batch may grow and how long its first item may wait for company.

    `max_cost` is in the stage's own unit (tokens, pixels, 30-second audio windows). An item that costs more than
    `max_cost` forms a batch of its own. `max_wait_s` is the knob between latency and batch size; 0 takes what is there.
    """

    max_items: int
    max_cost: int
    max_wait_s: float

    def __post_init__(self) -> None:
        if self.max_items < 1 or self.max_cost < 1 or self.max_wait_s < 0:
            raise ValueError(f"{self}: max_items and max_cost must be >= 1, max_wait_s >= 0")


Outcome = Record | ProcessingError
"""What `process` gives for each item: the record with the stage's own section added, or why there is none."""

P = TypeVar("P")


class Processor(Protocol[P]):
    """One stage of the chain.

    `cost` is called once per record, before it is queued, and must be cheap. `prepare` does the CPU work of one item
    (it may run on any thread, several at once) and may raise the errors above. `process` makes one engine call for the
    whole batch and returns one outcome per item, in order; every lane calls it from a thread of its own. If it raises,
    the caller halves the batch to find the item at fault.
    """

    @property
    def stage(self) -> Stage: ...

    @property
    def batching(self) -> BatchPolicy: ...

    def cost(self, record: Record, /) -> int: ...

    def prepare(self, record: Record, /) -> P: ...

    def process(self, batch: Sequence[P], /) -> Sequence[Outcome]: ...


Handle = Callable[[Record], Awaitable[Record]]
"""Takes one record through its stage; may raise what `Processor.prepare` may."""


class AsyncProcessor(Protocol):
    """A stage that waits for others (sockets, child processes) rather than computes: its items take their time one by
    one, and none waits for another.

    `cost` is as in `Processor`. `session` opens what items share, on the running event loop, and closes it in the end;
    within it, at most `concurrency` calls of the handle are under way at once.
    """

    @property
    def stage(self) -> Stage: ...

    @property
    def concurrency(self) -> int: ...

    def cost(self, record: Record, /) -> int: ...

    def session(self) -> AbstractAsyncContextManager[Handle]: ...


AnyProcessor = Processor[Any] | AsyncProcessor


def is_async(processor: AnyProcessor) -> TypeIs[AsyncProcessor]:
    """Which of the two contracts a stage keeps."""
    return hasattr(processor, "session")
