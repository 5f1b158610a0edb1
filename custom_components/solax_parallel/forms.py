"""The forms that ask how to reach a group and how to poll it."""

import voluptuous as vol

from homeassistant.const import (
    CONF_DEVICE,
    CONF_HOST,
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
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
    TextSelector,
)

from .a1_ess.codes import BackupInterfaceType
from .const import (
    CONF_ADVANCED,
    CONF_ALLOW_CONTROL,
    CONF_BACKUP_INTERFACE,
    CONF_BAUDRATE,
    CONF_FRAMER,
    CONF_MESSAGE_SPACING,
    CONF_REQUIRE_COMPLETE,
    CONF_UNIT_ID,
    CONF_UNITS,
    DEFAULT_BAUDRATE,
    DEFAULT_MESSAGE_SPACING,
    DEFAULT_PORT,
    DEFAULT_SCAN_INTERVAL,
    DEFAULT_TIMEOUT,
)


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


SEARCH_SCHEMA = vol.Schema(
    {vol.Required(CONF_PORT, default=DEFAULT_PORT): _whole_number(1, 65535)}
)
TCP_SCHEMA = vol.Schema(
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
)
SERIAL_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_DEVICE): SerialPortSelector(),
        vol.Required(CONF_BAUDRATE, default=DEFAULT_BAUDRATE): _whole_number(
            1200, 921600
        ),
    }
)
SIMULATED_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_UNITS, default=4): _whole_number(1, 4),
        vol.Required(
            CONF_BACKUP_INTERFACE, default=BackupInterfaceType.BI_PRO
        ): _choice(list(BackupInterfaceType), CONF_BACKUP_INTERFACE),
    }
)
OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_SCAN_INTERVAL, default=DEFAULT_SCAN_INTERVAL): _whole_number(
            5, 300, UnitOfTime.SECONDS
        ),
        vol.Required(
            CONF_MESSAGE_SPACING, default=DEFAULT_MESSAGE_SPACING
        ): _whole_number(0, 1000, UnitOfTime.MILLISECONDS),
        vol.Required(CONF_TIMEOUT, default=DEFAULT_TIMEOUT): _whole_number(
            1, 10, UnitOfTime.SECONDS
        ),
        vol.Required(CONF_REQUIRE_COMPLETE, default=False): BooleanSelector(),
        vol.Required(CONF_ALLOW_CONTROL, default=False): BooleanSelector(),
    }
)
