"""Files that people edit, and what Home Assistant gives back after a crash."""

from dataclasses import replace
from datetime import timedelta
import logging
from math import isfinite
from pathlib import Path
from random import Random

from modbus_connection import ModbusTcpParams
import pytest
import voluptuous as vol
import yaml

from custom_components.solax_parallel import counts, facts
from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.counters import StoredCount
from custom_components.solax_parallel.a1_ess.group import Group, StoredGroup
from custom_components.solax_parallel.a1_ess.inverter import Inverter, Member
from custom_components.solax_parallel.a1_ess.link import Link
from custom_components.solax_parallel.a1_ess.profile import (
    SHIPPED_PROFILE,
    ProfileError,
    load_profile,
)
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.transfer_test import (
    Failure,
    Phase,
    Transfer,
    TransferTest,
    abort,
)
from custom_components.solax_parallel.acceptance import StoredTransferTest
from custom_components.solax_parallel.stored import sound
from homeassistant.util import dt as dt_util

from .mutation import mutated_content, mutated_text

OWNERS_FILE = """\
windows:
  live: {first: 0x0000, last: 0x0060}
bounds:
  house_power: {min: 0, max: 40000}
registers:
  battery_soc:
    address: 0x001C
    type: u16
    unit: "%"
  smart_load_1_power: {address: 0x0313}
  role:
    values: {0: standalone, 1: primary, 2: secondary_1, 3: secondary_2, 4: secondary_3}
  parallel_faults:
    bits: {0: parallel_system_fault, 1: eps_sync_lost}
commands:
  smart_load_1_switch: {address: 0x0330, grade: sister}
"""


def test_a_register_map_is_good_or_refused_with_a_reason(
    random: Random, inputs: int, tmp_path: Path
) -> None:
    file = tmp_path / "a1_ess_g2.yaml"
    file.write_text(OWNERS_FILE)
    assert load_profile(file) != load_profile()
    good = refused = 0
    shipped = SHIPPED_PROFILE.read_text(encoding="utf-8")
    # The shipped map takes long to read, so it has its turn now and then only.
    tries = max(1, inputs // 10)
    for number in range(tries):
        if number % 2:
            text = yaml.safe_dump(mutated_content(random, yaml.safe_load(OWNERS_FILE)))
        else:
            text = mutated_text(random, OWNERS_FILE if number % 50 else shipped)
        file.write_text(text, encoding="utf-8")
        try:
            profile = load_profile(file)
        except ProfileError as err:
            refused += err.file == file and str(file.name) in str(err)
        else:
            good += 1
            for register in profile.registers.values():
                window = profile.windows[register.window]
                assert window.first <= register.address
                assert register.address + register.words - 1 <= window.last
    assert good
    assert good + refused == tries


def test_a_stored_transfer_test_is_whole_or_none(
    random: Random, inputs: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    now = dt_util.utcnow()
    stored = StoredTransferTest(
        TransferTest(
            started=now,
            limit=timedelta(minutes=5),
            phase=Phase.OPEN_BREAKER,
            ended=None,
            units={
                "one": Transfer(role=Role.PRIMARY, off_grid_after=12.5),
                "two": Transfer(role=Role.SECONDARY_1, failure=Failure.NOT_HEARD),
            },
        )
    ).as_dict()
    assert StoredTransferTest.from_dict(stored).as_dict() == stored
    whole = 0
    for _ in range(inputs):
        found = StoredTransferTest.from_dict(mutated_content(random, stored)).test
        if found is None:
            continue
        whole += 1
        # What comes next when it is restored.
        again = StoredTransferTest(abort(found, now))
        assert StoredTransferTest.from_dict(again.as_dict()).test == again.test
    assert 0 < whole < inputs


def stored_counts() -> StoredGroup:
    """Return what a group of two has counted."""
    count = StoredCount(
        value=1234.5, counted_before=10.0, carried=-3.0, age=60.0, place="live 0x52"
    )
    fresh = replace(count, age=None)
    return StoredGroup(
        counts={
            "one": {"grid_import_total": count, "pv_energy_total": fresh},
            "two": {"pv_energy_total": count},
        },
        left_behind={"grid_import_total": 7.0, "pv_energy_total": 0.0},
    )


@pytest.fixture
def counting_group() -> Group:
    """Return a group whose inverters could go on counting; nobody asks them."""
    profile = load_profile()
    link = Link(ModbusTcpParams(host="127.0.0.1", port=1), timeout=1, message_spacing=0)
    return Group(
        [
            [
                Inverter(
                    Member(serial_number=serial, unit_id=number, role=role),
                    profile,
                    RegisterSource(link.for_unit(number), profile),
                )
                for number, (serial, role) in enumerate(
                    {"one": Role.PRIMARY, "two": Role.SECONDARY_1}.items(), start=1
                )
            ]
        ]
    )


def test_stored_counters_are_whole_or_begin_anew(
    random: Random, inputs: int, caplog: pytest.LogCaptureFixture, counting_group: Group
) -> None:
    caplog.set_level(logging.ERROR)
    stored = counts._to_json(stored_counts())
    assert counts._sound(stored) == stored
    kept = 0
    for _ in range(inputs):
        found = counts._from_json(mutated_content(random, stored))
        kept += sum(map(len, found.counts.values()))
        for of_inverter in found.counts.values():
            for count in of_inverter.values():
                assert isfinite(count.value + count.counted_before + count.carried)
        # What comes next when it is restored.
        counting_group.restore(found)
        again = counts._to_json(counting_group.stored())
        assert counts._sound(again) == again
    assert 0 < kept < 3 * inputs


def test_stored_facts_are_whole_or_begin_anew(
    random: Random, inputs: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    stored = {"one_fault": {"overload": True, "eps_sync_lost": False}, "group": {}}
    assert sound(vol.Schema(facts._sound_facts), stored, "events") == stored
    kept = 0
    for _ in range(inputs):
        found = sound(
            vol.Schema(facts._sound_facts), mutated_content(random, stored), "events"
        )
        told = [holds for event in found.values() for holds in event.values()]
        assert all(type(holds) is bool for holds in told)
        kept += len(told)
    assert 0 < kept < 2 * inputs
