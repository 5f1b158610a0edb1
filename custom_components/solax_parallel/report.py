"""The commissioning report: what an installer hands over, as far as it is known."""

from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.components.recorder import get_instance, history, is_entity_recorded
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .a1_ess.faults import FAULTS
from .a1_ess.inverter_state import InverterState, Presence
from .a1_ess.transfer_test import TransferTest
from .const import CLEARED, DOMAIN, FAULT_EVENT, FAULT_WORD
from .coordinator import SolaxCoordinator
from .explanation import explain
from .tables import check_table, table, transfer_table
from .words import UNKNOWN, Words

FAULT_HISTORY = timedelta(days=30)
"""How far back a report looks for faults."""

_SHOWN_DIGITS = 4

type _Happened = tuple[datetime, str, str]
"""When something happened, on which inverter, and its event type."""


async def async_write_report(
    coordinator: SolaxCoordinator, *, full_serial_numbers: bool
) -> str:
    """Return the report as Markdown, in the language of the house.

    Serial numbers are cut to their last digits unless ``full_serial_numbers``.
    """
    words = coordinator.words
    state = coordinator.data

    def shown(serial_number: str) -> str:
        return serial_number if full_serial_numbers else shortened(serial_number)

    sections = {
        "now": _now(coordinator),
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
                (
                    words("report", "heard"),
                    str(len(state.heard)) if state.asked else UNKNOWN,
                ),
                (
                    words("report", "backup_interface"),
                    UNKNOWN
                    if state.backup_interface_type is None
                    else words("backup_interface", state.backup_interface_type),
                ),
            ],
        ),
        "checks": check_table(state.checks, words, shown),
        "transfer_test": _transfer_test(coordinator.acceptance.test, words),
        "faults": await _async_faults(coordinator),
    }
    body = "\n\n".join(
        f"## {words('report', section)}\n\n{text}" for section, text in sections.items()
    )
    return f"# {words('report', 'title')}\n\n{dt_util.now():%Y-%m-%d %H:%M}\n\n{body}\n"


async def async_store_report(hass: HomeAssistant, report: str) -> str:
    """Write a report to a file of its own and return where it is.

    Raises ``HomeAssistantError`` where there is no room or no permission for it.
    """
    folder = Path(hass.config.path(DOMAIN))
    name = f"report_{dt_util.now():%Y-%m-%d_%H-%M-%S}"

    def write() -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.md"
        number = 1
        # Another report may be of the same second.
        while True:
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(report)
            except FileExistsError:
                number += 1
                path = folder / f"{name}_{number}.md"
            else:
                return path

    try:
        return str(await hass.async_add_executor_job(write))
    except OSError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="report_not_stored",
            translation_placeholders={
                "folder": str(folder),
                "error": err.strerror or str(err),
            },
        ) from err


def shortened(serial_number: str) -> str:
    """Return as much of a serial number as tells inverters of one group apart."""
    return f"…{serial_number[-_SHOWN_DIGITS:]}"


def _unit_row(
    member: InverterState, serial_number: str, words: Words
) -> tuple[str, ...]:
    identity = member.identity
    return (
        _role(member, words),
        UNKNOWN if member.reported else serial_number,
        UNKNOWN if member.model_type is None else member.model_type.label,
        UNKNOWN if identity is None else identity.firmware or UNKNOWN,
        UNKNOWN
        if identity is None or identity.rated_power is None
        else f"{identity.rated_power} W",
        UNKNOWN
        if identity is None or identity.battery_count is None
        else str(identity.battery_count),
        UNKNOWN
        if member.presence is Presence.UNASKED
        else words("heard", "yes" if member.heard else "no"),
    )


def _role(member: InverterState, words: Words) -> str:
    return UNKNOWN if member.role is None else words("role", member.role)


def _now(coordinator: SolaxCoordinator) -> str:
    """Return how the group is now: in one word, in one sentence, and by its inverters."""
    words, state = coordinator.words, coordinator.data
    facts = table(
        [words("report", "fact"), words("report", "value")],
        [
            (
                words("report", "status"),
                UNKNOWN
                if state.status is None
                else words("group_status", state.status),
            ),
            (
                words("report", "root_cause"),
                explain(state.root_cause, state.members.values(), words),
            ),
        ],
    )
    faults = table(
        [words("report", "unit"), words("report", "standing")],
        [
            (_role(member, words), _standing(member, words))
            for member in state.members.values()
        ],
    )
    return f"{facts}\n\n{faults}"


