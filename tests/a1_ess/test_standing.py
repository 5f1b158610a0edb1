"""When a fault calls for a person, and at which inverter."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from custom_components.solax_parallel.a1_ess.codes import Role, RunMode
from custom_components.solax_parallel.a1_ess.faults import (
    FAULTS,
    PARALLEL_FAULTS,
    PRIMARY_SILENT,
    Fault,
)
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.standing import (
    Members,
    Place,
    count,
    still_stands,
    verdicts,
)

SYSTEM = "parallel_system_fault"
SILENT = PRIMARY_SILENT.key
ROLES = {"P": Role.PRIMARY, "S1": Role.SECONDARY_1, "S2": Role.SECONDARY_2}
_NAMED = {fault.key for fault in PARALLEL_FAULTS}


def heard(name: str, *faults: str, told: bool = True) -> InverterState:
    """Return an inverter that reports ``faults``, or that answers without a word of them."""
    return InverterState(
        serial_number=name,
        presence=Presence.HEARD,
        role=ROLES[name],
        faults=frozenset(faults) - _NAMED if told else None,
        parallel_faults=frozenset(faults) & _NAMED if told else None,
    )


def silent(
    name: str, polls: int, presence: Presence = Presence.SILENT
) -> InverterState:
    """Return an inverter that has not answered for some polls."""
    return InverterState(
        serial_number=name, presence=presence, role=ROLES[name], failed_polls=polls
    )


class Told:
    """What an owner sees: it is raised, dropped or left as it is after each poll."""

    def __init__(self) -> None:
        self.polls: dict[Place, int] = {}
        self.raised: set[Place] = set()

    def poll(self, *members: InverterState) -> set[Place]:
        known: Members = {member.serial_number: member for member in members}
        self.polls = count(self.polls, known)
        for place, calls in verdicts(self.polls, known):
            if calls:
                self.raised.add(place)
            elif calls is False:
                self.raised.discard(place)
        return self.raised


def after(*polls: Iterable[InverterState]) -> set[Place]:
    """Return what is raised after some polls."""
    told = Told()
    for members in polls:
        told.poll(*members)
    return told.raised


@pytest.mark.parametrize("key", FAULTS)
def test_a_fault_calls_after_two_polls_until_it_is_gone(key: str) -> None:
    told = Told()
    assert told.poll(heard("P", key)) == set()
    assert told.poll(heard("P", key)) == {("P", key)}
    assert told.poll(heard("P", key)) == {("P", key)}
    assert told.poll(heard("P")) == set()
    assert told.poll(heard("P", key)) == set()


def test_two_polls_with_one_between_are_not_in_a_row() -> None:
    assert after([heard("P", "fan")], [heard("P")], [heard("P", "fan")]) == set()


@pytest.mark.parametrize(
    "mute",
    [
        silent("S1", 1),
        silent("S1", 3, Presence.RESTING),
        silent("S1", 1, Presence.OTHER_SERIAL),
        heard("S1", told=False),
    ],
    ids=["silent", "resting", "other", "untold"],
)
def test_an_inverter_that_does_not_tell_changes_nothing(mute: InverterState) -> None:
    told = Told()
    told.poll(heard("S1", "fan", "eps_sync_lost"))
    assert told.poll(mute) == set()
    raised = {("S1", "fan"), ("S1", "eps_sync_lost")}
    assert told.poll(heard("S1", "fan", "eps_sync_lost")) == raised
    assert told.poll(mute) == raised
    assert told.poll(mute) == raised
    assert told.poll(heard("S1", "fan")) == {("S1", "fan")}


def test_the_expected_consequence_of_being_off_grid_calls_for_nobody() -> None:
    off_grid = InverterState(
        serial_number="P",
        presence=Presence.HEARD,
        run_mode=RunMode.OFF_GRID,
        faults=frozenset({"grid_lost", "fan"}),
    )
    assert after([off_grid], [off_grid]) == {("P", "fan")}


def test_inverters_are_counted_each_for_itself() -> None:
    assert after(
        [heard("P", "fan"), heard("S1")],
        [heard("P", "fan"), heard("S1", "fan")],
    ) == {("P", "fan")}


@pytest.mark.parametrize("fault", PARALLEL_FAULTS, ids=lambda fault: fault.key)
def test_the_generic_bit_says_nothing_beside_a_named_fault(fault: Fault) -> None:
    key = fault.key
    told = Told()
    told.poll(heard("P", "parallel_fault"), heard("S1", "parallel_fault"))
    told.poll(heard("P", "parallel_fault"), heard("S1", "parallel_fault"))
    assert told.raised == {("P", "parallel_fault"), ("S1", "parallel_fault")}
    for _ in range(2):
        told.poll(heard("P"), heard("S1", "parallel_fault", key))
    assert told.raised == {("S1", key)}
    told.poll(heard("P"), heard("S1", "parallel_fault"))
    assert told.raised == {("S1", "parallel_fault")}


def test_a_failed_primary_that_is_well_otherwise_is_told_at_the_secondary() -> None:
    poll = [heard("P"), heard("S1", SYSTEM), heard("S2", SYSTEM)]
    assert after(poll, poll) == {("S1", SYSTEM), ("S2", SYSTEM)}


def test_a_primary_may_report_it_itself() -> None:
    poll = [heard("P", SYSTEM), heard("S1")]
    assert after(poll, poll) == {("P", SYSTEM)}


@pytest.mark.parametrize("key", ["over_temperature", "eps_sync_lost", "parallel_fault"])
def test_a_primarys_own_fault_is_where_the_owner_is_led(key: str) -> None:
    told = Told()
    told.poll(heard("P"), heard("S1", SYSTEM))
    told.poll(heard("P"), heard("S1", SYSTEM))
    assert told.raised == {("S1", SYSTEM)}
    told.poll(heard("P", key), heard("S1", SYSTEM))
    assert told.raised == set()
    told.poll(heard("P", key), heard("S1", SYSTEM))
    assert told.raised == {("P", key)}
    told.poll(heard("P", told=False), heard("S1", SYSTEM))
    assert told.raised == {("P", key)}
    told.poll(heard("P"), heard("S1", SYSTEM))
    assert told.raised == {("S1", SYSTEM)}


@pytest.mark.parametrize("key", ["port_overcurrent", "parallel_can_warning"])
def test_a_warning_does_not_explain_a_failure(key: str) -> None:
    poll = [heard("P", key), heard("S1", SYSTEM)]
    assert after(poll, poll) == {("P", key), ("S1", SYSTEM)}


def test_a_silent_primary_is_one_matter_of_the_group() -> None:
    told = Told()
    for polls in (1, 2):
        told.poll(silent("P", polls), heard("S1", SYSTEM), heard("S2", SYSTEM))
        assert told.raised == set()
    told.poll(silent("P", 3), heard("S1", SYSTEM), heard("S2", SYSTEM))
    assert told.raised == {("P", SILENT)}
    told.poll(silent("P", 4, Presence.RESTING), silent("S1", 1), heard("S2", SYSTEM))
    assert told.raised == {("P", SILENT)}
    told.poll(heard("P"), heard("S1", SYSTEM), heard("S2", SYSTEM))
    assert told.raised == {("S1", SYSTEM), ("S2", SYSTEM)}


def test_it_ends_too_when_no_secondary_reports_it_any_more() -> None:
    told = Told()
    for polls in (1, 2, 3):
        told.poll(silent("P", polls), heard("S1", SYSTEM))
    assert told.raised == {("P", SILENT)}
    assert told.poll(silent("P", 3), silent("S1", 1)) == {("P", SILENT)}
    assert told.poll(silent("P", 3), heard("S1")) == set()


def test_a_primary_that_misses_a_poll_or_two_changes_nothing() -> None:
    told = Told()
    told.poll(heard("P"), heard("S1", SYSTEM), heard("S2"))
    told.poll(heard("P"), heard("S1", SYSTEM), heard("S2", SYSTEM))
    assert told.raised == {("S1", SYSTEM)}
    for polls in (1, 2):
        told.poll(silent("P", polls), heard("S1", SYSTEM), heard("S2", SYSTEM))
        assert told.raised == {("S1", SYSTEM)}
    told.poll(heard("P"), heard("S1", SYSTEM), heard("S2", SYSTEM))
    assert told.raised == {("S1", SYSTEM), ("S2", SYSTEM)}


def test_silence_alone_is_no_fault() -> None:
    assert after(*[[silent("P", polls), heard("S1")] for polls in range(1, 5)]) == set()


def test_a_fault_outlasts_the_primarys_silence() -> None:
    told = Told()
    for _ in range(2):
        told.poll(heard("P", "fan"), heard("S1"))
    for polls in (1, 2, 3):
        told.poll(silent("P", polls), heard("S1", SYSTEM))
    assert told.raised == {("P", "fan"), ("P", SILENT)}


def test_another_inverter_in_the_primarys_place_is_told_elsewhere() -> None:
    poll = [silent("P", 4, Presence.OTHER_SERIAL), heard("S1", SYSTEM)]
    assert after(poll, poll, poll) == set()


def test_secondaries_of_an_unknown_primary_speak_for_themselves() -> None:
    assert after([heard("S1", SYSTEM)], [heard("S1", SYSTEM)]) == {("S1", SYSTEM)}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"P": heard("P"), "S1": heard("S1", "fan")}, True),
        ({"P": heard("P", "fan"), "S1": heard("S1")}, False),
        ({"P": heard("P"), "S1": heard("S1", told=False)}, None),
        ({"P": heard("P"), "S1": silent("S1", 1)}, None),
    ],
)
def test_whether_a_fault_still_stands(members: Members, expected: bool | None) -> None:
    assert still_stands(("S1", "fan"), members) is expected


@pytest.mark.parametrize(
    ("primary", "secondaries", "expected"),
    [
        (heard("P"), {"S1": heard("S1", SYSTEM)}, False),
        (silent("P", 4), {"S1": heard("S1", SYSTEM), "S2": heard("S2")}, True),
        (silent("P", 4), {"S1": heard("S1", SYSTEM), "S2": silent("S2", 1)}, True),
        (silent("P", 4), {"S1": heard("S1"), "S2": heard("S2")}, False),
        (silent("P", 4), {"S1": heard("S1"), "S2": silent("S2", 1)}, None),
        (silent("P", 4), {"S1": silent("S1", 1), "S2": silent("S2", 1)}, None),
    ],
)
def test_whether_a_primary_is_still_silent_and_blamed(
    primary: InverterState,
    secondaries: Mapping[str, InverterState],
    expected: bool | None,
) -> None:
    members = {"P": primary, **secondaries}
    assert still_stands(("P", SILENT), members) is expected


@pytest.mark.parametrize("successor", [Role.PRIMARY, Role.SECONDARY_1])
def test_a_silent_primary_that_comes_back_as_a_secondary(successor: Role) -> None:
    told = Told()
    for polls in range(1, 4):
        told.poll(silent("P", polls), heard("S1", SYSTEM), heard("S2"))
    assert told.raised == {("P", SILENT)}
    former = replace(heard("P"), role=Role.SECONDARY_1)
    told.poll(former, replace(heard("S1"), role=successor), heard("S2"))
    assert told.raised == set()
