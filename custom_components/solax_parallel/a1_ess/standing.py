"""Which faults have stood long enough to call for a person, and at which inverter to look.

A fault is counted by polls in which its inverter was heard: an inverter that is silent, or that
leaves out what it reports, makes no fault come or go.
"""

from collections.abc import Iterator, Mapping

from .faults import (
    FAULTS,
    GENERIC_FAULT,
    PARALLEL_FAULTS,
    PRIMARY_SILENT,
    SYSTEM_FAULT,
    Severity,
)
from .inverter_state import InverterState, Presence

POLLS = 2
"""For how many polls in a row a fault has to stand."""

_STOPS_THE_PRIMARY = [
    key
    for key, fault in FAULTS.items()
    if fault.severity is Severity.FAULT and fault is not SYSTEM_FAULT
]

type Place = tuple[str, str]
"""An inverter and a fault: serial number and key."""

type Members = Mapping[str, InverterState]
"""The inverters of a group by serial number, as they were in one poll."""


def count(before: Mapping[Place, int], members: Members) -> dict[Place, int]:
    """Return for how many polls in a row each fault has stood, the latest included."""
    polls: dict[Place, int] = {}
    for serial_number, member in members.items():
        for key, reports in member.stands.items():
            place = serial_number, key
            if reports:
                polls[place] = before.get(place, 0) + 1
            elif reports is None and place in before:
                polls[place] = before[place]
    return polls


def verdicts(
    polls: Mapping[Place, int], members: Members
) -> Iterator[tuple[Place, bool | None]]:
    """Yield for each fault of each inverter whether it calls for a person.

    ``polls`` is what ``count`` returned for this poll. None means: not known yet, or not any
    more, so what was said of it before stays as it is.
    """
    primary = _primary(members)
    for serial_number, member in members.items():
        for key, reports in member.stands.items():
            place = serial_number, key
            explained = _is_explained(place, polls, members, primary)
            # What it told while it was read in another way says nothing of now.
            if explained or not member.tells_faults:
                yield place, False
            elif reports and (explained is None or polls[place] < POLLS):
                yield place, None
            else:
                yield place, reports
        # Another one may have been the primary before.
        yield (
            (serial_number, PRIMARY_SILENT.key),
            serial_number == primary
            and _is_silent_and_blamed(serial_number, polls, members),
        )


def still_stands(place: Place, members: Members) -> bool | None:
    """Return whether the latest poll shows a fault or ``PRIMARY_SILENT``; None if it can't tell."""
    serial_number, key = place
    if key in FAULTS:
        return members[serial_number].reports(key)
    if members[serial_number].heard:
        return False
    told = {
        member.reports(SYSTEM_FAULT.key)
        for other, member in members.items()
        if other != serial_number
    }
    if True in told:
        return True
    return None if None in told else False


def _primary(members: Members) -> str | None:
    return next(
        (
            serial_number
            for serial_number, member in members.items()
            if member.role is not None and member.role.leads
        ),
        None,
    )


def _is_explained(
    place: Place, polls: Mapping[Place, int], members: Members, primary: str | None
) -> bool | None:
    """Return whether something else that is told says more; None while it is open."""
    serial_number, key = place
    if key == GENERIC_FAULT.key:
        return any((serial_number, fault.key) in polls for fault in PARALLEL_FAULTS)
    if key != SYSTEM_FAULT.key or primary in (None, serial_number):
        return False
    leader = members[primary]
    if leader.heard:
        return any((primary, fault) in polls for fault in _STOPS_THE_PRIMARY)
    return leader.lost


def _is_silent_and_blamed(
    primary: str, polls: Mapping[Place, int], members: Members
) -> bool | None:
    leader = members[primary]
    blaming = {
        serial_number: polls[serial_number, SYSTEM_FAULT.key]
        for serial_number in members
        if serial_number != primary and (serial_number, SYSTEM_FAULT.key) in polls
    }
    if leader.heard or leader.presence is Presence.OTHER_SERIAL or not blaming:
        return False
    if leader.lost and any(
        stood >= POLLS and members[serial_number].heard
        for serial_number, stood in blaming.items()
    ):
        return True
    return None
