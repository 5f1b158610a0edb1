"""Which inverters leave local operation soon after polling starts."""

import pytest

from custom_components.solax_parallel.a1_ess.codes import RunMode
from custom_components.solax_parallel.a1_ess.inverter_state import (
    InverterState,
    Presence,
)
from custom_components.solax_parallel.a1_ess.remote_mode import RemoteModeWatch

REMOTE, NORMAL = RunMode.NORMAL_REMOTE, RunMode.NORMAL


def members(**modes: RunMode | None) -> dict[str, InverterState]:
    """Return inverters by what they do; None stands for one that is not heard."""
    return {
        serial: InverterState(
            serial_number=serial,
            presence=Presence.SILENT if mode is None else Presence.HEARD,
            run_mode=mode,
        )
        for serial, mode in modes.items()
    }


@pytest.mark.parametrize(
    ("first", "seconds", "parked"),
    [
        (NORMAL, 5, True),
        (RunMode.OFF_GRID, 600, True),
        (NORMAL, 601, False),
        (REMOTE, 5, False),
        (None, 5, False),
    ],
)
def test_who_is_taken_to_be_parked_by_polling(
    first: RunMode | None, seconds: float, *, parked: bool
) -> None:
    watch = RemoteModeWatch()
    watch.observe(members(A=first), 1000)
    assert watch.parked == set()
    watch.observe(members(A=REMOTE), 1000 + seconds)
    assert watch.parked == ({"A"} if parked else set())


def test_one_that_is_heard_late_is_looked_at_too() -> None:
    watch = RemoteModeWatch()
    watch.observe(members(A=None), 0)
    watch.observe(members(A=NORMAL), 10)
    watch.observe(members(A=REMOTE), 20)
    assert watch.parked == {"A"}


def test_until_it_is_seen_back() -> None:
    watch = RemoteModeWatch()
    watch.observe(members(A=NORMAL, B=NORMAL), 0)
    watch.observe(members(A=REMOTE, B=REMOTE), 10)
    watch.observe(members(A=REMOTE, B=NORMAL), 5000)
    assert watch.parked == {"A"}
    watch.observe(members(A=None, B=NORMAL), 5010)
    assert watch.parked == {"A"}
    watch.begin()
    watch.observe(members(A=REMOTE, B=REMOTE), 6000)
    assert watch.parked == {"A"}
    watch.observe(members(A=RunMode.WAITING, B=REMOTE), 6010)
    assert watch.parked == set()


def test_one_that_left_the_group_is_forgotten() -> None:
    watch = RemoteModeWatch(["A", "B"])
    watch.observe(members(B=None), 0)
    assert watch.parked == {"B"}
