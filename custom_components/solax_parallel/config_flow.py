"""Adding a group: find its inverters, show them, and remember them."""

import asyncio
from collections.abc import Iterable, Mapping
import secrets
from typing import Any, override

from modbus_connection import ModbusError
import voluptuous as vol

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import (
    CONF_HOST,
    CONF_PORT,
    CONF_SCAN_INTERVAL,
    CONF_TIMEOUT,
    CONF_TYPE,
    UnitOfTime,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers import translation
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
)

from .a1_ess.checks import run_checks
from .a1_ess.codes import BackupInterfaceType, ModelType, Role
from .a1_ess.inverter import Member
from .a1_ess.link import Link
from .a1_ess.profile import Profile, ProfileError
from .a1_ess.registers import RegisterSource
from .a1_ess.scan import SCAN_TIMEOUT, SCANNED_IDS, Found, Scan, scan
from .const import (
    CONF_ADVANCED,
    CONF_BACKUP_INTERFACE,
    CONF_FRAMER,
    CONF_MESSAGE_SPACING,
    CONF_RATED_POWER,
    CONF_SIMULATED,
    CONF_UNIT_ID,
    CONF_UNITS,
    DEFAULT_MESSAGE_SPACING,
    DEFAULT_PORT,
    DEFAULT_SCAN_INTERVAL,
    DEFAULT_TIMEOUT,
    DOMAIN,
)
from .simulator.group import serial_numbers
from .wiring import async_load_profile, link_params, unit_data

_SIMULATED_RATED_POWER = 7600
_SCAN_SPACING = 0.1
_ROLES = list(Role)


def _whole_number(
    minimum: int, maximum: int, unit: str | None = None, step: int = 1
) -> vol.All:
    config = NumberSelectorConfig(
        min=minimum, max=maximum, step=step, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _choice(options: list[str], translation_key: str) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(options=options, translation_key=translation_key)
    )


TCP_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): _whole_number(1, 65535),
        vol.Required(CONF_ADVANCED): section(
            vol.Schema(
                {
                    vol.Optional(CONF_FRAMER, default="tcp"): _choice(
                        ["tcp", "rtu"], CONF_FRAMER
                    ),
                    vol.Optional(CONF_UNIT_ID): _whole_number(1, 247),
                }
            ),
            {"collapsed": True},
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
    }
)


