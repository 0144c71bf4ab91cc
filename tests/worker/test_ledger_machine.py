"""Any history of reading, finishing, committing, aborting, revoking and losing publishes each message exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from streams.worker.ledger import Ledger, Output, PartitionLedger, Prefix, Ticket

PARTITIONS = st.integers(0, 1)
HOLES = st.lists(st.integers(0, 3), min_size=1, max_size=8)


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


class LedgerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.logs = [Log() for _ in range(2)]
        self.under_way: list[Ticket] = []  # also those of partitions that are gone: stages do not know

    @initialize(first=HOLES, second=HOLES)
    def both_partitions_come(self, first: list[int], second: list[int]) -> None:
        for partition, holes in enumerate((first, second)):
            self.messages_are_published(partition, holes)
            self.the_partition_comes_or_is_read_again(partition)

    def home(self, partition: int) -> PartitionLedger | None:
        return self.ledger.partitions.get(("posts", partition))

    def tickets(self) -> Iterator[Ticket]:
        for home in self.ledger.partitions.values():
            yield from home.tickets

    @rule(partition=PARTITIONS, holes=HOLES)
    def messages_are_published(self, partition: int, holes: list[int]) -> None:
        log = self.logs[partition]
        for hole in holes:
            log.messages.append(log.end + hole)
            log.end += hole + 1

    @rule(partition=PARTITIONS)
    def a_transaction_marker_takes_an_offset(self, partition: int) -> None:
        self.logs[partition].end += 1

    @rule(partition=PARTITIONS)
    def the_partition_comes_or_is_read_again(self, partition: int) -> None:
        self.ledger.open("posts", partition)
        self.logs[partition].read = self.logs[partition].committed

    @rule(partition=PARTITIONS, count=st.integers(1, 8), size=st.integers(0, 1000))
    def messages_are_read(self, partition: int, count: int, size: int) -> None:
        home, log = self.home(partition), self.logs[partition]
        for _ in range(count):
            offset = log.next_message()
            if home is None or offset is None:
                return
            self.under_way.append(self.ledger.admit(home, offset, size, 0.0, None))
            log.read = offset + 1

    @rule(partition=PARTITIONS)
    def the_end_is_seen(self, partition: int) -> None:
        home, log = self.home(partition), self.logs[partition]
        if home is not None and log.next_message() is None:
            home.reached_end(log.end)
            log.read = log.end

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), count=st.integers(1, 12), outputs=st.integers(0, 2))
    def messages_are_finished(self, data: st.DataObject, count: int, outputs: int) -> None:
        # Out of order, but not so far that nothing ever becomes a prefix.
        for _ in range(min(count, len(self.under_way))):
            ticket = self.under_way.pop(data.draw(st.integers(0, min(3, len(self.under_way) - 1))))
            ticket.outputs = [Output("out", str(ticket.offset).encode(), bytes([at])) for at in range(outputs)]

    @rule()
    def a_commit_succeeds(self) -> None:
        self.commit(self.checked_prefixes())

    @rule(times=st.integers(1, 3))
    def commits_are_aborted(self, times: int) -> None:
        for _ in range(times):
            self.checked_prefixes()

    @rule(partition=PARTITIONS, how=st.sampled_from(["lost", "revoked", "gone during a commit"]), returns=st.booleans())
    def the_partition_goes(self, partition: int, how: str, returns: bool) -> None:
        if (home := self.home(partition)) is not None:
            home.revoked = how == "revoked"
        prefixes = [] if how == "lost" else self.checked_prefixes()
        if how == "revoked":
            self.commit(prefixes)
        self.ledger.forget([("posts", partition)])
        if how == "gone during a commit":
            self.commit(prefixes)
        if returns:
            self.the_partition_comes_or_is_read_again(partition)

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

    def commit(self, prefixes: list[Prefix]) -> None:
        for prefix in prefixes:
            log = self.logs[prefix.home.partition]
            log.published += [ticket.offset for ticket in prefix.tickets()]
            assert prefix.next_offset >= log.committed
            log.committed = prefix.next_offset
        released = self.ledger.release(prefixes)
        assert all(not ticket.home.forgotten for ticket in released)

    @invariant()
    def what_is_committed_is_what_is_published(self) -> None:
        for log in self.logs:
            assert log.published == [offset for offset in log.messages if offset < log.committed]

    @invariant()
    def the_budget_is_what_is_under_way(self) -> None:
        tickets = list(self.tickets())
        assert self.ledger.records == len(tickets)
        assert self.ledger.bytes == sum(ticket.size for ticket in tickets)

    def teardown(self) -> None:
        """However it went, one worker that reads to the end gets everything out, and no lag is left."""
        for partition, log in enumerate(self.logs):
            self.the_partition_comes_or_is_read_again(partition)
            self.messages_are_read(partition, len(log.messages) + 1, 1)
            self.the_end_is_seen(partition)
        for ticket in self.under_way:
            ticket.outputs = []
        self.commit(self.checked_prefixes())
        for log in self.logs:
            assert log.published == log.messages
            assert log.committed == log.end
        assert (self.ledger.records, self.ledger.bytes) == (0, 0)


LedgerMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestLedger = LedgerMachine.TestCase
