"""What all tests share."""

import custom_components  # noqa: F401  Found here, before the test package's own of that name.

# isort: split
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
import logging
from pathlib import Path
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
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowManager
from homeassistant.helpers import issue_registry as ir

from .groups import IMPATIENT, GroupOnTheWire, simulated_group_entry
from .texts import faults_of, faults_of_issues

# Every byte and every entity, which would bury what a failing test has to say.
for talkative in (
    "pymodbus",
    "homeassistant.helpers.entity_registry",
    "sqlalchemy.engine",
):
    logging.getLogger(talkative).setLevel(logging.WARNING)

type Fired = list[tuple[str | None, str]]
type Log = list[tuple[str, str]]
type AddSimulated = Callable[..., MockConfigEntry]
type StartGroup = Callable[..., Awaitable[GroupOnTheWire]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests that need a browser be asked for."""
    parser.addoption(
        "--browser", action="store_true", help="run the tests in a browser"
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out the tests in a browser unless they are asked for; begin with the longest."""
    if not config.getoption("--browser"):
        left_out = [item for item in items if "browser" in item.keywords]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if "browser" not in item.keywords]
    items.sort(key=lambda item: "long" not in item.keywords)


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
def own_folder(request: pytest.FixtureRequest) -> None:
    """Give each Home Assistant a folder of its own: tests run side by side."""
    if "hass" in request.fixturenames:
        hass: HomeAssistant = request.getfixturevalue("hass")
        hass.config.config_dir = str(request.getfixturevalue("tmp_path"))


@pytest.fixture(autouse=True)
def texts_are_complete(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a dialog or a repair shows something that has no text."""
    if "hass" not in request.fixturenames:
        yield
        return
    hass: HomeAssistant = request.getfixturevalue("hass")
    found: list[str] = []
    repairs: dict[str, str] = {}
    handle_step = FlowManager._async_handle_step

    async def look(manager: Any, flow: Any, *args: Any) -> Any:
        if flow.handler == DOMAIN and isinstance(manager, RepairsFlowManager):
            # Any step may find the issue settled.
            issue = ir.async_get(hass).async_get_issue(DOMAIN, flow.issue_id)
            if issue is not None:
                repairs[flow.flow_id] = str(issue.translation_key)
        result = await handle_step(manager, flow, *args)
        if flow.handler == DOMAIN and isinstance(manager, ConfigEntriesFlowManager):
            found.extend(faults_of(("config",), result))
        elif isinstance(manager, OptionsFlowManager):
            entry = hass.config_entries.async_get_entry(flow.handler)
            if entry is not None and entry.domain == DOMAIN:
                found.extend(faults_of(("options",), result))
        elif flow.flow_id in repairs:
            key = repairs[flow.flow_id]
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
def fired(hass: HomeAssistant) -> Iterator[Fired]:
    """Collect the events as automations see them: the unit, if one is meant, and event type."""
    collected: Fired = []

    @callback
    def listen(event: Event[Any]) -> None:
        old, new = event.data["old_state"], event.data["new_state"]
        if (
            event.data["entity_id"].startswith("event.")
            and new is not None
            and old is not None
            and new.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN)
            # An automation ignores what comes out of nowhere.
            and old.state not in (STATE_UNAVAILABLE, new.state)
        ):
            told = new.attributes
            collected.append((told.get("unit"), told["event_type"]))

    stop = hass.bus.async_listen(EVENT_STATE_CHANGED, listen)
    yield collected
    stop()


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
def owners_file(tmp_path: Path) -> Path:
    """Return where the owner's register map belongs; the folder is there."""
    folder = tmp_path / DOMAIN
    folder.mkdir()
    return folder / "a1_ess_g2.yaml"


@pytest.fixture
async def group_on_the_wire(start_group: StartGroup) -> GroupOnTheWire:
    """Return a group of four with a BI PRO, its entry not set up yet."""
    return await start_group()


@pytest.fixture
async def wire(start_group: StartGroup) -> GroupOnTheWire:
    """Return a group of two that is set up, and whose silence is soon noticed."""
    wire = await start_group(units=2, options=IMPATIENT)
    assert await wire.set_up()
    return wire
