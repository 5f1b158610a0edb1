"""The commissioning report: what an installer hands over, as far as it is known."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.components.recorder import get_instance, history
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .a1_ess.faults import FAULTS
from .a1_ess.inverter import InverterState
from .const import CLEARED, DOMAIN, FAULT_EVENT
from .coordinator import SolaxCoordinator
from .tables import UNKNOWN, Words, check_table, table, transfer_table

FAULT_HISTORY = timedelta(days=30)
"""How far back a report looks for faults."""

_SHOWN_DIGITS = 4


async def async_write_report(
    coordinator: SolaxCoordinator, *, full_serial_numbers: bool
) -> str:
    """Return the report as Markdown, in the language of the house.

    Serial numbers are cut to their last digits unless ``full_serial_numbers``.
    """
    words = coordinator.words
    state = coordinator.data
    test = coordinator.acceptance.test

    def shown(serial_number: str) -> str:
        if full_serial_numbers:
            return serial_number
        return f"…{serial_number[-_SHOWN_DIGITS:]}"

    sections = {
        "units": table(
            [
                words("unit_column", column)
                for column in (
                    "role",
                    "serial_number",
                    "model",
                    "firmware",
                    "rated_power",
                    "battery_count",
                    "heard",
                )
            ],
            [
                _unit_row(member, shown(serial), words)
                for serial, member in state.members.items()
            ],
        ),
        "group": table(
            [words("report", "fact"), words("report", "value")],
            [
                (words("report", "expected"), str(state.units_expected)),
                (words("report", "heard"), str(len(state.heard))),
                (
                    words("report", "backup_interface"),
                    UNKNOWN
                    if state.backup_interface_type is None
                    else words("backup_interface", state.backup_interface_type),
                ),
            ],
        ),
        "checks": check_table(state.checks, words, shown),
        "transfer_test": (
            words("report", "never_tested")
            if test is None
            else f"{dt_util.as_local(test.started):%Y-%m-%d %H:%M}: "
            f"{words('transfer_test', test.phase)}\n\n{transfer_table(test, words)}"
        ),
        "faults": await _async_faults(coordinator),
    }
    body = "\n\n".join(
        f"## {words('report', section)}\n\n{text}" for section, text in sections.items()
    )
    return f"# {words('report', 'title')}\n\n{dt_util.now():%Y-%m-%d %H:%M}\n\n{body}\n"


async def async_store_report(hass: HomeAssistant, report: str) -> str:
    """Write a report to a file of its own and return where it is."""
    path = Path(
        hass.config.path(DOMAIN, f"report_{dt_util.now():%Y-%m-%d_%H-%M-%S}.md")
    )

    def write() -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(report, encoding="utf-8")

    await hass.async_add_executor_job(write)
    return str(path)


def _unit_row(
    member: InverterState, serial_number: str, words: Words
) -> tuple[str, ...]:
    identity = member.identity
    return (
        UNKNOWN if member.role is None else words("role", member.role),
        UNKNOWN if member.reported else serial_number,
        UNKNOWN if member.model_type is None else member.model_type.label,
        UNKNOWN if identity is None else identity.firmware or UNKNOWN,
        UNKNOWN
        if identity is None or identity.rated_power is None
        else f"{identity.rated_power} W",
        UNKNOWN
        if identity is None or identity.battery_count is None
        else str(identity.battery_count),
        words("heard", "yes" if member.heard else "no"),
    )


async def _async_faults(coordinator: SolaxCoordinator) -> str:
    """Return the faults of the last time, as far as Home Assistant's recorder knows them."""
    words = coordinator.words
    if "recorder" not in coordinator.hass.config.components:
        return words("report", "no_recorder")
    rows = sorted(
        [
            row
            for serial_number, member in coordinator.data.members.items()
            for row in await _async_faults_of(coordinator, serial_number, member)
        ]
    )
    known = words("report", "faults_known").format(
        days=min(FAULT_HISTORY.days, get_instance(coordinator.hass).keep_days)
    )
    if untold := coordinator.data.root_cause.untold:
        units = ", ".join(words("role", role) for role in untold)
        known = f"{known} {words('report', 'faults_untold').format(units=units)}"
    if not rows:
        return f"{known}\n\n{words('report', 'no_faults')}"
    columns = [
        words("report", column) for column in ("time", "unit", "fault", "what_happened")
    ]
    return f"{known}\n\n{table(columns, rows)}"


async def _async_faults_of(
    coordinator: SolaxCoordinator, serial_number: str, member: InverterState
) -> list[tuple[str, ...]]:
    entity_id = er.async_get(coordinator.hass).async_get_entity_id(
        EVENT_DOMAIN, DOMAIN, f"{serial_number}_{FAULT_EVENT}"
    )
    if entity_id is None:
        return []
    words = coordinator.words
    states = await get_instance(coordinator.hass).async_add_executor_job(
        partial(
            history.state_changes_during_period,
            coordinator.hass,
            dt_util.utcnow() - FAULT_HISTORY,
            entity_id=entity_id,
            include_start_time_state=False,
        )
    )
    return [
        (
            f"{dt_util.as_local(when):%Y-%m-%d %H:%M:%S}",
            UNKNOWN if member.role is None else words("role", member.role),
            _fault(kind.removesuffix(CLEARED), words),
            words("report", "cleared" if kind.endswith(CLEARED) else "raised"),
        )
        for when, kind in _events(states.get(entity_id, []))
    ]


def _events(states: list[State]) -> Iterator[tuple[datetime, str]]:
    """Yield each event once: a state is written again after a restart and a silence."""
    seen: set[str] = set()
    for state in states:
        if state.state in seen or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            continue
        seen.add(state.state)
        if (when := dt_util.parse_datetime(state.state)) is not None:
            yield when, state.attributes["event_type"]


def _fault(key: str, words: Words) -> str:
    code = FAULTS[key].vendor_code if key in FAULTS else None
    name = words("fault", key)
    return name if code is None else f"{name} ({code})"
