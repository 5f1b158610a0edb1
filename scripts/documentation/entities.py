"""The page about entities: every one that a group can have, by device."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from custom_components.solax_parallel.a1_ess.checks import Check
from custom_components.solax_parallel.a1_ess.faults import (
    DOCUMENTED_FAULTS,
    PARALLEL_FAULTS,
    Family,
)
from homeassistant.const import Platform
from homeassistant.util import slugify
from tests.contract import Entity, entities_of

from .texts import TEXTS, anchor, option

_INTRODUCTION = """\
# Entities

<!-- Written by scripts/docs from tests/contract.py, custom_components/solax_parallel/translations/en.json
and scripts/documentation/entities.py: change those. -->

Every entity that a group can have. Entity ids are those of a group that was never renamed; where there
is more than one group, Home Assistant counts them up.

Each is *unknown* where the inverter does not tell, or what it tells fails its cross-check, and
*unavailable* while the inverter is not heard; only what tells of silence itself stays: *Last seen*,
*Failed polls*, *Presence*, *Failed reads in total* and *Reply time*. A number is unavailable as well once
no sample of it could be believed for more than three polls. The attribute `counted_before` is there only
where a counter [started anew](totals.md#which-readings-are-believed).

![The device page of a parallel group](images/group.png)"""

_PRIMARY, _SECONDARY = "P", "S"


class _Device(NamedTuple):
    """A kind of device: its heading, its identifier in a group of two, and what to say of it."""

    title: str
    identifier: str
    name: str
    about: str


_GROUP = _Device(
    "Parallel group",
    f"{_PRIMARY}_group",
    TEXTS["device"]["group"]["name"],
    "Sums, and what is known of all inverters together. The attributes `members_included`, "
    "`members_expected` and `complete` of a total or a difference say how many inverters are in it, "
    "`members_through_primary` of a total how many of those only the primary tells of.",
)
_DEVICES = (
    _GROUP,
    _Device(
        "Inverter",
        _PRIMARY,
        TEXTS["device"]["primary"]["name"],
        "The same for every inverter; a secondary's ids begin with `secondary_inverter_1` and so on, or with "
        "`secondary_inverter` and the end of its serial number where it does not tell its number. "
        "Only the primary has a meter: on a secondary what a meter measures starts disabled.",
    ),
    _Device(
        "BI or BI PRO",
        f"{_PRIMARY}_bi",
        "BI PRO",
        "With a BI the ids begin with `bi`. Without either there is no such device.",
    ),
    _Device(
        "Smart load",
        f"{_PRIMARY}_smart_load_1",
        # Home Assistant puts the parent's name before that of a child device.
        f"BI PRO {TEXTS['device']['smart_load']['name'].format(number=1)}",
        "One device for each of the six channels of a BI PRO that is not hidden. "
        "State and mode are a switch and a selection where [control](smart-loads.md#control) is allowed "
        "and proven, otherwise to look at; `read_only` then says why.",
    ),
)

_ONLY: Mapping[str, Mapping[str, Any]] = {
    "Not on an A1-AC-G2.": {"pv": False},
    "7.6 kW only.": {"third_string": False},
    "Simulated group only.": {"simulated": False},
    "With BI or BI PRO only.": {"backup_interface": "none"},
    "BI PRO only.": {"backup_interface": "bi"},
    "Not through a [module](module.md).": {"through_modules": True},
}
"""What to say of an entity that is missing in a kind of group which has its device."""

_THROUGH_MODULES_ONLY = "Through a [module](module.md) only."

_MANY = 14
"""More states than this are not listed."""

_SAID_ELSEWHERE = frozenset(
    {
        "event_type",
        "source",
        "weighting",
        "members_included",
        "members_expected",
        "members_through_primary",
        "complete",
    }
)
"""Attributes that need not be named with every entity."""

_THROUGH_PRIMARY = "; one that [only the primary tells of](setup.md#primary-only) counts as heard while it does"

MEANINGS: Mapping[str, str] = {
    "status": (
        "how the group is: in a *degraded* one an inverter is missing, warns, reports what nobody has a name "
        "for, is not heard by the primary, or is in a run mode in which it does not work; in a *split* "
        "inverters disagree about the grid"
    ),
    "operation_led": (
        "the LED on the housing; `source` is `register` where the inverter tells it, `derived` where it "
        "follows from run mode and faults"
    ),
    "group_operation_led": "flashes red if any inverter's does; green only if every one is heard and green",
    "units_online": f"how many inverters were heard in the latest poll{_THROUGH_PRIMARY}",
    "unit_quantity": "the number of units that is set on the primary",
    "readiness": "what the pre-operation checks come to",
    "root_cause": "why the group is in trouble, in one word; `explanation` is the sentence",
    "transfer_test": "how far the running [transfer test](automations.md#actions) is, or what came of the latest",
    "ac_power": "what flows through the AC ports; off-grid they are dead",
    "battery_power": "+ is charging",
    "grid_power": "from the primary's meter, + is import",
    "load_power": "what is drawn at this inverter's meter",
    "group_load_power": (
        "what the house draws: with the grid AC power plus grid power, unknown while an inverter is missing; "
        "off-grid the backup output"
    ),
    "meter_power": "of this inverter's own meter, + is export",
    "group_battery_soc": (
        "the mean; `weighting` is `capacity` where every battery counts by its capacity, `equal` where one "
        "capacity is unknown"
    ),
    "complete": f"every inverter that belongs to the group was heard in the latest poll{_THROUGH_PRIMARY}",
    "on_grid": "the group runs with the grid; unknown where inverters disagree",
    "unbalanced": (
        "the states of charge have been more than 15 points apart for an hour; otherwise unknown while an "
        "inverter is missing"
    ),
    "totals_disagree": (
        "the primary's own totals have differed from the sums over the inverters in ten comparisons in "
        "a row; see [totals](totals.md#held-against-the-primary)"
    ),
    "polling": "off sends nothing more to the inverters and closes the links, over restarts too",
    "check_now": "asks every inverter anew for everything, also what is read only once",
    "start_transfer_test": "begins the [transfer test](automations.md#actions)",
    "simulated_grid": "the main breaker: on is closed",
    "event": "fires once for each; the group's [triggers](automations.md) listen to it",
    "fault": "fires once when a fault is raised, with its key, and once when it is cleared, with `_cleared` behind it",
    "parallel_fault": "something is wrong with the parallel operation, and the inverter does not say what",
    "role": "as set in the SolaX app; *secondary* where its number is not known",
    "run_mode": "what the inverter is doing",
    "grid_status": "whether this inverter runs with the grid",
    "bms_connected": "the battery's own computer answers the inverter",
    "presence": "whether it answers when it is asked; one that stays silent is *resting* and asked once a minute",
    "failed_reads": "how many reads have failed since Home Assistant started",
    "last_seen": "when the inverter answered last",
    "failed_polls": "polls in a row without an answer",
    "injected_fault": "what ails the simulated inverter: a fault, or silence",
    "output_energy_total": "out of the AC port",
    "output_energy_today": "out of the AC port, since the inverter's midnight",
    "grid_relay": "on is closed: the house is joined to the grid",
    "generator": "the generator port is on",
    "microgrid": "the micro-grid port is on",
    "third_party_power": "of the other inverter behind the BI PRO",
    "non_backup_power": "of the loads that are not backed up",
    "state": "the channel is on",
    "mode": "who switches the channel",
}
"""What the name alone does not say, by key. What has a unit may do without.

A key of the group that means another thing than the same of an inverter begins with ``group_``.
"""


def meaning_of(key: str, *, of_group: bool) -> str:
    """Return what an entity tells beyond its name; an empty text where that is all."""
    if of_group and f"group_{key}" in MEANINGS:
        return MEANINGS[f"group_{key}"]
    if key in MEANINGS:
        return MEANINGS[key]
    for fault in PARALLEL_FAULTS:
        if fault.key == key:
            return f"[{fault.vendor_code}](faults.md#{anchor(option('fault', key))})"
    if key in set(Family):
        names = ", ".join(
            option("fault", fault.key)
            for fault in DOCUMENTED_FAULTS
            if fault.family == key
        )
        return f"any of: {names}"
    if key in set(Check):
        return option("check", key)
    return ""


def entity_page() -> str:
    """Return the page in Markdown."""
    return "\n\n".join([_INTRODUCTION, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    whole, controlled = _group(), _group(controlled=True)
    through_modules = _group(through_modules=True)
    lesser = {remark: _group(**kind) for remark, kind in _ONLY.items()}
    for device in _DEVICES:
        yield f"## {device.title}"
        yield device.about
        rows = [
            "| Name | Entity id | Unit or states | What it tells |",
            "| --- | --- | --- | --- |",
        ]
        known = whole[device.identifier]
        for unique_id, entity in known.items():
            key = unique_id.removeprefix(f"{device.identifier}_")
            remarks = [
                remark
                for remark, group in lesser.items()
                if unique_id not in group.get(device.identifier, [unique_id])
            ]
            # One that can be controlled may be on another platform then.
            kinds = {
                each.platform: each
                for each in (entity, controlled[device.identifier][unique_id])
            }
            rows.extend(_row(device, key, kind, remarks) for kind in kinds.values())
        rows.extend(
            _row(
                device,
                unique_id.removeprefix(f"{device.identifier}_"),
                entity,
                [_THROUGH_MODULES_ONLY],
            )
            for unique_id, entity in through_modules[device.identifier].items()
            if unique_id not in known
        )
        yield "\n".join(rows)
        if device.identifier == _PRIMARY:
            yield _reported()


def _group(**kind: Any) -> Mapping[str, Mapping[str, Entity]]:
    """Return every entity by device of a group of two: of the largest kind, or as asked for."""
    return entities_of((_PRIMARY, _SECONDARY), **{"simulated": True, **kind})


def _row(device: _Device, key: str, entity: Entity, remarks: list[str]) -> str:
    texts = TEXTS["entity"][entity.platform][key]
    entity_id = f"{entity.platform}.{slugify(f'{device.name} {texts["name"]}')}"
    meaning = meaning_of(key, of_group=device is _GROUP)
    told = [
        f"{meaning[0].upper()}{meaning[1:]}." if meaning else "",
        *_attributes(texts, of_group=device is _GROUP),
        *remarks,
        "" if entity.enabled else "Starts disabled.",
    ]
    cells = (
        texts["name"],
        f"`{entity_id}`",
        _range(entity, texts),
        " ".join(filter(None, told)),
    )
    return f"| {' | '.join(cells)} |"


def _range(entity: Entity, texts: Mapping[str, Any]) -> str:
    """Return in what an entity's state is told: its unit, or the words."""
    if entity.unit is not None:
        return entity.unit
    event_types = texts.get("state_attributes", {}).get("event_type", {}).get("state")
    states = entity.options or event_types or ()
    if len(states) > _MANY:
        return "the key of a [fault](faults.md)"
    if states:
        return ", ".join(f"`{state}`" for state in states)
    if entity.platform in (Platform.BINARY_SENSOR, Platform.SWITCH):
        return "`on`, `off`"
    if entity.platform is Platform.BUTTON:
        return ""
    return "a time" if entity.device_class == "timestamp" else "a count"


def _attributes(texts: Mapping[str, Any], *, of_group: bool) -> Iterator[str]:
    # A total goes on where the counter of an inverter starts anew.
    elsewhere = _SAID_ELSEWHERE | ({"counted_before"} if of_group else set())
    names = [key for key in texts.get("state_attributes", {}) if key not in elsewhere]
    if names:
        yield f"Attributes: {', '.join(f'`{name}`' for name in names)}."


def _reported() -> str:
    group = entities_of((_PRIMARY,), reported=(_SECONDARY,))
    names = ", ".join(
        f"`{unique_id.removeprefix(f'{_SECONDARY}_')}`"
        for unique_id, entity in group[_SECONDARY].items()
        if entity.unit is not None
    )
    return (
        "Of a secondary that [only the primary can tell of](setup.md#primary-only) there are these "
        f"measurements and no others: {names}. Its role, LED, run mode, grid status and faults are "
        "unknown."
    )
