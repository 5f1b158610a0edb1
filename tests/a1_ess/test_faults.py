"""What the faults are called, how grave they are, and what being off-grid excuses."""

import pytest

from custom_components.solax_parallel.a1_ess.faults import (
    DOCUMENTED_FAULTS,
    FAULTS,
    PARALLEL_FAULTS,
    Family,
    Severity,
    problems,
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
        family: {key for key, fault in FAULTS.items() if fault.family is family}
        for family in Family
    }

    assert families[Family.PARALLEL] == {
        "parallel_fault",
        *(fault.key for fault in PARALLEL_FAULTS),
    }
    assert families[Family.PV] == {"pv_voltage", "pv_reversed", "isolation"}
    assert families[Family.GRID] >= {"grid_lost", "grid_relay", "meter", "missed_ct"}
    assert families[Family.BATTERY] >= {
        key for key in FAULTS if key.startswith("battery_")
    }
    assert families[Family.OUTPUT] >= {"overload", "off_grid_overload", "rcd"}
    assert families[Family.INTERNAL] >= {"fan", "fan_2", "over_temperature"}


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
