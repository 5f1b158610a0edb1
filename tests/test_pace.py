"""Whether polls fit their interval, and what is said where they don't."""

from collections.abc import Mapping
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.solax_parallel.const import CONF_MESSAGE_SPACING, DOMAIN
from custom_components.solax_parallel.pace import PATIENCE, Pace
from homeassistant.const import CONF_SCAN_INTERVAL, CONF_TIMEOUT
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .a1_ess.conftest import Clock
from .conftest import StartGroup
from .groups import poll, simulated_group_entry, state

INTERVAL = 10
MINUTE = 60


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    return simulated_group_entry(options={CONF_SCAN_INTERVAL: INTERVAL})


@pytest.fixture
def pace(hass: HomeAssistant, entry: MockConfigEntry, clock: Clock) -> Pace:
    return Pace(hass, entry, clock)


def told(hass: HomeAssistant, entry: MockConfigEntry) -> Mapping[str, str] | None:
    """Return what is told of polls that are too slow."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"slow_polls_{entry.entry_id}")
    return None if issue is None else issue.translation_placeholders


def go_on(pace: Pace, clock: Clock, seconds: float, minutes: int) -> None:
    """Let polls take so many seconds for a while."""
    for _ in range(minutes):
        pace.observe(seconds)
        clock.move(MINUTE)


@pytest.mark.parametrize(
    ("seconds", "fitting"), [(10.1, "15"), (12.4, "15"), (12.6, "20"), (400, "300")]
)
async def test_polls_that_do_not_fit_for_long_are_told_with_what_would_fit(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    pace: Pace,
    clock: Clock,
    seconds: float,
    fitting: str,
) -> None:
    go_on(pace, clock, seconds, 10)
    assert told(hass, entry) is None
    go_on(pace, clock, seconds, 1)
    assert told(hass, entry) == {
        "group": entry.title,
        "seconds": f"{seconds:.0f}",
        "interval": "10",
        "fitting": fitting,
    }
    assert pace.share == pytest.approx(seconds / INTERVAL)


async def test_it_is_over_when_polls_fit_for_long(
    hass: HomeAssistant, entry: MockConfigEntry, pace: Pace, clock: Clock
) -> None:
    go_on(pace, clock, 15, 11)
    # An exception is no end of it.
    go_on(pace, clock, 9, 5)
    go_on(pace, clock, 15, 1)
    go_on(pace, clock, 9, 10)
    assert told(hass, entry) is not None
    go_on(pace, clock, 9, 1)
    assert told(hass, entry) is None


async def test_one_poll_that_fits_is_enough(
    hass: HomeAssistant, entry: MockConfigEntry, pace: Pace, clock: Clock
) -> None:
    for _ in range(10):
        go_on(pace, clock, 15, int(PATIENCE / MINUTE))
        go_on(pace, clock, 10, 1)
    assert told(hass, entry) is None


async def test_it_goes_with_the_entry(
    hass: HomeAssistant, entry: MockConfigEntry, pace: Pace, clock: Clock
) -> None:
    go_on(pace, clock, 15, 11)
    pace.async_close()
    assert told(hass, entry) is None
    go_on(pace, clock, 15, 11)
    assert told(hass, entry) is None


async def test_after_a_pause_it_begins_anew(
    hass: HomeAssistant, entry: MockConfigEntry, pace: Pace, clock: Clock
) -> None:
    go_on(pace, clock, 15, 11)
    pace.forget()
    assert pace.share is None
    assert told(hass, entry) is None
    go_on(pace, clock, 15, 11)
    assert told(hass, entry) is not None


@pytest.mark.parametrize(("spacing", "least", "most"), [(0, 1, 20), (50, 70, 200)])
async def test_the_share_of_the_interval_is_shown(
    hass: HomeAssistant, start_group: StartGroup, spacing: int, least: int, most: int
) -> None:
    options: Mapping[str, Any] = {
        CONF_SCAN_INTERVAL: 1,
        CONF_MESSAGE_SPACING: spacing,
        CONF_TIMEOUT: 1,
    }
    wire = await start_group(options=options)
    assert await wire.set_up(disabled_too=True)
    await poll(hass)
    # Sixteen requests in a second, with or without a silence before each.
    share = float(state(hass, f"{wire.primary}_group_poll_share").state)
    assert least < share < most


async def test_it_stands_while_the_group_goes_on_being_polled(
    hass: HomeAssistant, start_group: StartGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.solax_parallel.pace.PATIENCE", 0.5)
    options = {CONF_SCAN_INTERVAL: 1, CONF_MESSAGE_SPACING: 200, CONF_TIMEOUT: 1}
    wire = await start_group(units=2, options=options)
    assert await wire.set_up()
    for _ in range(3):
        await poll(hass)
    assert told(hass, wire.entry) is not None
