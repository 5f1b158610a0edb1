"""Every fault in every layout: nothing false is shown, nobody else suffers, all comes back.

``scripts/robustness`` tries them all and prints the matrix; a run of the tests tries some.
"""

import pytest

from .conftest import BuildSite
from .faults import FAULTS, Fault
from .matrix import Matrix
from .site import Layout
from .trial import LONG, SHORT, try_out

EVERY_RUN = {
    ("silence", Layout.ONE_LINK),
    ("one register too few", Layout.ONE_LINK),
    ("transaction id 0", Layout.ONE_LINK),
    ("between 0 and 5 s for every reply", Layout.ONE_LINK),
    ("zeros in the live readings", Layout.ONE_LINK),
    ("refused", Layout.LINK_EACH),
    ("exception 6", Layout.LINK_EACH),
    ("zeros in every register", Layout.LINK_EACH),
    ("half a reply, then nothing", Layout.RTU_OVER_TCP),
    ("wrong function", Layout.RTU_OVER_TCP),
    ("late, in time for the next request", Layout.RTU_OVER_TCP),
    ("a second master that throws us out", Layout.RTU_OVER_TCP),
    ("closed in the middle of every reply", Layout.SERIAL),
    ("one bit flipped in every frame", Layout.SERIAL),
    ("a second master whose replies we get", Layout.SERIAL),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try what is asked for."""
    every_fault = metafunc.config.getoption("every_fault", False)
    metafunc.parametrize(
        ("fault", "layout"),
        [
            pytest.param(fault, layout, id=f"{fault.name}-{layout.name.lower()}")
            for fault in FAULTS
            for layout in fault.layouts
            if every_fault or (fault.name, layout) in EVERY_RUN
        ],
    )


@pytest.mark.timed
async def test_fault(
    build_site: BuildSite, matrix: Matrix, fault: Fault, layout: Layout
) -> None:
    durations = (SHORT, LONG) if matrix.is_wanted else (SHORT,)
    outcome = await try_out(await build_site(layout), fault, durations)
    matrix.outcomes.append(outcome)
    assert outcome.problems == []
