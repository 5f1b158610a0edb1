"""The forms that ask how to reach a group, how it is installed and how to poll it."""

from collections.abc import Mapping, Sequence
from typing import Any

import voluptuous as vol

from homeassistant.const import (
    CONF_DEVICE,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SCAN_INTERVAL,
    CONF_TIMEOUT,
    UnitOfTime,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .a1_ess.codes import BackupInterfaceType, Role
from .a1_ess.family import MAX_UNITS, SMART_LOADS
from .a1_ess.installation import needs_combiner_box, needs_termination
from .const import (
    CONF_ADVANCED,
    CONF_ALLOW_CONTROL,
    CONF_BACKUP_INTERFACE,
    CONF_BAUDRATE,
    CONF_COMBINER_BOX,
    CONF_FRAMER,
    CONF_HIDDEN,
    CONF_INTERFACE,
    CONF_MESSAGE_SPACING,
    CONF_MINIMUM_SWITCH_TIME,
    CONF_REQUIRE_COMPLETE,
    CONF_ROLE,
    CONF_SERIAL_NUMBER,
    CONF_SMART_LOADS,
    CONF_TERMINATION,
    CONF_UNIT_ID,
    CONF_UNITS,
    CONF_WIRING_ORDER,
    DEFAULT_BAUDRATE,
    DEFAULT_MESSAGE_SPACING,
    DEFAULT_MINIMUM_SWITCH_TIME,
    DEFAULT_PORT,
    DEFAULT_SCAN_INTERVAL,
    DEFAULT_TIMEOUT,
    LONGEST_SCAN_INTERVAL,
    MODBUS,
    MODULE,
    NO,
    SHORTEST_SCAN_INTERVAL,
    YES,
)
from .smart_loads import name_field

PLACES = ("first", "second", "third")
"""The places on the COMM chain behind the primary."""


def _whole_number(minimum: int, maximum: int, unit: str | None = None) -> vol.All:
    config = NumberSelectorConfig(
        min=minimum, max=maximum, step=1, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _choice(options: list[str], translation_key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options,
            translation_key=translation_key,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


_PASSWORD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))

STEP_SCHEMAS: Mapping[str, vol.Schema] = {
    "search": vol.Schema(
        {vol.Required(CONF_PORT, default=DEFAULT_PORT): _whole_number(1, 65535)}
    ),
    "tcp": vol.Schema(
        {
            vol.Required(CONF_HOST): TextSelector(),
            vol.Required(CONF_PORT, default=DEFAULT_PORT): _whole_number(1, 65535),
            vol.Optional(CONF_ADVANCED, default=dict): section(
                vol.Schema(
                    {
                        vol.Optional(CONF_FRAMER, default="auto"): _choice(
                            ["auto", "tcp", "rtu"], CONF_FRAMER
                        ),
                        vol.Optional(CONF_UNIT_ID): _whole_number(1, 247),
                    }
                ),
                {"collapsed": True},
            ),
        }
    ),
    "serial": vol.Schema(
        {
            vol.Required(CONF_DEVICE): SerialPortSelector(),
            vol.Required(CONF_BAUDRATE, default=DEFAULT_BAUDRATE): _whole_number(
                1200, 921600
            ),
        }
    ),
    "module": vol.Schema(
        {
            vol.Required(CONF_HOST): TextSelector(),
            vol.Required(CONF_PASSWORD): _PASSWORD,
        }
    ),
    "role": vol.Schema(
        {
            vol.Required(CONF_ROLE): _choice(
                [role for role in Role if role is not Role.SECONDARY], CONF_ROLE
            )
        }
    ),
    "simulated": vol.Schema(
        {
            vol.Required(CONF_UNITS, default=MAX_UNITS): _whole_number(1, MAX_UNITS),
            vol.Required(
                CONF_BACKUP_INTERFACE, default=BackupInterfaceType.BI_PRO
            ): _choice(list(BackupInterfaceType), CONF_BACKUP_INTERFACE),
            vol.Required(CONF_INTERFACE, default=MODBUS): _choice(
                [MODBUS, MODULE], CONF_INTERFACE
            ),
        }
    ),
    "reauth_confirm": vol.Schema({vol.Required(CONF_PASSWORD): _PASSWORD}),
}
"""The forms that are always the same, by the step that shows them."""

OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SCAN_INTERVAL, default=DEFAULT_SCAN_INTERVAL): _whole_number(
            SHORTEST_SCAN_INTERVAL, LONGEST_SCAN_INTERVAL, UnitOfTime.SECONDS
        ),
        vol.Required(
            CONF_MESSAGE_SPACING, default=DEFAULT_MESSAGE_SPACING
        ): _whole_number(0, 1000, UnitOfTime.MILLISECONDS),
        vol.Required(CONF_TIMEOUT, default=DEFAULT_TIMEOUT): _whole_number(
            1, 10, UnitOfTime.SECONDS
        ),
        vol.Required(CONF_REQUIRE_COMPLETE, default=False): BooleanSelector(),
        vol.Required(CONF_ALLOW_CONTROL, default=False): BooleanSelector(),
        vol.Required(
            CONF_MINIMUM_SWITCH_TIME, default=DEFAULT_MINIMUM_SWITCH_TIME
        ): _whole_number(0, 3600, UnitOfTime.SECONDS),
    }
)
SMART_LOADS_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_SMART_LOADS): section(
            vol.Schema(
                {
                    **{
                        vol.Optional(name_field(number)): TextSelector()
                        for number in SMART_LOADS
                    },
                    vol.Optional(CONF_HIDDEN): SelectSelector(
                        SelectSelectorConfig(
                            options=[str(number) for number in SMART_LOADS],
                            multiple=True,
                            translation_key="smart_load",
                        )
                    ),
                }
            ),
            {"collapsed": True},
        )
    }
)


