"""Any history of reading, finishing, committing, aborting, revoking and losing publishes each message exactly once."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.topology import STANDARD
from streams.worker.ledger import Ledger, Load, Output, PartitionLedger, Prefix, Ticket


@dataclass
class Log:
    """A partition as the broker knows it: a list, and what has been committed."""

    messages: list[int] = field(default_factory=list[int])
    """Offsets; those in between are markers, or have been compacted away."""
    end: int = 0
    read: int = 0
    committed: int = 0
    published: list[int] = field(default_factory=list[int])

    def next_message(self) -> int | None:
        return next((offset for offset in self.messages if offset >= self.read), None)


class History:
    """A ledger between two partitions and the stages. Each step takes a partition and a number to do as it likes."""

    def __init__(self) -> None:
        self.ledger = Ledger({"posts": STANDARD})
        self.logs = [Log(), Log()]
        self.under_way: list[Ticket] = []  # also those of partitions that are gone: stages do not know
        for partition in range(2):
            self.come(partition, 0)

    def home(self, partition: int) -> PartitionLedger | None:
        return self.ledger.partitions.get(("posts", partition))

    def publish(self, partition: int, number: int) -> None:
        """Messages, with a hole before each."""
        log = self.logs[partition]
        for hole in range(number % 4, -1, -1):
            log.messages.append(log.end + hole)
            log.end += hole + 1

    def mark(self, partition: int, number: int) -> None:
        """Transaction markers take offsets."""
        self.logs[partition].end += number % 3

    def come(self, partition: int, _number: int) -> None:
        """The partition is assigned, or read again from its committed offset."""
        self.ledger.open("posts", partition)
        self.logs[partition].read = self.logs[partition].committed

    def read(self, partition: int, number: int) -> None:
        home, log = self.home(partition), self.logs[partition]
        for _ in range(number + 1):
            offset = log.next_message()
            if home is None or offset is None:
                return
            self.under_way.append(self.ledger.admit(home, offset, 10 * number, 0.0, None))
            log.read = offset + 1

    def see_the_end(self, partition: int, _number: int) -> None:
        home, log = self.home(partition), self.logs[partition]
        if home is not None and log.next_message() is None:
            home.reached_end(log.end)
            log.read = log.end

    def finish(self, _partition: int, number: int) -> None:
        """Out of order: one of the oldest messages under way."""
        if self.under_way:
            ticket = self.under_way.pop(number % min(3, len(self.under_way)))
            ticket.outputs = [Output("out", str(ticket.offset).encode(), bytes([at])) for at in range(number % 3)]

    def commit(self, _partition: int, _number: int) -> None:
        self.succeed(self.checked_prefixes())

    def abort(self, _partition: int, _number: int) -> None:
        self.checked_prefixes()

    def lose(self, partition: int, _number: int) -> None:
        self.ledger.forget([("posts", partition)])

    def revoke(self, partition: int, _number: int) -> None:
        if (home := self.home(partition)) is not None:
            home.revoked = True
        self.succeed(self.checked_prefixes())
        self.ledger.forget([("posts", partition)])

    def lose_during_a_commit(self, partition: int, _number: int) -> None:
        prefixes = self.checked_prefixes()
        self.ledger.forget([("posts", partition)])
        self.succeed(prefixes)

    def checked_prefixes(self) -> list[Prefix]:
        """What may leave, which is all that is finished before the first message that is not."""
        prefixes = {prefix.home.partition: prefix for prefix in self.ledger.prefixes()}
        for (_, partition), home in self.ledger.partitions.items():
            finished: list[Ticket] = []
            for ticket in home.tickets:
                if not ticket.finished:
                    break
                finished.append(ticket)
            prefix = prefixes.get(partition)
            if prefix is None:
                assert not finished
                continue
            assert list(prefix.tickets()) == finished
            assert list(prefix.outputs()) == [output for ticket in finished for output in ticket.outputs or ()]
            unfinished = [ticket.offset for ticket in home.tickets if not ticket.finished]
            assert prefix.next_offset == (unfinished[0] if unfinished else home.position)
        return list(prefixes.values())

    def succeed(self, prefixes: list[Prefix]) -> None:
        for prefix in prefixes:
            log = self.logs[prefix.home.partition]
            log.published += [ticket.offset for ticket in prefix.tickets()]
            assert prefix.next_offset >= log.committed
            log.committed = prefix.next_offset
        assert all(not ticket.home.forgotten for ticket in self.ledger.release(prefixes))

    def check(self) -> None:
        for log in self.logs:
            assert log.published == [offset for offset in log.messages if offset < log.committed]
        tickets = [ticket for home in self.ledger.partitions.values() for ticket in home.tickets]
        assert self.ledger.loads == {STANDARD: Load(len(tickets), sum(ticket.size for ticket in tickets))}

    def end_well(self) -> None:
        """However it went, one worker that reads to the end gets everything out, and leaves no lag."""
        for partition, log in enumerate(self.logs):
            self.come(partition, 0)
            self.read(partition, len(log.messages))
            self.see_the_end(partition, 0)
        for ticket in self.under_way:
            ticket.outputs = []
        self.succeed(self.checked_prefixes())
        self.check()
        for log in self.logs:
            assert log.published == log.messages
            assert log.committed == log.end
        assert self.ledger.loads == {STANDARD: Load()}


OFTEN = (History.publish, History.read, History.finish, History.finish, History.finish, History.commit)
SELDOM = (
    History.mark,
    History.see_the_end,
    History.abort,
    History.come,
    History.lose,
    History.revoke,
    History.lose_during_a_commit,
)
STEPS = (*OFTEN, *OFTEN, *SELDOM)


@settings(max_examples=250)
@given(st.binary(min_size=60, max_size=240))
def test_each_message_is_published_exactly_once_in_order_and_never_past_an_unfinished_one(steps: bytes) -> None:
    """Two bytes are a step: bytes are drawn many times faster than lists of steps, so that histories can be long."""
    history = History()
    for step, where in zip(steps[::2], steps[1::2], strict=False):
        STEPS[step % len(STEPS)](history, where % 2, where // 2 % 8)
        history.check()
    history.end_well()
