"""The numbers of the whole group: by which rule each is made, and why by that rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .inverter import Inverter
from .inverter_state import InverterState
from .reported import ReportedSecondary


class Weighting(StrEnum):
    """What the batteries of a group count by in their common state of charge."""

    CAPACITY = "capacity"
    EQUAL = "equal"


@dataclass(frozen=True, kw_only=True)
class Total:
    """A number of the whole group, and how many of its members it is made of.

    ``value`` is in the unit of the rule that made it; None where it can't be told.
    ``members_through_primary`` are those included that only the primary tells of.
    """

    value: float | None
    members_included: int
    members_expected: int
    members_through_primary: int = 0
    weighting: Weighting | None = None

    @property
    def complete(self) -> bool:
        """Whether every member that counts is in it."""
        return self.members_included >= self.members_expected


@dataclass(frozen=True, kw_only=True)
class Members:
    """What totals are made from after a poll.

    ``leader`` is the serial number of the inverter with the house's meter, ``expected`` how many
    members the group should have, ``on_grid`` None where it is not known or they disagree.
    ``left_behind`` is what inverters have counted that are no longer in the group, by key.
    """

    states: Mapping[str, InverterState]
    units: Mapping[str, Inverter | ReportedSecondary]
    leader: str | None
    expected: int
    on_grid: bool | None
    left_behind: Mapping[str, float] = field(default_factory=dict)

    @property
    def heard(self) -> tuple[InverterState, ...]:
        """The members that answered in this poll."""
        return tuple(state for state in self.states.values() if state.heard)

    @property
    def primary(self) -> InverterState | None:
        """The inverter with the meter, if it answered."""
        state = None if self.leader is None else self.states[self.leader]
        return state if state is not None and state.heard else None


class Rule(StrEnum):
    """How a total comes about."""

    SUM = "sum"
    PRIMARY = "primary"
    DERIVED = "derived"
    MEAN = "mean"


@dataclass(frozen=True, kw_only=True)
class TotalRule:
    """One total: its unit, how it is made from which keys, and why so."""

    unit: str
    rule: Rule
    sources: tuple[str, ...]
    reason: str
    make: Callable[[Members], Total]


type _Part = Callable[[InverterState], float | None]


def _added(keys: Sequence[str]) -> _Part:
    """Return the sum of those readings that an inverter has; None if one is not known."""

    def add(member: InverterState) -> float | None:
        present = [key for key in keys if key in member.readings]
        # An inverter that has none of them adds nothing, but the primary's block lacks much.
        if member.reported and not present:
            return None
        values = [member.readings[key] for key in present]
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    return add


def sum_over_units(members: Members, keys: Sequence[str]) -> Total:
    """Return the sum of ``keys`` over the members that answered."""
    part = _added(keys)
    known = [
        (member, value)
        for member in members.heard
        if (value := part(member)) is not None
    ]
    return Total(
        value=round(sum(value for _, value in known), 2) if known else None,
        members_included=len(known),
        members_expected=members.expected,
        members_through_primary=sum(member.reported for member, _ in known),
    )


def _over_units(*keys: str, unit: str = "W", reason: str) -> TotalRule:
    """Add up what each inverter reads."""
    return TotalRule(
        unit=unit,
        rule=Rule.SUM,
        sources=keys,
        reason=reason,
        make=lambda members: sum_over_units(members, keys),
    )


def _import_power(members: Members) -> Total:
    primary = members.primary
    exported = None if primary is None else primary.readings.get("meter_power")
    return Total(
        value=None if exported is None else -exported,
        members_included=int(exported is not None),
        members_expected=1,
    )


def _counted(key: str, reason: str) -> TotalRule:
    """Add up what each inverter has counted."""
    return TotalRule(
        unit="kWh",
        rule=Rule.SUM,
        sources=(key,),
        reason=reason,
        make=lambda members: _energy(
            key, tuple(members.states), members, members.expected
        ),
    )


def _counted_by_primary(key: str, reason: str) -> TotalRule:
    """Take what the primary has counted."""
    return TotalRule(
        unit="kWh",
        rule=Rule.PRIMARY,
        sources=(key,),
        reason=reason,
        make=lambda members: _energy(
            key, () if members.leader is None else (members.leader,), members, 1
        ),
    )


def _energy(key: str, serials: Sequence[str], members: Members, expected: int) -> Total:
    """Add up counters, with the last value of a member that is not heard.

    Without that the total would fall whenever a member is silent, and every watt-hour it
    ever counted would count again on its return.
    """
    counting = [serial for serial in serials if _counts(members.units[serial], key)]
    counted = [
        value
        for serial in serials
        # What was counted stays, also when the inverter turns out to be one that can't count it.
        if (value := members.units[serial].samples.accumulated(key)) is not None
        or serial in counting
    ]
    known = [value for value in counted if value is not None]
    whole = bool(known) and len(known) == len(counted)
    return Total(
        value=(
            round(sum(known) + members.left_behind.get(key, 0.0), 2) if whole else None
        ),
        members_included=sum(
            serial not in counting
            or members.states[serial].readings.get(key) is not None
            for serial in serials
        ),
        members_expected=expected,
    )


def _counts(unit: Inverter | ReportedSecondary, key: str) -> bool:
    """Whether a unit adds to an energy: an inverter without PV has no PV energy at all."""
    return isinstance(unit, ReportedSecondary) or unit.can_have(key)


def _load_power(members: Members) -> Total:
    ac, grid, backup = (
        TOTALS[key].make(members) for key in ("ac_power", "grid_power", "backup_power")
    )
    if members.on_grid is False:
        return backup
    if not members.on_grid or ac.value is None or grid.value is None:
        return Total(
            value=None, members_included=0, members_expected=ac.members_expected
        )
    return Total(
        # The meter sees what a missing inverter delivers, so the house would seem to draw less.
        value=ac.value + grid.value if ac.complete else None,
        members_included=ac.members_included,
        members_expected=ac.members_expected,
        members_through_primary=ac.members_through_primary,
    )


def _state_of_charge(members: Members) -> Total:
    charges = [
        (member, soc, member.readings.get("battery_capacity") or 0)
        for member in members.heard
        if (soc := member.readings.get("battery_soc")) is not None
    ]
    weighting = (
        Weighting.CAPACITY
        if all(capacity for _, _, capacity in charges)
        else Weighting.EQUAL
    )
    weights = [
        capacity if weighting is Weighting.CAPACITY else 1 for _, _, capacity in charges
    ]
    weighted = sum(
        soc * weight for (_, soc, _), weight in zip(charges, weights, strict=True)
    )
    return Total(
        value=round(weighted / sum(weights), 1) if charges else None,
        members_included=len(charges),
        members_expected=members.expected,
        members_through_primary=sum(member.reported for member, _, _ in charges),
        weighting=weighting if charges else None,
    )


_THROUGH_ITSELF = "Every inverter measures only what passes through itself."
_OWN_COUNTER = "Every inverter counts only what passes through itself."
_ONE_METER = "The house has one meter, and it hangs on the primary."

TOTALS: Mapping[str, TotalRule] = {
    "ac_power": _over_units("ac_power", reason=_THROUGH_ITSELF),
    "l1_power": _over_units("l1_power", reason=_THROUGH_ITSELF),
    "l2_power": _over_units("l2_power", reason=_THROUGH_ITSELF),
    "backup_power": _over_units(
        "backup_l1_power", "backup_l2_power", reason=_THROUGH_ITSELF
    ),
    "backup_l1_power": _over_units("backup_l1_power", reason=_THROUGH_ITSELF),
    "backup_l2_power": _over_units("backup_l2_power", reason=_THROUGH_ITSELF),
    "pv_power": _over_units(
        "pv1_power", "pv2_power", "pv3_power", "pv4_power", reason=_THROUGH_ITSELF
    ),
    "battery_power": _over_units(
        "battery_power", reason="Every battery hangs on one inverter; + is charging."
    ),
    "grid_power": TotalRule(
        unit="W",
        rule=Rule.PRIMARY,
        sources=("meter_power",),
        reason=f"{_ONE_METER} It counts export as +, the total import.",
        make=_import_power,
    ),
    "load_power": TotalRule(
        unit="W",
        rule=Rule.DERIVED,
        sources=("ac_power", "grid_power", "backup_power"),
        reason=(
            "With the grid the house draws what the inverters deliver and what is imported; "
            "off-grid it hangs on the backup outputs."
        ),
        make=_load_power,
    ),
    "battery_soc": TotalRule(
        unit="%",
        rule=Rule.MEAN,
        sources=("battery_soc", "battery_capacity"),
        reason=(
            "A large battery holds more than a small one, so each counts by its capacity; "
            "where one capacity is unknown, all count the same."
        ),
        make=_state_of_charge,
    ),
    "pv_energy_total": _counted("pv_energy_total", _OWN_COUNTER),
    "battery_charged_total": _counted("battery_charged_total", _OWN_COUNTER),
    "battery_discharged_total": _counted("battery_discharged_total", _OWN_COUNTER),
    "backup_energy_total": _counted("backup_energy_total", _OWN_COUNTER),
    "grid_import_total": _counted_by_primary("grid_import_total", _ONE_METER),
    "grid_export_total": _counted_by_primary("grid_export_total", _ONE_METER),
}
"""Every total of a group by its key."""

SUMMED_ENERGIES = frozenset(
    key
    for key, total in TOTALS.items()
    if total.rule is Rule.SUM and total.unit == "kWh"
)
"""Energies that change when an inverter joins or leaves the group."""