class SolaxConfigFlow(ConfigFlow, domain=DOMAIN):
    """Leads from an address to a group."""

    _input: Mapping[str, Any]
    _link: Mapping[str, Any]
    _profile: Profile
    _scan: Scan
    _scanning: asyncio.Task[Scan] | None = None

    def __init__(self) -> None:
        """Start without anything that could go wrong."""
        self._errors: dict[str, str] = {}
        self._error_details: dict[str, str] = {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> SolaxOptionsFlow:
        """Return the flow that changes how a group is polled."""
        return SolaxOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the inverters can be reached."""
        return self.async_show_menu(step_id="user", menu_options=["tcp", "simulated"])

    async def async_step_tcp(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address of the inverters."""
        if user_input is not None:
            self._input = user_input
            self._link = {
                CONF_TYPE: "tcp",
                CONF_HOST: user_input[CONF_HOST].strip(),
                CONF_PORT: user_input[CONF_PORT],
                CONF_FRAMER: user_input[CONF_ADVANCED][CONF_FRAMER],
            }
            if await self._async_has_profile():
                return await self.async_step_scan()
        return self.async_show_form(
            step_id="tcp",
            data_schema=self.add_suggested_values_to_schema(
                TCP_SCHEMA, getattr(self, "_input", {})
            ),
            errors=self._errors,
            description_placeholders=self._error_details,
        )

    async def async_step_scan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for inverters behind the address."""
        if self._scanning is None:
            self._scanning = self.hass.async_create_task(self._async_scan())
        if not self._scanning.done():
            return self.async_show_progress(
                step_id="scan",
                progress_action="scan",
                progress_task=self._scanning,
                description_placeholders={
                    "host": self._link[CONF_HOST],
                    "port": str(self._link[CONF_PORT]),
                },
            )
        scanning, self._scanning = self._scanning, None
        self._errors, self._error_details = {}, {}
        try:
            self._scan = scanning.result()
        except (ModbusError, OSError) as err:
            self._errors = {"base": "cannot_connect"}
            self._error_details = {"error": str(err)}
        else:
            self._judge_scan()
        return self.async_show_progress_done(
            next_step_id="tcp" if self._errors else "confirm"
        )

    async def _async_scan(self) -> Scan:
        """Ask every id who it is; raises ``ModbusError`` when the link can't be opened."""
        link = Link(
            link_params(self._link),
            timeout=SCAN_TIMEOUT,
            message_spacing=_SCAN_SPACING,
        )
        unit_id = self._input[CONF_ADVANCED].get(CONF_UNIT_ID)
        try:
            await link.connect()
            return await scan(
                lambda unit_id: RegisterSource(link.for_unit(unit_id), self._profile),
                self._profile,
                unit_ids=SCANNED_IDS if unit_id is None else [unit_id],
                progress=lambda found: self.async_update_progress(
                    len(found.found) / len(SCANNED_IDS)
                ),
            )
        finally:
            await link.close()

    def _judge_scan(self) -> None:
        """Note what keeps the found inverters from being a group."""
        if not self._scan.inverters:
            self._errors = {"base": "no_inverter"}
        elif self._scan.primary is None:
            self._errors = {"base": "no_primary"}
            self._error_details = {
                "units": ", ".join(
                    f"{found.role} (id {found.unit_id})"
                    for found in self._scan.inverters
                )
            }

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what was found, and add it."""
        primary = self._scan.primary
        assert primary is not None
        assert primary.member is not None
        await self.async_set_unique_id(primary.member.serial_number)
        self._abort_if_unique_id_configured()
        if user_input is not None:
            return self.async_create_entry(
                title=f"SolaX Parallel ({self._link[CONF_HOST]})",
                data={
                    CONF_UNITS: [
                        unit_data(found.member, self._link)
                        for found in self._in_order
                        if found.member is not None
                    ]
                },
            )
        words = await translation.async_get_translations(
            self.hass, self.hass.config.language, "selector", {DOMAIN}
        )
        failed = [
            check
            for check, passed in run_checks(
                self._scan.inverters, self._scan.unit_quantity
            ).items()
            if passed is False
        ]
        return self.async_show_form(
            step_id="confirm",
            description_placeholders={
                "units": _table(self._in_order, words),
                "found": str(len(self._scan.inverters)),
                "quantity": str(self._scan.unit_quantity or "?"),
                "checks": "\n".join(
                    f"- {_word(words, 'check', check)}" for check in failed
                )
                or _word(words, "check", "none_failed"),
            },
        )

    @property
    def _in_order(self) -> list[Found]:
        """The inverters found, the primary first."""
        return sorted(
            self._scan.inverters,
            key=lambda found: _ROLES.index(found.role or Role.SECONDARY),
        )

    async def async_step_simulated(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add a group that is played by this computer."""
        if user_input is not None and await self._async_has_profile():
            serials = serial_numbers(
                f"SIM{secrets.token_hex(3).upper()}", user_input[CONF_UNITS]
            )
            await self.async_set_unique_id(serials[0])
            self._abort_if_unique_id_configured()
            roles = (Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)
            members = [
                Member(
                    serial_number=serial,
                    unit_id=unit_id,
                    role=role,
                    rated_power=_SIMULATED_RATED_POWER,
                    model_type=ModelType.A1_HYB_G2,
                )
                for unit_id, (serial, role) in enumerate(
                    zip(serials, roles, strict=False), start=1
                )
            ]
            return self.async_create_entry(
                title="SolaX Parallel (simulated)",
                data={
                    CONF_UNITS: [unit_data(member, None) for member in members],
                    CONF_SIMULATED: {
                        CONF_BACKUP_INTERFACE: user_input[CONF_BACKUP_INTERFACE],
                        CONF_RATED_POWER: _SIMULATED_RATED_POWER,
                    },
                },
            )
        return self.async_show_form(
            step_id="simulated",
            data_schema=self.add_suggested_values_to_schema(
                SIMULATED_SCHEMA, user_input
            ),
            errors=self._errors,
            description_placeholders=self._error_details,
        )

    async def _async_has_profile(self) -> bool:
        """Load the register map; note what is wrong with it where it can't be used."""
        self._errors, self._error_details = {}, {}
        try:
            self._profile = await async_load_profile(self.hass)
        except ProfileError as err:
            self._errors = {"base": "invalid_profile"}
            self._error_details = {"error": str(err)}
            return False
        return True


class SolaxOptionsFlow(OptionsFlowWithReload):
    """Changes how a group is polled."""

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how often and how gently to poll."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                OPTIONS_SCHEMA, self.config_entry.options
            ),
        )


def _word(words: Mapping[str, str], selector: str, option: str) -> str:
    """Return the translated name of an option."""
    return words.get(f"component.{DOMAIN}.selector.{selector}.options.{option}", option)


def _table(found: Iterable[Found], words: Mapping[str, str]) -> str:
    """Return the inverters as a table that the dialog can draw; unknown is a question mark."""
    columns = ("role", "serial_number", "firmware", "rated_power")
    rows = [
        [_word(words, "unit_column", column) for column in columns],
        ["---"] * len(columns),
    ]
    for unit in found:
        identity = unit.identity
        assert identity is not None
        assert unit.role is not None
        rows.append(
            [
                _word(words, "role", unit.role),
                identity.serial_number,
                identity.firmware or "?",
                f"{identity.rated_power} W" if identity.rated_power else "?",
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