def choice_schema(primaries: Mapping[str, str]) -> vol.Schema:
    """Return the form that asks for one of ``primaries``: labels by serial number, at least one."""
    options = [
        SelectOptionDict(value=serial_number, label=label)
        for serial_number, label in primaries.items()
    ]
    return vol.Schema(
        {
            vol.Required(
                CONF_SERIAL_NUMBER, default=options[0]["value"]
            ): SelectSelector(
                SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST)
            )
        }
    )


def members_schema(roles: Sequence[Role]) -> vol.Schema:
    """Return the form that asks where each of some secondaries can be reached, if anywhere."""
    return vol.Schema(
        {
            field: selector
            for role in roles
            for field, selector in (
                (vol.Optional(role), TextSelector()),
                (vol.Optional(password_field(role)), _PASSWORD),
            )
        }
    )


def password_field(role: Role) -> str:
    """Return the field for the password of the module through which a secondary is read."""
    return f"{role}_password"


def installation_schema(
    units: int, told: BackupInterfaceType | None, answers: Mapping[str, Any]
) -> vol.Schema:
    """Return the form for what only the owner knows, as far as it applies.

    ``units`` is how many inverters the group has, ``told`` its backup interface as the primary
    tells it, None where it does not. One of ``answers`` can lead to another question.
    """
    answered = answers.get(CONF_BACKUP_INTERFACE)
    backup_interface = told or (
        None if answered is None else BackupInterfaceType(answered)
    )
    fields: dict[vol.Marker, SelectSelector] = {}
    if told is None:
        fields[vol.Optional(CONF_BACKUP_INTERFACE)] = _choice(
            list(BackupInterfaceType), CONF_BACKUP_INTERFACE
        )
    if needs_combiner_box(units, backup_interface):
        fields[vol.Optional(CONF_COMBINER_BOX)] = _choice([YES, NO], "yes_no")
    if needs_termination(units):
        fields[vol.Optional(CONF_TERMINATION)] = _choice([YES, NO], "yes_no")
    return vol.Schema(fields)


def wiring_order_schema(secondaries: Sequence[Role]) -> vol.Schema:
    """Return the form for the order of ``secondaries``; with less than two there is only one."""
    if len(secondaries) < 2:
        return vol.Schema({})
    places = {
        vol.Optional(place): _choice(list(secondaries), CONF_ROLE)
        for place, _ in zip(PLACES, secondaries, strict=False)
    }
    return vol.Schema(
        {
            vol.Optional(CONF_WIRING_ORDER, default=dict): section(
                vol.Schema(places), {"collapsed": True}
            )
        }
    )