def _tells_faults(member: InverterState) -> bool:
    return member.faults is not None and member.parallel_faults is not None


def _standing(member: InverterState, words: Words) -> str:
    """Return the faults that stand, with a question mark where there may be others."""
    told = (member.problems or frozenset()) | (member.parallel_faults or frozenset())
    faults = [_fault(key, words) for key in sorted(told)]
    if not _tells_faults(member) or member.unnamed_bits:
        faults.append(UNKNOWN)
    return ", ".join(faults) or words("report", "none_standing")


def _transfer_test(test: TransferTest | None, words: Words) -> str:
    """Return what came of a test; whoever reads it later must not act on a running one."""
    if test is None:
        return words("report", "never_tested")
    phase = (
        words("report", "test_running")
        if test.phase.running
        else words("transfer_test", test.phase)
    )
    started = dt_util.as_local(test.started)
    return f"{started:%Y-%m-%d %H:%M}: {phase}\n\n{transfer_table(test, words)}"


async def _async_faults(coordinator: SolaxCoordinator) -> str:
    """Return the faults of the last time, as far as Home Assistant's recorder knows them."""
    words = coordinator.words
    if "recorder" not in coordinator.hass.config.components:
        return words("report", "no_recorder")
    recorder = get_instance(coordinator.hass)
    happened: list[_Happened] = []
    untold: dict[str, list[str]] = {"not_told": [], "not_recorded": []}
    for serial_number, member in coordinator.data.members.items():
        role = _role(member, words)
        if not _tells_faults(member):
            untold["not_told"].append(role)
        if not coordinator.wiring.group.units[serial_number].can_tell(FAULT_WORD):
            continue
        if (entity_id := _recorded_event(coordinator.hass, serial_number)) is None:
            untold["not_recorded"].append(role)
            continue
        happened += await recorder.async_add_executor_job(
            _read_faults, coordinator.hass, entity_id, role
        )
    paragraphs = [
        words("report", "faults_known").format(
            days=min(FAULT_HISTORY.days, recorder.keep_days)
        ),
        *(
            words("report", reason).format(units=", ".join(roles))
            for reason, roles in untold.items()
            if roles
        ),
    ]
    if happened:
        columns = ("time", "unit", "fault", "what_happened")
        rows = [
            (
                f"{dt_util.as_local(when):%Y-%m-%d %H:%M:%S}",
                role,
                _fault(kind.removesuffix(CLEARED), words),
                words("report", "cleared" if kind.endswith(CLEARED) else "raised"),
            )
            for when, role, kind in sorted(happened, key=itemgetter(0))
        ]
        paragraphs.append(table([words("report", column) for column in columns], rows))
    elif not any(untold.values()):
        paragraphs.append(words("report", "no_faults"))
    else:
        paragraphs.append(words("report", "no_faults_known"))
    return "\n\n".join(paragraphs)


def _recorded_event(hass: HomeAssistant, serial_number: str) -> str | None:
    """Return the entity of an inverter's fault event; None if the recorder does not see it."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(
        EVENT_DOMAIN, DOMAIN, f"{serial_number}_{FAULT_EVENT}"
    )
    seen = (
        entity_id is not None
        and not registry.entities[entity_id].disabled
        and is_entity_recorded(hass, entity_id)
    )
    return entity_id if seen else None


def _read_faults(hass: HomeAssistant, entity_id: str, role: str) -> list[_Happened]:
    """Return each event once: a state is written again after a restart and a silence."""
    states = history.state_changes_during_period(
        hass,
        dt_util.utcnow() - FAULT_HISTORY,
        entity_id=entity_id,
        include_start_time_state=False,
    )
    events = dict.fromkeys(
        (state.state, state.attributes.get("event_type"))
        for state in states.get(entity_id, [])
    )
    return [
        (when, role, kind)
        for at, kind in events
        if kind is not None and (when := dt_util.parse_datetime(at)) is not None
    ]


def _fault(key: str, words: Words) -> str:
    code = FAULTS[key].vendor_code if key in FAULTS else None
    name = words("fault", key)
    return name if code is None else f"{name} ({code})"
