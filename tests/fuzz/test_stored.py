"""Files that people edit, and what Home Assistant gives back after a crash."""

from datetime import timedelta
import logging
from pathlib import Path
from random import Random

import pytest
import yaml

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.profile import (
    SHIPPED_PROFILE,
    ProfileError,
    load_profile,
)
from custom_components.solax_parallel.a1_ess.transfer_test import (
    Failure,
    Phase,
    Transfer,
    TransferTest,
    abort,
)
from custom_components.solax_parallel.acceptance import StoredTransferTest
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
