"""What the card shows in a real browser."""

import asyncio
import os
from pathlib import Path

import pytest

from .conftest import BREAKER, INJECTED_FAULTS, Dashboard

pytestmark = pytest.mark.browser

_, FAULTY, SILENT, _ = INJECTED_FAULTS
PICTURES = Path(os.environ.get("PICTURES", ""))
"""Where pictures are kept, if they are wanted: PICTURES=docs/images."""
SECONDS_TO_DRAW = 3
"""Charts and colours move to where they stay."""


async def keep_picture(dashboard: Dashboard, name: str) -> None:
    if PICTURES.name:
        await dashboard.is_loaded()
        await asyncio.sleep(SECONDS_TO_DRAW)
        await dashboard.page.picture(PICTURES / f"{name}.png")


def leds(*colours: str) -> str:
    """Return what holds when the inverters' LEDs look so."""
    return (
        "[...card().querySelectorAll('.tile .name .led')]"
        f".map((led) => led.className.replace('led ', '')).join() === '{','.join(colours)}'"
    )


async def test_group_at_work(dashboard: Dashboard) -> None:
    await dashboard.page.size(860, 1320)
    await dashboard.shows(leds("green", "green", "green", "green"))
    await dashboard.shows("card().textContent.includes('Normal')")
    await dashboard.shows("card().textContent.includes('On-grid')")
    await dashboard.shows("card().querySelectorAll('svg .moving').length >= 2")
    await dashboard.shows("card().textContent.includes('BI PRO')")
    await dashboard.shows("card().textContent.includes('Smart load 6')")
    await keep_picture(dashboard, "card")


async def test_fault_and_what_to_do(dashboard: Dashboard) -> None:
    await dashboard.call("select.select_option", FAULTY, option="parallel_rs485_fault")
    await dashboard.shows(leds("green", "red_flashing", "green", "green"))
    await dashboard.shows("card().textContent.includes('ParallelRS485 ComFault')")
    await dashboard.shows("card().textContent.includes('Inferred: the RS485 line')")
    await dashboard.repair_is_there("parallel_rs485_fault")
    # It opens by keyboard, too.
    await dashboard.shows(
        "(card().querySelector('summary').focus(), card().activeElement.localName) === 'summary'"
    )
    await dashboard.page.command(
        "Input.dispatchKeyEvent", type="keyDown", key="Enter", text="\r"
    )
    await dashboard.shows("card().querySelector('.steps').textContent.includes('1. ')")
    # There is room for them.
    await dashboard.shows(
        "card().querySelector('.tile:has(.steps)').offsetWidth"
        " === card().querySelector('.tiles').offsetWidth"
    )
    await dashboard.page.size(860, 800)
    await keep_picture(dashboard, "card-fault")
    await dashboard.call("select.select_option", FAULTY, option="none")
    await dashboard.shows(leds("green", "green", "green", "green"))
    await dashboard.shows("!card().querySelector('details')")


async def test_fault_that_nobody_names(dashboard: Dashboard) -> None:
    await dashboard.call("select.select_option", FAULTY, option="parallel_fault")
    await dashboard.shows(
        "card().textContent.includes('A fault of paralleling that nobody names')"
    )
    await dashboard.shows(
        "card().querySelector('details summary')?.textContent === 'Parallel fault'"
    )
    await dashboard.repair_is_there("parallel_fault")
    await dashboard.shows("(card().querySelector('summary').click(), true)")
    await dashboard.shows("card().querySelector('.steps').textContent.includes('1. ')")


async def test_open_breaker_in_the_dark_on_a_phone(dashboard: Dashboard) -> None:
    await dashboard.page.size(390, 1400)
    await dashboard.page.prefer(prefers_color_scheme="dark")
    await dashboard.call("switch.turn_off", BREAKER)
    await dashboard.shows("card().textContent.includes('Off-grid')")
    # Nothing is cut off on the side.
    await dashboard.shows(
        "card().host.scrollWidth <= document.documentElement.clientWidth"
    )
    await keep_picture(dashboard, "card-phone-dark")


async def test_flashing_stands_still_for_those_who_prefer_it(
    dashboard: Dashboard,
) -> None:
    await dashboard.call("select.select_option", FAULTY, option="parallel_rs485_fault")
    flashing = (
        "getComputedStyle(card().querySelector('.tile .red_flashing')).animationName"
    )
    await dashboard.shows(f"{flashing} === 'flash'")
    await dashboard.page.prefer(prefers_reduced_motion="reduce")
    await dashboard.shows(f"{flashing} === 'none'")


async def test_everything_has_a_name_for_screen_readers(dashboard: Dashboard) -> None:
    nameless = (
        "[...card().querySelectorAll('button, a')]"
        ".filter((each) => !each.getAttribute('aria-label')).length"
    )
    await dashboard.shows(f"{nameless} === 0")


# The last one: a silent inverter is asked again only a minute later.
async def test_silence_is_grey_and_sums_say_what_they_lack(
    dashboard: Dashboard,
) -> None:
    await dashboard.call("select.select_option", SILENT, option="offline")
    await dashboard.shows(leds("green", "green", "unknown", "green"))
    await dashboard.shows(
        "[...card().querySelectorAll('.part')].some((part) => part.textContent === '3/4')"
    )
