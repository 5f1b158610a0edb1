"""A real Home Assistant with the simulated group, seen through its API alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import socket

import pytest

from scripts.development.api import Api, signed_in, wait_until_answering
from scripts.development.energy import set_up_energy_dashboard
from scripts.development.folder import LOOPBACK, prepare
from scripts.development.group import (
    DOMAIN,
    GroupView,
    add_simulated_group,
    read_groups,
)
from scripts.development.process import HomeAssistant

_LIMIT = 120
_SECONDS_TO_BELIEVE = 45
"""In which every counter has been read often enough, and has rows in the statistics."""


@asynccontextmanager
async def _visit(folder: Path, port: int) -> AsyncIterator[tuple[HomeAssistant, Api]]:
    url = f"http://{LOOPBACK}:{port}"
    account = prepare(folder, port)
    async with HomeAssistant(folder) as home_assistant:
        try:
            await home_assistant.alongside(wait_until_answering(url))
            async with signed_in(url, account) as api:
                await api.wait_until_running()
                yield home_assistant, api
        except Exception as err:
            err.add_note("\n".join(home_assistant.complaints()))
            raise


async def _call(api: Api, service: str, entity_id: str, **data: str) -> GroupView:
    """Call a service, and return the group as it is afterwards."""
    domain, _, name = service.partition(".")
    await api.command(
        "call_service",
        domain=domain,
        service=name,
        service_data=data,
        target={"entity_id": entity_id},
    )
    (group,) = await read_groups(api)
    return group


def _leds(group: GroupView) -> list[str | None]:
    return [
        reading.state if reading else None
        for reading in (
            group.of_inverter(serial, "sensor", "operation_led")
            for serial in group.serial_numbers
        )
    ]


def _group_state(group: GroupView, domain: str, key: str) -> str | None:
    reading = group.of_group(domain, key)
    return reading.state if reading else None


async def _check_that_only_this_computer_is_searched(api: Api) -> None:
    adapters = (await api.command("network"))["adapters"]
    addresses = {
        address["address"]
        for adapter in adapters
        if adapter["enabled"]
        for address in adapter["ipv4"]
    }
    assert addresses == {LOOPBACK}


async def _check_new_group(api: Api) -> GroupView:
    await add_simulated_group(api)
    (group,) = await read_groups(api)
    assert group.problem is None
    assert len(group.serial_numbers) == 4
    assert group.complete
    assert _group_state(group, "sensor", "status") == "normal"
    assert _group_state(group, "binary_sensor", "on_grid") == "on"
    assert _leds(group) == ["green"] * 4
    return group


async def _check_energy_dashboard(api: Api) -> None:
    await set_up_energy_dashboard(api, await read_groups(api))
    await api.command("simulated_past/fill")
    for _ in range(_SECONDS_TO_BELIEVE):
        if not (issues := await _energy_issues(api)):
            return
        await asyncio.sleep(1)
    pytest.fail("\n".join(issues))


async def _energy_issues(api: Api) -> list[str]:
    found = await api.command("energy/validate")
    # Three sources, and the five smart loads that have something connected.
    assert len(found["energy_sources"] + found["device_consumption"]) == 3 + 5
    return [str(issue) for items in found.values() for item in items for issue in item]


async def _check_parallel_fault(api: Api, group: GroupView) -> None:
    faulty = group.serial_numbers[2]
    select = group.entity_ids["select", f"{faulty}_injected_fault"]

    group = await _call(
        api, "select.select_option", select, option="parallel_rs485_fault"
    )
    for serial in group.serial_numbers:
        sensor = group.of_inverter(serial, "binary_sensor", "parallel_rs485_fault")
        assert sensor is not None
        assert sensor.attributes["vendor_code"] == "ParallelRS485 ComFault"
        assert sensor.state == ("on" if serial == faulty else "off")
    assert _leds(group) == ["green", "green", "red_flashing", "green"]
    assert _group_state(group, "sensor", "operation_led") == "red_flashing"
    assert _group_state(group, "sensor", "status") == "fault"

    group = await _call(api, "select.select_option", select, option="none")
    assert _leds(group) == ["green"] * 4
    assert _group_state(group, "sensor", "status") == "normal"


async def _check_open_breaker(api: Api, group: GroupView) -> None:
    breaker = group.entity_ids["switch", f"{group.group_id}_group_simulated_grid"]
    group = await _call(api, "switch.turn_off", breaker)
    assert _group_state(group, "binary_sensor", "on_grid") == "off"
    assert _group_state(group, "sensor", "status") == "off_grid"
    for serial in group.serial_numbers:
        status = group.of_inverter(serial, "sensor", "grid_status")
        assert status is not None
        assert status.state == "off_grid"


async def _check_diagnostics(api: Api, group: GroupView) -> None:
    (entry,) = await api.command("config_entries/get", domain=DOMAIN)
    diagnostics = await api.get(f"/api/diagnostics/config_entry/{entry['entry_id']}")
    assert len(diagnostics["data"]["raw"]) == 4
    text = json.dumps(diagnostics)
    for serial in group.serial_numbers:
        assert serial not in text


def _check_that_nothing_is_left(home_assistant: HomeAssistant, port: int) -> None:
    with pytest.raises(ProcessLookupError):
        os.killpg(home_assistant.pid, 0)
    with socket.socket() as probe:
        assert probe.connect_ex((LOOPBACK, port)) != 0


@pytest.mark.usefixtures("socket_enabled")
async def test_group_in_a_real_home_assistant(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async with asyncio.timeout(_LIMIT):
        async with _visit(tmp_path, unused_tcp_port) as (home_assistant, api):
            await _check_that_only_this_computer_is_searched(api)
            group = await _check_new_group(api)
            await _check_energy_dashboard(api)
            await _check_parallel_fault(api, group)
            await _check_open_breaker(api, group)
            await _check_diagnostics(api, group)
    _check_that_nothing_is_left(home_assistant, unused_tcp_port)
