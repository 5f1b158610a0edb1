"""From a downloaded file back to the group that it was recorded from."""

import json
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.solax_parallel.const import CONF_UNITS, DOMAIN
from custom_components.solax_parallel.entry_data import unit_data
from custom_components.solax_parallel.links import TcpLink
from custom_components.solax_parallel.simulator import __main__ as program
from custom_components.solax_parallel.simulator.loopback import HOST
from custom_components.solax_parallel.simulator.replay import ReplayServer, recorded
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .conftest import StartGroup
from .groups import QUICK, GroupOnTheWire, members, poll, set_up
from .test_diagnostics import download


@pytest.fixture
async def wire(start_group: StartGroup) -> GroupOnTheWire:
    """Return a group in trouble at half past nine, set up."""
    wire = await start_group()
    wire.clock.move(hours=-2.5)
    wire.group.inject(wire.primary, "eps_sync_lost")
    wire.group.inject(wire.group.serial_numbers[2], "fan")
    assert await wire.set_up(disabled_too=True)
    return wire


async def into_file(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    entry: MockConfigEntry,
    file: Path,
) -> Path:
    """Save what a person would attach to a report."""
    file.write_text(json.dumps(await download(hass, hass_client, entry)))
    return file


def shown(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return all states by unique id, with serial numbers as the diagnostics tell them."""
    aliases = {
        unit["serial_number"]: f"INVERTER{number:06}"
        for number, unit in enumerate(entry.data[CONF_UNITS], start=1)
    }
    states = {}
    for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        unique_id = entity.unique_id
        for serial_number, alias in aliases.items():
            unique_id = unique_id.replace(serial_number, alias)
        if (state := hass.states.get(entity.entity_id)) is not None:
            states[unique_id] = state.state
    return states


def about_polling(unique_id: str) -> bool:
    """Return whether something is about how it was asked, not about what was answered."""
    return unique_id.endswith(
        ("_last_seen", "_reply_time", "_failed_reads", "_poll_share", "_fault")
    )


async def test_a_recording_is_shown_as_the_group_was(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    wire: GroupOnTheWire,
    tmp_path: Path,
) -> None:
    await poll(hass)
    before = shown(hass, wire.entry)
    file = await into_file(hass, hass_client, wire.entry, tmp_path / "report.json")
    server = ReplayServer(recorded(file))
    await server.start()
    aliases = tuple(f"INVERTER{number:06}" for number in range(1, 5))
    replayed = MockConfigEntry(
        domain=DOMAIN,
        unique_id=aliases[0],
        data={
            CONF_UNITS: [
                unit_data(member, TcpLink(HOST, server.port))
                for member in members(aliases, 7600)
            ]
        },
        options=QUICK,
    )
    replayed.add_to_hass(hass)
    assert await set_up(hass, replayed)
    await poll(hass)
    after = shown(hass, replayed)
    assert len(after) > 250
    assert after == {
        key: state
        for key, state in before.items()
        # What starts disabled was enabled in the first place only.
        if key in after
    } | {key: state for key, state in after.items() if about_polling(key)}
    assert after["INVERTER000001_group_status"] == "fault"
    assert await hass.config_entries.async_unload(replayed.entry_id)
    await server.stop()


async def test_what_was_never_read_is_not_served(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    start_group: StartGroup,
    tmp_path: Path,
) -> None:
    wire = await start_group(units=2)
    wire.silence(wire.group.serial_numbers[1])
    assert await wire.set_up()
    file = await into_file(hass, hass_client, wire.entry, tmp_path / "report.json")
    units = recorded(file)
    assert units[1] == {"holding": {}, "input": {}}
    server = ReplayServer(units)
    assert (server._answers(1, 4), server._answers(2, 4), server._answers(3, 4)) == (
        True,
        False,
        False,
    )


def test_of_a_mixed_group_what_has_registers_is_served(tmp_path: Path) -> None:
    read = {"input": {"0": 2400}, "holding": {"0": 18481}}
    file = tmp_path / "report.json"
    file.write_text(
        json.dumps({"data": {"raw": {"A": read, "B": {"module": {"0": 2400}}}}})
    )
    server = ReplayServer(recorded(file))
    assert (server._answers(1, 4), server._answers(2, 4)) == (True, False)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        ("no JSON", "holds no diagnostics with registers"),
        ("[]", "holds no diagnostics with registers"),
        ('{"data": {}}', "holds no diagnostics with registers"),
        ('{"data": {"raw": {"A": {"input": {}}}}}', "holds no diagnostics with"),
        ('{"data": {"raw": {"A": {"input": {"x": 1}, "holding": {}}}}}', "no diagnost"),
        ('{"data": {"raw": {"A": {"input": {"1": -7}, "holding": {}}}}}', "no diagnos"),
        ('{"data": {"raw": {"A": {"holding": {"70000": 7}, "input": {}}}}}', "no diag"),
        ('{"data": {"raw": {"A": {"module": {"1": 7}}}}}', "none ever answer"),
        ('{"data": {"raw": {}}}', "none ever answered"),
        ('{"data": {"raw": {"A": {"input": {}, "holding": {}}}}}', "none ever answer"),
    ],
)
def test_a_file_that_is_no_recording(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str | None, reason: str
) -> None:
    file = tmp_path / "report.json"
    if content is not None:
        file.write_text(content)
    assert program.main(["--replay", str(file), "--port", "0"]) == 1
    captured = capfd.readouterr()
    assert captured.out == ""
    assert reason in captured.err
