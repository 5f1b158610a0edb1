"""What setting up asks and how long it takes, layout by layout.

Prints the table with ``scripts/test tests/config_flow/test_numbers.py -s``.
"""

from collections.abc import Awaitable, Callable
import time

import pytest

from homeassistant.core import HomeAssistant
from tests.config_flow.conftest import LaySerialLine, Serve, make_group
from tests.config_flow.walk import Walk

pytestmark = [pytest.mark.patient, pytest.mark.timed]

type Layout = Callable[[HomeAssistant, Serve, LaySerialLine], Awaitable[Walk]]


async def one_link(hass: HomeAssistant, serve: Serve, lay: LaySerialLine) -> Walk:
    server = await serve(make_group(4))
    walk = await Walk.begin(hass, "tcp")
    return await walk.submit(host="127.0.0.1", port=server.port)


async def one_inverter_last_id_rtu(
    hass: HomeAssistant, serve: Serve, lay: LaySerialLine
) -> Walk:
    server = await serve(make_group(1), {8: 0}, framer="rtu")
    walk = await Walk.begin(hass, "tcp")
    return await walk.submit(host="127.0.0.1", port=server.port)


async def serial(hass: HomeAssistant, serve: Serve, lay: LaySerialLine) -> Walk:
    device = await lay(make_group(4))
    walk = await Walk.begin(hass, "serial")
    return await walk.submit(device=device)


async def serial_at_another_rate(
    hass: HomeAssistant, serve: Serve, lay: LaySerialLine
) -> Walk:
    device = await lay(make_group(4), baudrate=115200)
    walk = await Walk.begin(hass, "serial")
    return await walk.submit(device=device)


async def link_per_unit(hass: HomeAssistant, serve: Serve, lay: LaySerialLine) -> Walk:
    group = make_group(4)
    ports = [(await serve(group, {1: index})).port for index in range(4)]
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=ports[0])
    return await walk.submit(
        **{f"secondary_{n}": f"127.0.0.1:{ports[n]}" for n in (1, 2, 3)}
    )


async def mixed(hass: HomeAssistant, serve: Serve, lay: LaySerialLine) -> Walk:
    group = make_group(4)
    gateway = await serve(group, {1: 0, 2: 1, 3: 2})
    device = await lay(group, units={1: 3})
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=gateway.port)
    return await walk.submit(secondary_3=device)


async def primary_only(hass: HomeAssistant, serve: Serve, lay: LaySerialLine) -> Walk:
    server = await serve(make_group(4), {1: 0})
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=server.port)
    return await walk.submit()


async def search(hass: HomeAssistant, serve: Serve, lay: LaySerialLine) -> Walk:
    group = make_group(4)
    first = await serve(group, {1: 0}, host="127.0.0.61")
    for index in (1, 2, 3):
        await serve(group, {1: index}, host=f"127.0.0.{61 + index}", port=first.port)
    walk = await Walk.begin(hass, "search")
    # The port of the test; a person leaves 502 as it is.
    await walk.submit(port=first.port)
    walk.typed = 0
    return await walk.submit()


@pytest.mark.parametrize(
    ("layout", "forms", "seconds"),
    [
        (one_link, 2, 12),
        (one_inverter_last_id_rtu, 2, 12),
        (serial, 2, 12),
        (serial_at_another_rate, 2, 12),
        (link_per_unit, 3, 24),
        (mixed, 3, 24),
        (primary_only, 3, 12),
        (search, 3, 15),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_questions_and_seconds(
    hass: HomeAssistant,
    serve: Serve,
    serial_line: LaySerialLine,
    layout: Layout,
    forms: int,
    seconds: float,
) -> None:
    """``seconds`` are what finding the inverters may take: 12 a link, 15 a search."""
    started = time.monotonic()
    walk = await layout(hass, serve, serial_line)
    found = time.monotonic() - started
    assert walk.step == "confirm"
    await walk.submit()
    assert walk.entry
    added = time.monotonic() - started
    name = layout.__name__.replace("_", " ")
    print(  # noqa: T201
        f"\n{name:26} {len(walk.forms)} forms ({', '.join(walk.forms)}), "
        f"{walk.typed} characters typed, found after {found:.1f} s, "
        f"added after {added:.1f} s"
    )
    assert len(walk.forms) == forms
    assert found <= seconds
    if layout is search:
        assert walk.typed == 0
    assert await hass.config_entries.async_unload(walk.entry.entry_id)
