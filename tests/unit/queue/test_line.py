"""The line of the queue: who is next, for any order of events."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tunedrop import clock
from tunedrop.queue import line as queue_line
from tunedrop.queue.line import Line, Rules
from tunedrop.queue.place import place_of

TWO = Rules(jobs_at_once=2, probe_seconds=600)
AS_MANY_AS_IT_TAKES = Rules(jobs_at_once=0, probe_seconds=600)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> str:
    return clock.text(BEGAN + timedelta(seconds=seconds))


def asked(line: Line, run_id: str, team: str, rules: Rules = TWO, *, priority: int = 0, seconds: float = 0) -> Line:
    return line.joined(run_id, team, priority, at(seconds)).granted(run_id, rules, at(seconds))


def all_asked(line: Line, rules: Rules = TWO, seconds: float = 0) -> Line:
    """Every run that waits looks whether it is its turn, the last comer first."""
    for run_id in reversed(list(line.waiting)):
        line = line.granted(run_id, rules, at(seconds))
    return line


def test_a_free_slot_is_taken_at_once_and_a_full_line_waits() -> None:
    line = Line()
    for number in range(3):
        line = asked(line, f"run-{number}", "red")
    assert list(line.slots) == ["run-0", "run-1"]
    assert list(line.waiting) == ["run-2"]
    assert list(all_asked(line.left(["run-0"])).slots) == ["run-1", "run-2"]


def test_no_team_waits_for_the_backlog_of_another() -> None:
    line = Line()
    for number in range(20):
        line = asked(line, f"red-{number}", "red")
    for team in ("blue", "green"):
        for number in range(5):
            line = asked(line, f"{team}-{number}", team)
    served = []
    while line.slots:
        first = next(iter(line.slots))
        served.append(line.slots[first].waited.team)
        line = all_asked(line.left([first]))
    assert served[:2] == ["red", "red"]
    assert sorted(served[2:17]) == ["blue"] * 5 + ["green"] * 5 + ["red"] * 5
    for begin in (2, 5, 8, 11, 14):
        assert sorted(served[begin : begin + 3]) == ["blue", "green", "red"]
    assert served[17:] == ["red"] * 13


def test_within_a_team_a_priority_goes_first_and_then_the_first_comer() -> None:
    line = asked(Line(), "first", "red", Rules(1, 600))
    for name, priority in (("second", 0), ("third", 0), ("urgent", 5)):
        line = asked(line, name, "red", Rules(1, 600), priority=priority)
    assert list(line.in_order()) == ["urgent", "second", "third"]


def test_a_priority_takes_nothing_from_another_team() -> None:
    line = asked(Line(), "blue-0", "blue", Rules(1, 600))
    line = asked(line, "red-0", "red", Rules(1, 600))
    line = asked(line, "blue-1", "blue", Rules(1, 600), priority=9)
    assert list(line.in_order()) == ["red-0", "blue-1"]


def test_a_refusal_puts_the_run_back_and_teaches_how_many_the_service_takes() -> None:
    line = Line()
    for number in range(4):
        line = asked(line, f"run-{number}", "red", AS_MANY_AS_IT_TAKES)
    assert len(line.slots) == 4
    line = line.refused("run-3", at(10)).refused("run-2", at(10))
    assert list(line.in_order()) == ["run-2", "run-3"]
    assert line.next_ones(AS_MANY_AS_IT_TAKES, at(20)) == []
    assert line.left(["run-0"]).next_ones(AS_MANY_AS_IT_TAKES, at(20)) == ["run-2"], "its slot is another's"
    assert line.next_ones(AS_MANY_AS_IT_TAKES, at(610)) == ["run-2"], "after a while one more is tried"
    assert line.next_ones(AS_MANY_AS_IT_TAKES, at(1210)) == ["run-2", "run-3"]
    assert line.refused("run-9", at(30)) == line, "a run without a slot teaches nothing"


def test_a_refusal_takes_no_turn_from_the_team() -> None:
    line = asked(Line(), "red-0", "red", Rules(1, 600))
    line = asked(asked(line, "blue-0", "blue", Rules(1, 600)), "green-0", "green", Rules(1, 600))
    line = all_asked(line.left(["red-0"]), Rules(1, 600))
    assert list(line.slots) == ["blue-0"]
    assert next(line.refused("blue-0", at(5)).in_order()) == "blue-0"


def test_a_clock_that_jumps_back_lets_nobody_jump_the_queue() -> None:
    line = asked(asked(asked(Line(), "a", "red"), "b", "red"), "c", "red", seconds=100)
    line = asked(line, "d", "red", seconds=-3600)
    assert list(line.in_order()) == ["c", "d"]


def test_more_than_the_item_can_hold_wait_beside_the_line() -> None:
    line = Line()
    for number in range(queue_line.MOST_WAITING + 3):
        line = line.joined(f"{'r' * 40}-{number}", "t" * 32, 9, at(0))
    assert len(line.waiting) == queue_line.MOST_WAITING
    assert len(line.to_text()) < 300_000


def test_the_place_counts_from_one_and_the_estimate_follows_the_jobs_so_far() -> None:
    line = Line()
    for number in range(6):
        line = asked(line, f"run-{number}", "red")
    assert place_of(line, "run-0", TWO, at(0)) is None
    unknown = place_of(line, "run-2", TWO, at(0))
    assert unknown is not None
    assert (unknown.place, unknown.waiting, unknown.since, unknown.turn_at) == (1, 4, at(0), None)
    line = all_asked(line.left(["run-0"], now=at(3600)), seconds=3600)
    # Jobs take an hour: run-1's is due now, run-2's in an hour.
    turns = [place_of(line, f"run-{number}", TWO, at(3600)) for number in (3, 4, 5)]
    assert [each and each.turn_at for each in turns] == [at(3600), at(7200), at(7200)]


def test_where_the_service_had_no_room_for_any_nobody_can_tell_when() -> None:
    line = asked(Line(job_seconds=60.0), "run-0", "red", AS_MANY_AS_IT_TAKES).refused("run-0", at(0))
    place = place_of(line, "run-0", AS_MANY_AS_IT_TAKES, at(1))
    assert place is not None
    assert place.turn_at is None


def test_a_job_that_went_ill_does_not_tell_how_long_jobs_take() -> None:
    assert asked(Line(), "run-0", "red").left(["run-0"]).job_seconds is None


def test_a_team_that_sends_one_run_after_the_other_keeps_no_other_waiting() -> None:
    line = asked(asked(Line(), "red-0", "red", Rules(1, 600)), "red-1", "red", Rules(1, 600))
    line = asked(line, "blue-0", "blue", Rules(1, 600))
    line = line.left(["red-0"]).granted("blue-0", Rules(1, 600), at(0))
    assert list(line.slots) == ["blue-0"], "it had no turn yet"
    # Blue's next run comes and looks before the one that waits looks again.
    line = asked(line.left(["blue-0"]), "blue-1", "blue", Rules(1, 600))
    assert list(line.in_order()) == ["red-1", "blue-1"]
    assert list(all_asked(line, Rules(1, 600)).slots) == ["red-1"]


teams = st.sampled_from(["red", "blue", "green", ""])


@given(st.lists(st.tuples(teams, st.integers(0, 9)), max_size=30), st.integers(1, 5))
def test_any_line_comes_back_from_its_text(entries: list[tuple[str, int]], jobs: int) -> None:
    line = Line()
    for number, (team, priority) in enumerate(entries):
        line = asked(line, f"run-{number}", team, Rules(jobs, 60), priority=priority, seconds=number)
    line = line.refused("run-0", at(50)).left(["run-1"], now=at(60))
    assert Line.of_text(line.to_text()) == line


class AnyOrder(RuleBasedStateMachine):
    """Runs that come, look, are refused, end well and are lost, in any order, under clocks that jump."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self.few = Rules(3, 600)
        self.seconds = 0.0
        self.came = 0
        self.passed: Counter[str] = Counter()
        """How often other teams got a slot while this one waited without one, since it last got one."""

    def look(self, run_id: str) -> None:
        before = self.line
        self.line = self.line.granted(run_id, self.few, at(self.seconds))
        assert self.line.granted(run_id, self.few, at(self.seconds)) == self.line, "a second look changes nothing"
        if run_id in self.line.slots and run_id in before.waiting:
            held = Counter(slot.waited.team for slot in before.slots.values())
            got, soon = before.waiting[run_id], before.next_ones(self.few, at(self.seconds))
            held.update(before.waiting[name].team for name in soon if name != run_id)
            for name, each in before.waiting.items():
                if name not in soon:
                    assert held[got.team] <= held[each.team], "a team with fewer slots goes first"
                    if each.team == got.team:
                        assert (-got.priority, got.arrived) <= (-each.priority, each.arrived)
            self.passed.update({each.team for each in before.waiting.values() if held[each.team] == 0} - {got.team})
            self.passed[got.team] = 0

    @rule(team=teams, priority=st.integers(0, 9))
    def come(self, team: str, priority: int) -> None:
        run_id, self.came = f"run-{self.came}", self.came + 1
        self.line = self.line.joined(run_id, team, priority, at(self.seconds))
        assert self.line.joined(run_id, team, priority, at(self.seconds + 9)) == self.line
        self.look(run_id)

    @precondition(lambda self: self.line.waiting)
    @rule(data=st.data())
    def some_look(self, data: st.DataObject) -> None:
        self.look(data.draw(st.sampled_from(sorted(self.line.waiting))))

    @precondition(lambda self: self.line.slots)
    @rule(data=st.data(), well=st.booleans())
    def end(self, data: st.DataObject, well: bool) -> None:
        gone = data.draw(st.sampled_from(sorted(self.line.slots)))
        self.line = self.line.left([gone], now=at(self.seconds) if well else None)
        assert self.line.left([gone]) == self.line

    @precondition(lambda self: self.line.slots)
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        refused = data.draw(st.sampled_from(sorted(self.line.slots)))
        since = self.line.slots[refused].waited
        self.line = self.line.refused(refused, at(self.seconds))
        assert self.line.waiting[refused] == since
        self.passed.clear()

    @precondition(lambda self: self.line.waiting)
    @rule(data=st.data())
    def stop(self, data: st.DataObject) -> None:
        stopped = data.draw(st.sampled_from(sorted(self.line.waiting)))
        team = self.line.waiting[stopped].team
        self.line = self.line.left([stopped])
        if all(each.team != team for each in self.line.waiting.values()):
            del self.passed[team]

    @rule(seconds=st.sampled_from([-3600.0, -5.0, 1.0, 60.0, 3600.0]))
    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds

    @invariant()
    def no_slot_is_doubled_or_lost(self) -> None:
        line = self.line
        assert len(line.slots) <= self.few.jobs_at_once
        assert not line.slots.keys() & line.waiting.keys()
        assert sorted(line.in_order()) == sorted(line.waiting)
        free = line.free(self.few, at(self.seconds))
        assert len(line.next_ones(self.few, at(self.seconds))) == min(free, len(line.waiting)), "no slot lies idle"
        assert Line.of_text(line.to_text()) == line

    @invariant()
    def nobody_is_passed_for_long(self) -> None:
        assert max(self.passed.values(), default=0) <= 3, "a team without a slot is next once each other had its turn"


TestAnyOrder = AnyOrder.TestCase
