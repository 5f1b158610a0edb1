"""Each root cause in one sentence, and no sentence that nothing leads to."""

from collections.abc import Iterable
import re

import pytest

from custom_components.solax_parallel.a1_ess.checks import Check, CheckResult
from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.faults import PARALLEL_FAULTS
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.root_cause import find_root_cause
from custom_components.solax_parallel.explanation import explain
from custom_components.solax_parallel.words import Words
from homeassistant.core import HomeAssistant

from .groups import ROLES
from .texts import TEXTS

LONGEST = 255
NAMED = {fault.key for fault in PARALLEL_FAULTS}
ORDER = (Role.SECONDARY_2, Role.SECONDARY_1)

type Said = tuple[str, ...] | None
"""The faults that an inverter reports; None for one that is silent."""

NOT_SET_UP: Said = ("not_set_up",)
"""Stands for an inverter that only the primary knows of."""

WELL: Said = ()
RS485: Said = ("parallel_rs485_fault",)
CAN: Said = ("parallel_can_fault",)
SYNC: Said = ("eps_sync_lost",)
CONFIG: Said = ("parallel_config_fault",)
WARNING: Said = ("parallel_can_warning",)
SYSTEM: Said = ("parallel_system_fault",)

SENTENCES: list[tuple[tuple[Said, ...], set[Check], str]] = [
    ((WELL, WELL), set(), "No fault is reported."),
    ((None, None), set(), "Not enough is known to name a cause."),
    (
        (WELL, ("parallel_fault",)),
        set(),
        (
            "A fault of paralleling that nobody names; "
            "reported: Parallel fault (Secondary 1)."
        ),
    ),
    (
        (WELL, WELL, NOT_SET_UP),
        {Check.UNIT_QUANTITY},
        "The primary counts more inverters than are set up here.",
    ),
    ((None, WELL), set(), "The primary does not answer."),
    (
        (None, SYSTEM),
        set(),
        ("The primary does not answer; reported: Parallel system fault (Secondary 1)."),
    ),
    (
        (RS485, RS485, RS485),
        set(),
        (
            "Inferred: the RS485 line of all inverters, as their number is set right; "
            "reported: Parallel RS485 fault (Primary, Secondary 1, Secondary 2)."
        ),
    ),
    (
        (WELL, CONFIG),
        set(),
        (
            "A configuration error is reported, "
            "and none of the checks finds a difference; "
            "reported: Parallel configuration fault (Secondary 1)."
        ),
    ),
    (
        (WELL, WARNING),
        set(),
        (
            "Inferred: communication over CAN is disturbed, and none of the checks of "
            "roles and number of units finds a difference; "
            "reported: Parallel CAN warning (Secondary 1)."
        ),
    ),
    ((WELL, None, None), set(), "No answer from Secondary 1, Secondary 2."),
    (
        (("fan",), SYSTEM),
        set(),
        "A fault of the primary; reported: Fan (Primary).",
    ),
    (
        (WELL, SYSTEM, SYSTEM),
        set(),
        (
            "Inferred: a fault of the primary that it does not name; "
            "reported: Parallel system fault (Secondary 1, Secondary 2)."
        ),
    ),
    (
        (RS485, RS485),
        {Check.UNIT_QUANTITY},
        (
            "Inferred: a wrong number of units set on the primary; "
            "reported: Parallel RS485 fault (Primary, Secondary 1); "
            "failed check: Number of units as set on the primary."
        ),
    ),
    (
        (RS485, WELL, WELL),
        {Check.TERMINATION},
        (
            "Inferred: the RS485 line at Primary; "
            "reported: Parallel RS485 fault (Primary); "
            "failed check: 120 ohm plug in the last secondary."
        ),
    ),
    (
        (WELL, RS485, WELL),
        set(),
        (
            "Inferred: the RS485 line between Secondary 2 and Secondary 1; "
            "reported: Parallel RS485 fault (Secondary 1)."
        ),
    ),
    (
        (WELL, CONFIG, WARNING),
        {Check.ROLES, Check.SAFETY_CODE, Check.FIRMWARE},
        (
            "The inverters are configured differently; "
            "reported: Parallel CAN warning (Secondary 2), "
            "Parallel configuration fault (Secondary 1); "
            "failed check: One primary, no role twice, Same safety code."
        ),
    ),
    (
        (WELL, WARNING),
        {Check.ROLES},
        (
            "Inferred: roles or number of units are set wrong; "
            "reported: Parallel CAN warning (Secondary 1); "
            "failed check: One primary, no role twice."
        ),
    ),
    (
        (WELL, WELL, CAN),
        set(),
        (
            "Inferred: the CAN line at Secondary 2; "
            "reported: Parallel CAN fault (Secondary 2)."
        ),
    ),
    (
        (CAN, CAN),
        set(),
        (
            "Inferred: the CAN line between Primary and Secondary 1; "
            "reported: Parallel CAN fault (Primary, Secondary 1)."
        ),
    ),
    (
        (SYNC, SYNC, SYNC),
        set(),
        (
            "Inferred: the synchronisation line at Primary, Secondary 1, Secondary 2; "
            "reported: EPS synchronisation lost (Primary, Secondary 1, Secondary 2)."
        ),
    ),
    (
        (WELL, SYNC, SYNC),
        set(),
        (
            "Inferred: the synchronisation line between Primary and Secondary 2; "
            "reported: EPS synchronisation lost (Secondary 1, Secondary 2)."
        ),
    ),
    (
        (("grid_voltage",), ("grid_voltage", "fan")),
        set(),
        (
            "Inferred: one cause outside of the inverters; "
            "reported: Grid voltage (Primary, Secondary 1)."
        ),
    ),
    (
        (WELL, ("fan",), ("isolation",)),
        set(),
        (
            "A fault of Secondary 1, Secondary 2; "
            "reported: Fan (Secondary 1), Isolation (Secondary 2)."
        ),
    ),
]


def members(said: Iterable[Said]) -> list[InverterState]:
    return [
        InverterState(
            serial_number=role, role=role, presence=Presence.SILENT, failed_polls=3
        )
        if each is None
        else InverterState(
            serial_number=role,
            role=role,
            presence=Presence.HEARD,
            faults=frozenset(each) - NAMED,
            parallel_faults=frozenset(each) & NAMED,
        )
        for role, each in zip(ROLES, said, strict=False)
        if each is not NOT_SET_UP
    ]


@pytest.mark.parametrize(("said", "failed", "sentence"), SENTENCES)
async def test_each_cause_has_its_sentence(
    hass: HomeAssistant, said: tuple[Said, ...], failed: set[Check], sentence: str
) -> None:
    group = members(said)
    cause = find_root_cause(
        group,
        {check: CheckResult(passed=check not in failed) for check in Check},
        units_expected=len(said),
        well=True,
        wiring_order=ORDER,
    )
    assert explain(cause, group, await Words.async_load(hass)) == sentence
    assert sentence.startswith("Inferred: ") is cause.inferred
    assert len(sentence) < LONGEST


@pytest.mark.parametrize("template", TEXTS["selector"]["cause"]["options"].values())
def test_each_sentence_has_its_cause(template: str) -> None:
    pattern = re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(template)) + "[.;]")
    assert any(pattern.match(sentence) for _, _, sentence in SENTENCES)
