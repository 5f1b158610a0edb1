"""A simulated group with a clock that the test sets."""

from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest

from custom_components.solax_parallel.a1_ess.codes import BackupInterfaceType
from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.simulator.group import (
    SimulatedGroup,
    serial_numbers,
)

ZONE = ZoneInfo("America/New_York")


class Clock:
    """A local time that stands still until it is moved."""

    def __init__(self) -> None:
        """Start at noon of an ordinary day."""
        self.time = datetime(2026, 11, 22, 12, 0, tzinfo=ZONE)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time

    def set(self, *time: int) -> None:
        """Set the local time: year, month, day and so on."""
        self.time = datetime(*time, tzinfo=ZONE)  # type: ignore[misc, arg-type]

    def pass_time(self, **duration: float) -> None:
        """Let real time pass, whatever the local clocks do."""
        passed = self.time.timestamp() + timedelta(**duration).total_seconds()
        self.time = datetime.fromtimestamp(passed, ZONE)


class GroupFactory(Protocol):
    """Builds groups on the test's clock."""

    def __call__(
        self,
        units: int = 4,
        *,
        rated_power: int = 7600,
        backup_interface: BackupInterfaceType = BackupInterfaceType.BI_PRO,
    ) -> SimulatedGroup:
        """Return a group of ``units``."""


@pytest.fixture
def clock() -> Clock:
    """Return the clock that every group of the test lives by."""
    return Clock()


@pytest.fixture
def build(clock: Clock) -> GroupFactory:
    """Return what builds groups on the test's clock."""

    def group(
        units: int = 4,
        *,
        rated_power: int = 7600,
        backup_interface: BackupInterfaceType = BackupInterfaceType.BI_PRO,
    ) -> SimulatedGroup:
        return SimulatedGroup(
            serial_numbers=serial_numbers("SIMA1", units),
            backup_interface=backup_interface,
            rated_power=rated_power,
            now=clock,
        )

    return group


@pytest.fixture
def profile() -> Profile:
    """Return the shipped register map."""
    return load_profile()
