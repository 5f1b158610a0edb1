"""How many inputs are tried."""

from random import Random

import pytest

SHARE = 1_000
"""How many a run of all tests tries of each kind."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to try more; known only to a run of this folder alone."""
    parser.addoption("--inputs", type=int, default=SHARE, help="to try of each kind")
    parser.addoption("--seed", type=int, default=1, help="to choose them by")


@pytest.fixture
def inputs(request: pytest.FixtureRequest) -> int:
    """How many inputs to try."""
    return int(request.config.getoption("inputs", SHARE))


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    """What chooses them, the same ones in each run."""
    return Random(request.config.getoption("seed", 1))  # noqa: S311
