"""What reaches the wire, whatever is done in whatever order: nothing but what was asked for."""

from collections.abc import Coroutine
import os
from pathlib import Path
from typing import Any, override

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
import pytest

from custom_components.solax_parallel.a1_ess import control
from custom_components.solax_parallel.a1_ess.control import COMMANDS, Kind
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.commands import async_command
from custom_components.solax_parallel.const import (
    CONF_ALLOW_CONTROL,
    CONF_HIDDEN,
    CONF_MINIMUM_SWITCH_TIME,
    CONF_SMART_LOADS,
    DOMAIN,
)
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE, Relay
from homeassistant.const import CONF_TIMEOUT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .conftest import StartGroup
from .groups import QUICK, GroupOnTheWire, is_loaded, poll, set_up, stop

RUNS = int(os.environ.get("RUNS", "100"))
"""How many lives a group with the shipped register map has."""

OPTIONS = {
    **QUICK,
    CONF_TIMEOUT: 0.1,
    CONF_ALLOW_CONTROL: True,
    CONF_MINIMUM_SWITCH_TIME: 0,
}
"""Options that allow as much as there can be."""

SERVICES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("switch.turn_on", {}),
    ("switch.turn_off", {}),
    ("switch.toggle", {}),
    ("select.select_option", {"option": "manual"}),
    ("select.select_option", {"option": "automatic"}),
    ("button.press", {}),
    ("homeassistant.turn_on", {}),
    ("homeassistant.turn_off", {}),
    ("homeassistant.toggle", {}),
    ("homeassistant.update_entity", {}),
)
ANSWERING = ("validate_profile", "commissioning_report")
ACTIONS = (*ANSWERING, "start_transfer_test")
ORDERS = [
    (key, value)
    for key, (_, kind) in COMMANDS.items()
    for value in (("on", "off") if kind is Kind.SWITCH else ("manual", "disabled"))
]
AILMENTS = (NONE, OFFLINE, "fan", "parallel_rs485_fault")


