"""What all tests share."""

import custom_components  # noqa: F401  Found here, before the test package's own of that name.

# isort: split
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
import logging
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, mock_component

from custom_components.solax_parallel.const import DOMAIN
from custom_components.solax_parallel.simulator.server import SimulatorServer
from homeassistant.components.repairs.issue_handler import RepairsFlowManager
from homeassistant.config_entries import (
    ConfigEntriesFlowManager,
    ConfigEntryState,
    OptionsFlowManager,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager
from homeassistant.helpers import issue_registry as ir

from .groups import GroupOnTheWire, simulated_group_entry
from .texts import faults_of, faults_of_issues

# Every byte and every entity, which would bury what a failing test has to say.
for talkative in ("pymodbus", "homeassistant.helpers.entity_registry"):
    logging.getLogger(talkative).setLevel(logging.WARNING)

type Log = list[tuple[str, str]]
type AddSimulated = Callable[..., MockConfigEntry]
type StartGroup = Callable[..., Awaitable[GroupOnTheWire]]


@pytest.fixture(autouse=True)
def loopback(socket_enabled: None) -> None:
    """Allow sockets; the test package keeps them on this machine."""


@pytest.fixture
def enable_event_loop_debug() -> None:
    """Leave it off, unlike the test package: it would take up half of the tests' time."""


@pytest.fixture(autouse=True)
def custom_integration(request: pytest.FixtureRequest) -> None:
    """Let a Home Assistant, where a test has one, find the integration, and a disk in memory."""
    if "recorder_mock" in request.fixturenames:
        # The recorder has to be there before Home Assistant is.
        request.getfixturevalue("recorder_mock")
    if "hass" in request.fixturenames:
        request.getfixturevalue("hass_storage")
        request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
def texts_are_complete(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a dialog or a repair shows something that has no text."""
    if "hass" not in request.fixturenames:
        yield
        return
    hass: HomeAssistant = request.getfixturevalue("hass")
    found: list[str] = []
    handle_step = FlowManager._async_handle_step

    async def look(manager: Any, flow: Any, *args: Any) -> Any:
        result = await handle_step(manager, flow, *args)
        if flow.handler == DOMAIN and isinstance(manager, ConfigEntriesFlowManager):
            found.extend(faults_of(("config",), result))
        elif isinstance(manager, OptionsFlowManager):
            entry = hass.config_entries.async_get_entry(flow.handler)
            if entry is not None and entry.domain == DOMAIN:
                found.extend(faults_of(("options",), result))
        elif flow.handler == DOMAIN and isinstance(manager, RepairsFlowManager):
            issue = ir.async_get(hass).async_get_issue(DOMAIN, flow.issue_id)
            assert issue is not None
            key = str(issue.translation_key)
            found.extend(faults_of(("issues", key, "fix_flow"), result))
        return result

    with patch.object(FlowManager, "_async_handle_step", look):
        yield
    found.extend(faults_of_issues(hass))
    assert found == []


@pytest.fixture
def logged() -> Iterator[Log]:
    """Collect warnings and errors, as level and message.

    Unlike ``caplog`` it is there without pytest's logging plugin, too.
    """
    records: Log = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not record.name.startswith(("asyncio", "homeassistant.loader")):
                records.append((record.levelname, record.getMessage()))

    collector = Collector(logging.WARNING)
    logging.getLogger().addHandler(collector)
    yield records
    logging.getLogger().removeHandler(collector)


@pytest.fixture
async def unloaded_afterwards(hass: HomeAssistant) -> AsyncIterator[None]:
    """Unload every entry at the end of the test, which closes its links."""
    # What the setup of a group needs it for is not here, and it would look at real ports.
    mock_component(hass, "usb")
    yield
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is ConfigEntryState.LOADED:
            assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def add_simulated(hass: HomeAssistant, unloaded_afterwards: None) -> AddSimulated:
    """Add entries of groups that the integration plays itself, not set up yet."""

    def add(**kwargs: Any) -> MockConfigEntry:
        entry = simulated_group_entry(**kwargs)
        entry.add_to_hass(hass)
        return entry

    return add


@pytest.fixture
def simulated_entry(add_simulated: AddSimulated) -> MockConfigEntry:
    """Return the entry of a simulated group of four with a BI PRO, not set up yet."""
    return add_simulated()


@pytest.fixture
async def servers() -> AsyncIterator[list[SimulatorServer]]:
    """Stop at the end of the test what was put here."""
    started: list[SimulatorServer] = []
    yield started
    for server in started:
        await server.stop()


@pytest.fixture
def start_group(
    hass: HomeAssistant, servers: list[SimulatorServer], unloaded_afterwards: None
) -> StartGroup:
    """Start groups behind servers, with entries that are not set up yet."""

    async def start(**kwargs: Any) -> GroupOnTheWire:
        group = await GroupOnTheWire.start(hass, **kwargs)
        servers.append(group.server)
        return group

    return start


@pytest.fixture
async def group_on_the_wire(start_group: StartGroup) -> GroupOnTheWire:
    """Return a group of four with a BI PRO, its entry not set up yet."""
    return await start_group()
