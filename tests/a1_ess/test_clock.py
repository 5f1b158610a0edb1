"""A time that counters can be held against."""

import pytest

from custom_components.solax_parallel.a1_ess.clock import SteadyClock


class Clocks:
    """A monotonic clock and a wall clock."""

    def __init__(self) -> None:
        self.monotonic = 100.0
        self.wall = 1_800_000_000.0
        self.steady = SteadyClock(lambda: self.monotonic, lambda: self.wall)

    def move(self, monotonic: float, wall: float) -> float:
        """Let both go on, and return how much the steady one does."""
        before = self.steady()
        self.monotonic += monotonic
        self.wall += wall
        return self.steady() - before


@pytest.mark.parametrize(
    ("monotonic", "wall", "passed"),
    [
        pytest.param(10, 10, 10, id="both_go"),
        pytest.param(10, 3610, 3610, id="machine_slept"),
        pytest.param(10, -7200, 10, id="clock_was_set_back"),
        pytest.param(10, 0, 10, id="clock_stands_still"),
    ],
)
def test_time_goes_on(monotonic: float, wall: float, passed: float) -> None:
    clocks = Clocks()
    assert clocks.steady() == 0
    assert clocks.move(monotonic, wall) == pytest.approx(passed)
    assert clocks.move(5, 5) == pytest.approx(5)


def test_it_uses_the_machines_clocks() -> None:
    clock = SteadyClock()
    first = clock()
    assert 0 <= first <= clock() < 10
