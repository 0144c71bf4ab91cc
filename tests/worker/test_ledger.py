"""The ledger never commits past an unfinished message and always releases the longest finished prefix."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.topology import STANDARD, URGENT
from streams.worker.ledger import Ledger, Load, Output, PartitionLedger, Ticket


def output(name: str) -> Output:
    return Output("out", None, name.encode())


def names(outputs: list[Output]) -> list[str]:
    return [(entry.value or b"").decode() for entry in outputs]


def admitted(home: PartitionLedger, *offsets: int) -> list[Ticket]:
    return [home.admit(offset, 10, 0.0, None) for offset in offsets]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger({"posts": STANDARD, "posts.urgent": URGENT})


@pytest.fixture
def home(ledger: Ledger) -> PartitionLedger:
    return ledger.open("posts", 0)


def test_a_new_partition_has_nothing_to_commit(home: PartitionLedger) -> None:
    assert home.prefix() is None


def test_an_unfinished_message_holds_back_all_behind_it(home: PartitionLedger) -> None:
    _, second, third = admitted(home, 0, 1, 2)
    second.outputs, third.outputs = [output("b")], [output("c")]
    assert home.prefix() is None


def test_the_finished_prefix_leaves_up_to_the_first_unfinished_message(home: PartitionLedger) -> None:
    first, second, _ = admitted(home, 0, 1, 2)
    first.outputs, second.outputs = [output("a")], [output("b")]
    prefix = home.prefix()
    assert prefix is not None
    assert (prefix.count, prefix.next_offset, names(list(prefix.outputs()))) == (2, 2, ["a", "b"])


def test_after_a_hole_in_the_offsets_the_commit_points_at_the_next_message(home: PartitionLedger) -> None:
    first, _ = admitted(home, 3, 9)
    first.outputs = []
    prefix = home.prefix()
    assert prefix is not None
    assert prefix.next_offset == 9


def test_outputs_keep_the_order_of_their_inputs_however_they_finish(home: PartitionLedger) -> None:
    first, second = admitted(home, 0, 1)
    second.outputs = [output("b")]
    first.outputs = [output("a1"), output("a2")]
    prefix = home.prefix()
    assert prefix is not None
    assert names(list(prefix.outputs())) == ["a1", "a2", "b"]


def test_a_message_without_outputs_is_finished_all_the_same(home: PartitionLedger) -> None:
    (only,) = admitted(home, 0)
    only.outputs = []
    prefix = home.prefix()
    assert prefix is not None
    assert (prefix.count, prefix.next_offset) == (1, 1)


def test_what_was_not_committed_is_offered_again(ledger: Ledger, home: PartitionLedger) -> None:
    first, second = admitted(home, 0, 1)
    first.outputs = [output("a")]
    (aborted,) = ledger.prefixes()
    second.outputs = [output("b")]
    (again,) = ledger.prefixes()
    assert names(list(aborted.outputs())) == ["a"]
    assert names(list(again.outputs())) == ["a", "b"]


def test_what_was_committed_is_not_offered_again(ledger: Ledger, home: PartitionLedger) -> None:
    ledger.admit(home, 0, 10, 0.0, None).outputs = [output("a")]
    ledger.release(ledger.prefixes())
    assert ledger.prefixes() == []


def test_where_nothing_is_under_way_the_partitions_end_is_committed(ledger: Ledger, home: PartitionLedger) -> None:
    """Transaction markers take offsets: without this, idle lag never reaches zero."""
    home.reached_end(5)
    (prefix,) = ledger.prefixes()
    assert (prefix.count, prefix.next_offset) == (0, 5)
    ledger.release([prefix])
    assert ledger.prefixes() == []


def test_markers_behind_the_last_message_are_committed_with_it(home: PartitionLedger) -> None:
    (only,) = admitted(home, 0)
    home.reached_end(4)
    only.outputs = []
    prefix = home.prefix()
    assert prefix is not None
    assert prefix.next_offset == 4


def test_the_partitions_end_is_not_committed_past_an_unfinished_message(home: PartitionLedger) -> None:
    admitted(home, 0)
    home.reached_end(4)
    assert home.prefix() is None


def test_the_end_behind_a_message_for_a_later_version_is_not_committed(home: PartitionLedger) -> None:
    admitted(home, 0)[0].outputs = []
    home.blocked = True
    home.reached_end(9)
    prefix = home.prefix()
    assert prefix is not None
    assert prefix.next_offset == 1


def test_an_end_that_was_seen_earlier_moves_nothing_back(home: PartitionLedger) -> None:
    home.reached_end(9)
    home.reached_end(4)
    assert home.position == 9


def test_a_message_before_the_position_is_refused_by_name_and_not_counted(
    ledger: Ledger, home: PartitionLedger
) -> None:
    ledger.admit(home, 5, 10, 0.0, None)
    with pytest.raises(ValueError, match=r"posts\[0\]: offset 5 after position 6"):
        ledger.admit(home, 5, 10, 0.0, None)
    assert ledger.loads[STANDARD] == Load(1, 10)


def test_a_lost_partition_frees_its_budget_finished_or_not(ledger: Ledger, home: PartitionLedger) -> None:
    ledger.admit(home, 0, 10, 0.0, None).outputs = [output("a")]
    ledger.admit(home, 1, 30, 0.0, None)
    other = ledger.open("posts", 1)
    ledger.admit(other, 0, 7, 0.0, None)
    ledger.forget([("posts", 0), ("posts", 99)])
    assert ledger.loads[STANDARD] == Load(1, 7)
    assert home.forgotten
    assert home.revoked


def test_what_comes_back_for_a_lost_partition_is_ignored(ledger: Ledger, home: PartitionLedger) -> None:
    late = ledger.admit(home, 0, 10, 0.0, None)
    ledger.forget([("posts", 0)])
    late.outputs = [output("a")]
    assert ledger.prefixes() == []


def test_a_partition_that_comes_again_starts_afresh(ledger: Ledger, home: PartitionLedger) -> None:
    ledger.admit(home, 5, 10, 0.0, None)
    fresh = ledger.open("posts", 0)
    ledger.admit(fresh, 3, 10, 0.0, None)
    assert ledger.loads[STANDARD] == Load(1, 10)
    assert home.forgotten


def test_a_commit_that_succeeds_after_its_partition_is_lost_leaves_the_budget_alone(
    ledger: Ledger, home: PartitionLedger
) -> None:
    ledger.admit(home, 0, 10, 0.0, None).outputs = [output("a")]
    prefixes = ledger.prefixes()
    fresh = ledger.open("posts", 0)
    ledger.admit(fresh, 0, 10, 0.0, None)
    assert ledger.release(prefixes) == []
    assert ledger.loads[STANDARD] == Load(1, 10)


def test_the_oldest_ticket_is_the_first_of_any_partition(ledger: Ledger, home: PartitionLedger) -> None:
    assert ledger.oldest_s() is None
    ledger.admit(home, 0, 1, 20.0, None)
    ledger.admit(home, 1, 1, 5.0, None)
    ledger.admit(ledger.open("posts", 1), 0, 1, 10.0, None)
    assert ledger.oldest_s() == 10.0


def test_a_message_is_as_old_as_the_work_on_it(ledger: Ledger, home: PartitionLedger) -> None:
    ticket = ledger.admit(home, 0, 1, 20.0, None)
    ticket.begin(50.0)
    ticket.begin(60.0)  # at the next stage
    assert ledger.oldest_s() == 50.0


def test_a_backlog_that_waits_for_its_turn_is_no_older_than_the_last_turn(
    ledger: Ledger, home: PartitionLedger
) -> None:
    """Thousands of downloads and videos may wait for longer than any of them may take."""
    waiting = ledger.open("posts", 1)
    for offset in range(3):
        ledger.admit(home, offset, 1, 0.0, None)
        ledger.admit(waiting, offset, 1, 0.0, None)
    assert ledger.oldest_s() == 0.0
    home.tickets[0].begin(300.0)
    assert ledger.oldest_s() == 300.0
    home.tickets[0].outputs = []
    home.tickets[1].begin(310.0)
    ledger.release(ledger.prefixes())
    assert ledger.oldest_s() == 310.0


def test_where_another_topic_is_worked_on_a_backlog_that_stands_still_grows_old(
    ledger: Ledger, home: PartitionLedger
) -> None:
    ledger.admit(home, 0, 1, 5.0, None)
    ledger.admit(ledger.open("posts.urgent", 0), 0, 1, 400.0, None).begin(400.0)
    assert ledger.oldest_s() == 5.0


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30), st.randoms())
def test_whatever_the_order_of_completion_each_output_leaves_once_and_in_order(gaps: list[int], random: Random) -> None:
    """Releasing after every single completion, as far as it goes."""
    ledger = Ledger({"posts": STANDARD})
    home = ledger.open("posts", 0)
    offsets = [sum(gaps[: at + 1]) for at in range(len(gaps))]
    tickets = [ledger.admit(home, offset, offset, 0.0, None) for offset in offsets]
    left: list[str] = []
    order = list(tickets)
    random.shuffle(order)
    for ticket in order:
        ticket.outputs = [output(str(ticket.offset))]
        prefixes = ledger.prefixes()
        for prefix in prefixes:
            left += names(list(prefix.outputs()))
            unfinished = [entry.offset for entry in tickets if not entry.finished]
            assert prefix.next_offset == min(unfinished, default=offsets[-1] + 1)
        ledger.release(prefixes)
    assert left == [str(offset) for offset in offsets]
    assert ledger.loads[STANDARD] == Load(0, 0)


def test_each_lane_has_its_own_load(ledger: Ledger, home: PartitionLedger) -> None:
    urgent = ledger.open("posts.urgent", 0)
    ledger.admit(home, 0, 10, 5.0, None)
    ticket = ledger.admit(urgent, 0, 7, 8.0, None)
    assert ledger.loads == {STANDARD: Load(1, 10), URGENT: Load(1, 7)}
    assert (ledger.oldest_s(), ledger.oldest_s(STANDARD), ledger.oldest_s(URGENT)) == (5.0, 5.0, 8.0)
    assert ledger.of_lane(URGENT) == [("posts.urgent", 0)]
    ticket.outputs = []
    ledger.release(ledger.prefixes())
    assert ledger.loads == {STANDARD: Load(1, 10), URGENT: Load()}
    ledger.forget([("posts", 0)])
    assert (ledger.loads, ledger.records) == ({STANDARD: Load(), URGENT: Load()}, 0)
