"""The order of the queue."""

from hypothesis import given
from hypothesis import strategies as st

from core.runs.turns import Waiting, in_order


def test_one_owner_is_served_in_order() -> None:
    assert in_order([Waiting("b", "ann", 2), Waiting("a", "ann", 1)], {}) == ["a", "b"]


def test_a_second_owner_waits_for_one_run_not_for_all() -> None:
    queue = [Waiting("a1", "ann", 1), Waiting("a2", "ann", 2), Waiting("a3", "ann", 3), Waiting("b1", "bo", 4)]
    assert in_order(queue, {}) == ["a1", "b1", "a2", "a3"]


def test_who_was_served_last_comes_last() -> None:
    queue = [Waiting("a1", "ann", 1), Waiting("b1", "bo", 2), Waiting("c1", "cy", 3)]
    assert in_order(queue, {"ann": 50.0, "bo": 20.0}) == ["c1", "b1", "a1"]


def test_a_latecomer_comes_before_second_rounds() -> None:
    queue = [Waiting("a1", "ann", 1), Waiting("a2", "ann", 2), Waiting("b1", "bo", 3)]
    assert in_order(queue, {"ann": 10.0, "bo": 99.0}) == ["a1", "b1", "a2"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 100)), max_size=20),
    st.dictionaries(st.sampled_from("abc"), st.floats(0, 100)),
)
def test_nobody_starts_two_more_than_another_who_waits(queue: list[tuple[str, float]], turns: dict[str, float]) -> None:
    waiting = [Waiting(f"{i}", owner, when) for i, (owner, when) in enumerate(queue)]
    owners = {w.run_id: w.owner for w in waiting}
    order = in_order(waiting, turns)
    assert sorted(order) == sorted(owners)
    left = {o: sum(1 for x in owners.values() if x == o) for o in "abc"}
    served = dict.fromkeys("abc", 0)
    for run_id in order:
        owner = owners[run_id]
        still = [served[o] for o in "abc" if left[o] and o != owner]
        assert all(served[owner] <= other for other in still)
        served[owner] += 1
        left[owner] -= 1