class House(RuleBasedStateMachine):
    """A home with a group on the wire, and what its owner may do in any order.

    ``proven`` is whether the owner's register map proves every command.
    """

    def __init__(self, wire: GroupOnTheWire, *, proven: bool) -> None:
        super().__init__()
        self.wire = wire
        self.hass = wire.hass
        self.proven = proven
        self.asked: list[tuple[int, int, int]] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let Home Assistant do something, and all that comes of it."""

        async def wait() -> None:
            await work
            await self.hass.async_block_till_done(wait_background_tasks=True)

        self.hass.loop.run_until_complete(wait())

    @initialize()
    def begin(self) -> None:
        """Begin every run alike: everybody is well and polled, and as much allowed as can be."""
        for serial in self.wire.group.serial_numbers:
            self.wire.group.inject(serial, NONE)
        self.wire.group.relay = Relay.SOUND
        self.wire.group.grid_closed = True
        for number in range(1, 7):
            self.wire.group.command(number, Kind.MODE, "manual")
            self.wire.group.command(number, Kind.SWITCH, "off")
        self.do(self._begin())

    async def _begin(self) -> None:
        if not self.wire.server.listening:
            await self.wire.server.start()
        await self._set_options()
        await self._set_polling(on=True)
        await poll(self.hass)
        self.wire.server.writes.clear()

    async def _set_options(self, **options: Any) -> None:
        options = {**OPTIONS, **options}
        if self.wire.entry.options != options or not is_loaded(self.wire.entry):
            self.hass.config_entries.async_update_entry(
                self.wire.entry, options=options
            )
            await self._reload()

    async def _reload(self) -> None:
        await self.hass.config_entries.async_reload(self.wire.entry.entry_id)

    async def _set_polling(self, *, on: bool) -> None:
        if is_loaded(self.wire.entry):
            await self.wire.entry.runtime_data.async_set_polling(on=on)

    async def _call(self, name: str, **data: Any) -> None:
        domain, _, service = name.partition(".")
        try:
            await self.hass.services.async_call(
                domain,
                service,
                data,
                blocking=True,
                return_response=service in ANSWERING,
            )
        except HomeAssistantError:
            # A refusal is as good as an answer: what counts is what the server has seen.
            return

    @rule(called=st.sampled_from(SERVICES), of_loads=st.booleans(), at=st.integers(0))
    def call(self, called: tuple[str, dict[str, Any]], of_loads: bool, at: int) -> None:
        """Call a service for an entity, whatever its platform."""
        entities = sorted(
            entity.entity_id
            for entity in er.async_entries_for_config_entry(
                er.async_get(self.hass), self.wire.entry.entry_id
            )
            if ("_smart_load_" in entity.unique_id) is of_loads
            # Those of a proven load are what ``command`` is about.
            and not (self.proven and of_loads and entity.domain in ("switch", "select"))
        )
        name, data = called
        entity_id = entities[at % len(entities)]
        self.do(self._call(name, entity_id=entity_id, **data))

    @rule(action=st.sampled_from(ACTIONS))
    def act(self, action: str) -> None:
        """Call an action of the integration."""
        self.do(self._call(f"{DOMAIN}.{action}"))

    @rule(order=st.sampled_from(ORDERS))
    def command(self, order: tuple[str, str]) -> None:
        """Give a command as the entities do, whether there are any or not."""
        if is_loaded(self.wire.entry):
            self.do(self._command(*order))

    async def _command(self, key: str, value: str) -> None:
        coordinator = self.wire.entry.runtime_data
        try:
            await async_command(coordinator, "It", key, value)
        except ServiceValidationError:
            return
        except HomeAssistantError:
            assert self.wire.group.relay is Relay.REFUSING
        assert self.proven, "it was not refused"
        command = coordinator.wiring.profile.commands[key]
        self.asked.append((1, command.address, command.code(value)))

    @rule(allowed=st.booleans(), hidden=st.sets(st.sampled_from("16")))
    def change_options(self, allowed: bool, hidden: set[str]) -> None:
        """Change the options."""
        options = {
            CONF_ALLOW_CONTROL: allowed,
            CONF_SMART_LOADS: {CONF_HIDDEN: sorted(hidden)},
        }
        self.do(self._set_options(**options))

    @rule(on=st.booleans())
    def switch_polling(self, on: bool) -> None:
        """Switch polling."""
        self.do(self._set_polling(on=on))

    @rule()
    def reload(self) -> None:
        """Reload the integration."""
        self.do(self._reload())

    @rule()
    def restart(self) -> None:
        """Restart Home Assistant, as far as the integration can tell."""
        if is_loaded(self.wire.entry):
            self.do(self._restart())

    async def _restart(self) -> None:
        await stop(self.hass, self.wire.entry)
        await set_up(self.hass, self.wire.entry)

    @rule()
    def wait(self) -> None:
        """Let the time of the next poll come."""
        self.do(poll(self.hass))

    @rule(ailment=st.sampled_from(AILMENTS), at=st.integers(0))
    def ail(self, ailment: str, at: int) -> None:
        """Let something happen to an inverter."""
        serials = self.wire.group.serial_numbers
        self.wire.group.inject(serials[at % len(serials)], ailment)

    @rule(closed=st.booleans())
    def throw_breaker(self, closed: bool) -> None:
        """Open or close the main breaker."""
        self.wire.group.grid_closed = closed

    @rule(number=st.integers(1, 6), value=st.sampled_from(("on", "off")))
    def switch_elsewhere(self, number: int, value: str) -> None:
        """Let somebody switch a load in the app."""
        self.wire.group.command(number, Kind.SWITCH, value)

    @rule(relay=st.sampled_from((Relay.SOUND, Relay.REFUSING)))
    def wear(self, relay: Relay) -> None:
        """Let the relays begin to refuse, or work again."""
        self.wire.group.relay = relay

    @rule()
    def plug(self) -> None:
        """Let the gateway go away, or come back."""
        server = self.wire.server
        self.do(server.vanish() if server.listening else server.start())

    @invariant()
    def only_what_was_asked_for_is_written(self) -> None:
        """Compare with every request that the server has seen and that is no read."""
        assert self.wire.server.writes == self.asked


def live_in(
    hass: HomeAssistant, wire: GroupOnTheWire, *, proven: bool, runs: int
) -> int:
    """Do anything in any order, ``runs`` times, and return how much was asked for and written."""
    asked = 0

    class ThisHouse(House):
        def __init__(self) -> None:
            super().__init__(wire, proven=proven)

        @override
        def teardown(self) -> None:
            nonlocal asked
            asked += len(self.asked)

    for component in ("homeassistant", DOMAIN):
        assert hass.loop.run_until_complete(async_setup_component(hass, component, {}))
    assert is_loaded(wire.entry)
    run_state_machine_as_test(
        ThisHouse,
        settings=settings(
            max_examples=runs,
            stateful_step_count=8,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return asked


@pytest.fixture
async def wire(start_group: StartGroup) -> GroupOnTheWire:
    """Return a group behind a link that is not simulated, not set up yet."""
    return await start_group(units=1, options=OPTIONS)


@pytest.mark.long
def test_with_the_shipped_map_nothing_is_ever_written(
    hass: HomeAssistant, wire: GroupOnTheWire
) -> None:
    assert live_in(hass, wire, proven=False, runs=RUNS) == 0


@pytest.mark.long
def test_what_is_proven_is_written_as_asked_and_in_order(
    hass: HomeAssistant,
    wire: GroupOnTheWire,
    owners_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Whether it stays so is another test's matter.
    monkeypatch.setattr(control, "STEADY_TIME", 0)
    owners_file.write_text(
        "commands:\n"
        + "".join(
            f"  {key}: {{grade: field, source: my relays}}\n"
            for key in load_profile().commands
        )
    )
    assert live_in(hass, wire, proven=True, runs=100) > 20
