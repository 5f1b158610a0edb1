"""Changing a group that is set up: how it is polled, how it is installed, what its loads are called."""

from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)

from .a1_ess.codes import Role
from .a1_ess.installation import is_wiring_order
from .a1_ess.roster import SECONDARIES
from .const import CONF_ROLE, CONF_SIMULATED, CONF_UNITS, CONF_WIRING_ORDER
from .coordinator import SolaxCoordinator
from .forms import (
    OPTIONS_SCHEMA,
    PLACES,
    SMART_LOADS_SCHEMA,
    installation_schema,
    wiring_order_schema,
)
from .installation import installation_of, with_answers
from .smart_loads import has_smart_loads


class SolaxOptionsFlow(OptionsFlowWithReload):
    """Changes how a group is polled, what its owner says of it, and what its loads may be told."""

    _typed: Mapping[str, Any] | None = None

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how to poll, what no inverter tells, and for the smart loads where there are any."""
        typed = self._remembered if self._typed is None else self._typed
        errors: dict[str, str] = {}
        if user_input is not None:
            shown = self._schema(typed).schema.keys()
            typed = self._typed = user_input
            asked = self._schema(typed).schema.keys()
            options = with_answers(self.config_entry.options, asked, user_input)
            order = options.get(CONF_WIRING_ORDER)
            if CONF_WIRING_ORDER in asked and not (
                order is None or is_wiring_order(order, self._secondaries)
            ):
                errors = {"base": "wiring_order"}
            # One answer can lead to another question.
            elif asked <= shown:
                return self.async_create_entry(data=options)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(self._schema(typed), typed),
            errors=errors,
        )

    @property
    def _coordinator(self) -> SolaxCoordinator | None:
        """What polls the group, while it is polled."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return None
        coordinator: SolaxCoordinator = self.config_entry.runtime_data
        return coordinator

    @property
    def _secondaries(self) -> list[Role]:
        """The secondaries by their numbers; none where a number is not known."""
        if (coordinator := self._coordinator) is not None:
            roles = {unit.role for unit in coordinator.wiring.group.units.values()}
        else:
            roles = {
                Role(unit[CONF_ROLE]) for unit in self.config_entry.data[CONF_UNITS]
            }
        if Role.SECONDARY in roles:
            return []
        return [role for role in SECONDARIES if role in roles]

    @property
    def _remembered(self) -> dict[str, Any]:
        """What the form is filled with at first."""
        order = installation_of(self.config_entry).wiring_order or ()
        fits = is_wiring_order(order, self._secondaries)
        return {
            **self.config_entry.options,
            CONF_WIRING_ORDER: dict(zip(PLACES, order, strict=False)) if fits else {},
        }

    def _schema(self, answers: Mapping[str, Any]) -> vol.Schema:
        """Return the form, with the questions that ``answers`` to others lead to."""
        schema = OPTIONS_SCHEMA
        if CONF_SIMULATED not in self.config_entry.data:
            coordinator = self._coordinator
            if coordinator is None:
                units, told = len(self.config_entry.data[CONF_UNITS]), None
            else:
                units = coordinator.data.units_expected
                told = coordinator.wiring.group.told_backup_interface
            schema = schema.extend(installation_schema(units, told, answers).schema)
        schema = schema.extend(wiring_order_schema(self._secondaries).schema)
        if has_smart_loads(self.hass, self.config_entry):
            schema = schema.extend(SMART_LOADS_SCHEMA.schema)
        return schema
