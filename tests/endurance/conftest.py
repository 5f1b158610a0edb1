"""How long it goes on, and what it leaves behind."""

import asyncio
import gc
import logging
from typing import NamedTuple

import pytest

from tests.conftest import Log

_REPORT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to go on to the end; known only to a run of this folder alone."""
    parser.addoption("--to-the-end", action="store_true", help="do not stop early")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a report."""
    config.stash[_REPORT] = list[str]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show the report to whoever asked for all of it."""
    if config.getoption("to_the_end", False):
        for line in config.stash[_REPORT]:
            terminalreporter.write_line(line)


@pytest.fixture
def to_the_end(request: pytest.FixtureRequest) -> bool:
    """Whether to do everything as often as it takes, instead of a few times."""
    return bool(request.config.getoption("to_the_end", False))


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture, logged: Log) -> Log:
    """What is complained about; pytest keeps nothing else of the log, for that would grow."""
    caplog.set_level(logging.WARNING)
    return logged


@pytest.fixture
def report(request: pytest.FixtureRequest) -> list[str]:
    """Lines that are shown at the end."""
    lines: list[str] = request.config.stash[_REPORT]
    return lines


class Kept(NamedTuple):
    """What the process holds on to: objects of ours and in all, and tasks."""

    ours: int
    objects: int
    tasks: int

    @classmethod
    def now(cls) -> Kept:
        """Count, once everything that can go is gone."""
        gc.collect()
        objects = gc.get_objects()
        ours = sum(_is_ours(type(each)) for each in objects)
        return cls(ours, len(objects), len(asyncio.all_tasks()))


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith("custom_components.")
