"""What the faults are called, how grave they are, what to do, and what being off-grid excuses."""

import re

import pytest

from custom_components.solax_parallel.a1_ess.faults import (
    DOCUMENTED_FAULTS,
    FAULTS,
    GUIDE,
    PARALLEL_FAULTS,
    PINS,
    PRIMARY_SILENT,
    Family,
    Severity,
    problems,
)
from custom_components.solax_parallel.a1_ess.grade import Grade
from tests.texts import TEXTS

NAMES, MEANINGS, STEPS = (
    TEXTS["selector"][selector]["options"]
    for selector in ("fault", "fault_meaning", "fault_step")
)


def test_the_six_are_spelt_as_the_vendor_prints_them() -> None:
    assert {fault.key: fault.vendor_code for fault in PARALLEL_FAULTS} == {
        "parallel_system_fault": "ParallSystem Fault",
        "eps_sync_lost": "EPSSyncLost",
        "parallel_config_fault": "Parallel CfgFault",
        "parallel_can_warning": "ParalCan CommsWarn",
        "parallel_can_fault": "ParallelCAN ComFault",
        "parallel_rs485_fault": "ParallelRS485 ComFault",
    }
    assert {fault.family for fault in PARALLEL_FAULTS} == {Family.PARALLEL}


def test_the_others_have_no_vendor_code() -> None:
    assert {fault.vendor_code for fault in DOCUMENTED_FAULTS} == {None}


def test_only_these_are_warnings() -> None:
    assert {
        key for key, fault in FAULTS.items() if fault.severity is Severity.WARNING
    } == {
        "parallel_can_warning",
        "port_overcurrent",
    }


def test_no_fault_is_there_twice() -> None:
    assert len(FAULTS) == len(PARALLEL_FAULTS) + len(DOCUMENTED_FAULTS)
    assert all(key == fault.key for key, fault in FAULTS.items())


def test_families_hold_what_belongs_to_them() -> None:
    families = {
        family: {key for key, fault in GUIDE.items() if fault.family is family}
        for family in Family
    }

    assert families[Family.PARALLEL] == {
        "parallel_fault",
        "primary_silent",
        *(fault.key for fault in PARALLEL_FAULTS),
    }
    assert families[Family.PV] == {"pv_voltage", "pv_reversed", "isolation"}
    assert families[Family.GRID] >= {"grid_lost", "grid_relay", "meter", "missed_ct"}
    assert families[Family.BATTERY] >= {
        key for key in FAULTS if key.startswith("battery_")
    }
    assert families[Family.OUTPUT] >= {"overload", "off_grid_overload", "rcd"}
    assert families[Family.INTERNAL] >= {"fan", "fan_2", "over_temperature"}


def test_only_the_vendors_own_faults_follow_the_vendor() -> None:
    for fault in FAULTS.values():
        known = Grade.SISTER if fault.vendor_code is None else Grade.VENDOR
        assert fault.grade is known, fault.key
    assert PRIMARY_SILENT.grade is Grade.ASSUMED
    assert GUIDE.keys() - FAULTS.keys() == {PRIMARY_SILENT.key}


def test_pins_are_inferred_for_three_faults_only() -> None:
    assert PINS == {
        1: "SYSR_L",
        2: "SYSR_H",
        3: "CAN_L",
        4: "CAN_H",
        5: "RS485_BI_A",
        6: "RS485_BI_B",
        7: "+12 V",
        8: "GND",
    }
    assert {key: fault.pins for key, fault in GUIDE.items() if fault.pins} == {
        "eps_sync_lost": (1, 2),
        "parallel_can_fault": (3, 4),
        "parallel_rs485_fault": (5, 6),
    }


def test_the_six_are_checked_as_the_vendor_says() -> None:
    assert {fault.key: fault.steps for fault in PARALLEL_FAULTS} == {
        "parallel_system_fault": ("primary_first", "after_sales"),
        "eps_sync_lost": ("parallel_line", "after_sales"),
        "parallel_config_fault": (
            "same_configuration",
            "primary_setting",
            "secondary_settings",
            "after_sales",
        ),
        "parallel_can_warning": (
            "primary_setting",
            "secondary_settings",
            "after_sales",
        ),
        "parallel_can_fault": ("parallel_line", "after_sales"),
        "parallel_rs485_fault": ("rs485_line", "primary_setting", "after_sales"),
    }


@pytest.mark.parametrize("key", GUIDE)
def test_every_fault_is_explained_and_leads_somewhere(key: str) -> None:
    fault = GUIDE[key]
    sentences = re.findall(r"[^.]+\.(?: |$)", MEANINGS[key])
    assert "".join(sentences) == MEANINGS[key]
    assert len(sentences) in (1, 2)
    assert NAMES[key] == NAMES[key].strip() != ""
    assert len(fault.steps) == len(set(fault.steps)) >= 2
    assert fault.steps[-1] == "after_sales"
    assert set(fault.steps) <= STEPS.keys()


def test_every_step_is_taken_by_some_fault_and_said_once() -> None:
    assert {step for fault in GUIDE.values() for step in fault.steps} == STEPS.keys()
    assert len(set(STEPS.values())) == len(STEPS)


def test_nobody_is_sent_to_where_it_is_dangerous() -> None:
    """Opening, unplugging and measuring are told of only to say who else does it, or not to."""
    allowed = {
        "parallel_line": "if a cover is in the way, leave it to an electrician",
        "rs485_line": "if a cover is in the way, leave it to an electrician",
        "meter_display": "without opening anything",
        "fresh_air": "Do not reach into the openings",
        "grid_operator": "an electrician, who can measure",
        "electrician_pv": "unplug and measure nothing yourself",
        "electrician_leak": "unplug and measure nothing yourself",
        "electrician_battery": "open, unplug and measure nothing yourself",
    }
    delicate = {
        key
        for key, step in STEPS.items()
        if re.search(
            r"unplug|disconnect|measure|opening|cover is|\bopen, ", step, re.IGNORECASE
        )
    }
    assert delicate == allowed.keys()
    for key, reservation in allowed.items():
        assert reservation in STEPS[key]
    # What carries high voltage is handed to somebody who may touch it.
    for key in ("pv_voltage", "pv_reversed", "isolation", "rcd", "battery_isolation"):
        assert any(step.startswith("electrician_") for step in FAULTS[key].steps), key


CONSEQUENCES = frozenset({"grid_lost", "grid_voltage", "grid_frequency"})


@pytest.mark.parametrize("off_grid", [True, False, None])
def test_only_the_loss_of_the_grid_is_excused_and_only_off_grid(
    off_grid: bool | None,
) -> None:
    for key in FAULTS:
        excused = off_grid is True and key in CONSEQUENCES
        assert problems([key], off_grid=off_grid) == (set() if excused else {key})


def test_other_faults_are_not_excused_by_company() -> None:
    keys = [*CONSEQUENCES, "fan", "overload"]

    assert problems(keys, off_grid=True) == {"fan", "overload"}
    assert problems(keys, off_grid=False) == set(keys)
    assert problems([], off_grid=True) == frozenset()
