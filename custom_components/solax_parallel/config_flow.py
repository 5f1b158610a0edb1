"""Adding a group: find its inverters, however they are wired, show them, remember them."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, override

from modbus_connection import ModbusError
import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import callback

from .a1_ess.codes import Role
from .a1_ess.identity import Identity
from .a1_ess.profile import Profile, ProfileError
from .a1_ess.roster import (
    Placed,
    Refusal,
    Roster,
    RosterError,
    checks_of,
    group_of,
    leading,
)
from .a1_ess.scan import SCANNED_IDS, FoundInverter, Scan, behind_module, scan_place
from .a1_ess.source import ReadError
from .addresses import (
    AddressError,
    addresses_of,
    links_typed,
    module_typed,
    place_typed,
)
from .const import (
    CONF_ADVANCED,
    CONF_ALLOW_CONTROL,
    CONF_BACKUP_INTERFACE,
    CONF_INTERFACE,
    CONF_LINK,
    CONF_ROLE,
    CONF_SERIAL_NUMBER,
    CONF_SIMULATED,
    CONF_UNIT_ID,
    CONF_UNITS,
    DENIED,
    DOMAIN,
)
from .discovery import (
    Outcome,
    async_find_secondaries,
    async_networks,
    async_paused,
    async_search,
)
from .entry_data import (
    group_data,
    known_serial_numbers,
    link_of,
    primary_of,
    roles_let_go,
    simulated_data,
)
from .forms import (
    STEP_SCHEMAS,
    choice_schema,
    installation_schema,
    members_schema,
)
from .installation import installation_from, with_answers
from .links import (
    AnyLink,
    ModbusLink,
    ModuleLink,
    Place,
    address_of,
)
from .modules import async_ask_module, error_key
from .options_flow import SolaxOptionsFlow
from .register_map import async_load_profile, mistake_in_words
from .tables import answers_in_words, check_table, unit_line, unit_table
from .words import Words


class SolaxConfigFlow(ConfigFlow, domain=DOMAIN):
    """Leads from "somewhere there are inverters" to a group.

    Whatever finds inverters (``search``, ``tcp``, ``serial``, ``module``, ``members``) adds them
    to one roster, and the roster says what comes next.
    """

    _words: Words
    _profile: Profile
    _asked: str
    _candidates: Sequence[ModbusLink]
    _module: ModuleLink
    _behind_module: Identity
    _places: dict[Role, Place]
    _denied: list[str]
    _work: asyncio.Task[Any] | None = None

    def __init__(self) -> None:
        """Start with nobody found and nothing typed."""
        self._roster: Roster[AnyLink] = Roster()
        self._searched: list[Placed[AnyLink]] = []
        self._answers = ""
        self._typed: dict[str, Mapping[str, Any]] = {}
        self._errors: dict[str, str] = {}
        self._details: dict[str, str] = {}

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
        self._words = await Words.async_load(self.hass)
        return self.async_show_menu(
            step_id="user",
            menu_options=["search", "tcp", "serial", "module", "simulated"],
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Find the inverters of a group anew, to change how they are reached or who they are."""
        entry = self._get_reconfigure_entry()
        if CONF_SIMULATED in entry.data:
            return self.async_abort(reason="simulated_has_no_links")
        self._words = await Words.async_load(self.hass)
        self._typed = {**addresses_of(entry), "confirm": entry.options}
        return self.async_show_menu(
            step_id="reconfigure", menu_options=["search", "tcp", "serial", "module"]
        )

    # Searching the local networks

    async def async_step_search(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what will be searched, and search it."""
        networks = await async_networks(self.hass)
        if not networks:
            return self._form_with_error("tcp", "no_network")
        if user_input is not None:
            self._typed["search"] = user_input
            if await self._async_has_profile():
                return await self.async_step_searching()
        return self._form("search", networks=", ".join(map(str, networks)))

    async def async_step_searching(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for inverters on the local networks."""
        return self._progress(
            "searching",
            lambda: async_search(
                self.hass,
                self._typed["search"][CONF_PORT],
                self._profile,
                progress=self.async_update_progress,
            ),
            "searched",
            networks=", ".join(map(str, await async_networks(self.hass))),
        )

    async def async_step_searched(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the search found, or go on by address."""
        found: list[Placed[AnyLink]] = self._take_result()
        taken = self._serial_numbers_elsewhere
        self._searched = [each for each in found if each.serial_number not in taken]
        self._typed["tcp"] = {CONF_PORT: self._typed["search"][CONF_PORT]}
        if not self._searched:
            return self._form_with_error(
                "tcp", "all_set_up" if found else "nothing_found"
            )
        if not leading(self._searched):
            return self._await_primary("tcp", Roster(self._searched))
        return await self.async_step_choose()

    async def async_step_choose(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the owner choose among the groups that were found."""
        if user_input is not None:
            chosen = next(
                each
                for each in leading(self._searched)
                if each.serial_number == user_input[CONF_SERIAL_NUMBER]
            )
            try:
                roster = group_of(chosen, self._searched)
                roster.check(self._serial_numbers_elsewhere)
            except RosterError as err:
                self._errors = {"base": err.refusal}
            else:
                return await self._async_step_next(roster)
        return self._form("choose", units=unit_table(self._searched, self._words))

    # Looking behind one address

    async def async_step_tcp(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address of the inverters."""
        return await self._async_ask_address("tcp", user_input)

    async def async_step_serial(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the serial port of the inverters."""
        return await self._async_ask_address("serial", user_input)

    async def _async_ask_address(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask for an address, and look behind it as soon as it can be one."""
        if user_input is None:
            return self._form(step_id)
        self._typed[step_id] = user_input
        try:
            self._candidates = links_typed(step_id, user_input)
        except AddressError as err:
            return self._form_with_error(step_id, err.key, err.field)
        if not await self._async_has_profile():
            return self._form(step_id)
        self._asked = step_id
        return await self.async_step_scan()

    async def async_step_scan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for inverters behind the address."""
        unit_id = self._typed[self._asked].get(CONF_ADVANCED, {}).get(CONF_UNIT_ID)
        return self._progress(
            "scan",
            lambda: scan_place(
                [link.params for link in self._candidates],
                self._profile,
                unit_ids=SCANNED_IDS if unit_id is None else [unit_id],
                progress=self.async_update_progress,
            ),
            "scanned",
            address=str(self._candidates[0]),
        )

    async def async_step_scanned(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take in what was found, or say what is wrong with it."""
        address = str(self._candidates[0])
        try:
            result: Scan = self._take_result()
        except ModbusError, OSError:
            return self._form_with_error(self._asked, "cannot_connect", address=address)
        self._answers = answers_in_words(result, self._words)
        if result.settled is None or not result.inverters:
            return self._form_with_error(
                self._asked, "no_inverter", address=address, answers=self._answers
            )
        return await self._async_take_in(
            self._asked, result.inverters, self._candidates[result.settled]
        )

    # Asking a module

    async def async_step_module(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address of a monitoring module and for its password."""
        if user_input is None:
            return self._form("module")
        # The password is asked for anew: a form must not hand it out.
        self._typed["module"] = {CONF_HOST: user_input[CONF_HOST]}
        try:
            self._module = module_typed(user_input)
        except AddressError as err:
            return self._form_with_error("module", err.key, err.field)
        if not await self._async_has_profile():
            return self._form("module")
        return await self.async_step_ask_module()

    async def async_step_ask_module(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the module which inverter it hangs on."""
        return self._progress(
            "ask_module",
            lambda: async_ask_module(self.hass, self._module, self._profile),
            "module_asked",
            address=str(self._module),
        )

    async def async_step_module_asked(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take in the inverter behind the module, or say what is wrong."""
        try:
            self._behind_module = self._take_result()
        except ReadError as err:
            return self._form_with_error("module", error_key(err))
        if self._behind_module.role is None:
            return self._form("role", serial=self._behind_module.serial_number)
        return await self._async_take_behind_module(self._behind_module.role)

    async def async_step_role(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the role that the module does not tell from the owner."""
        assert user_input is not None
        return await self._async_take_behind_module(Role(user_input[CONF_ROLE]))

    async def _async_take_behind_module(self, role: Role) -> ConfigFlowResult:
        return await self._async_take_in(
            "module", [behind_module(self._behind_module, role)], self._module
        )

    # Modules that want another password

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Ask for the passwords of the modules that no longer take theirs."""
        self._words = await Words.async_load(self.hass)
        self._denied = list(entry_data[DENIED])
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for one password after the other, and try it."""
        entry = self._get_reauth_entry()
        units = [dict(unit) for unit in entry.data[CONF_UNITS]]
        unit = next(
            unit for unit in units if unit[CONF_SERIAL_NUMBER] == self._denied[0]
        )
        link = link_of(unit)
        assert isinstance(link, ModuleLink)
        if user_input is not None and await self._async_has_profile():
            link = replace(link, password=user_input[CONF_PASSWORD].strip())
            try:
                # A module that denies is left alone, so nobody else asks it now.
                await async_ask_module(self.hass, link, self._profile)
            except ReadError as err:
                self._errors = {"base": error_key(err)}
            else:
                unit[CONF_LINK] = link.data
                del self._denied[0]
                data = {**entry.data, CONF_UNITS: units}
                if not self._denied:
                    return self.async_update_reload_and_abort(entry, data=data)
                self.hass.config_entries.async_update_entry(entry, data=data)
                return await self.async_step_reauth_confirm()
        return self._form(
            "reauth_confirm",
            unit=self._words("role", unit[CONF_ROLE]),
            address=str(link),
        )

    # Members that were not found there

    async def async_step_members(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where each missing secondary can be reached, if anywhere."""
        if user_input is None:
            return self._members_form()
        wanted = self._roster.wanted
        # A form must not hand out passwords.
        self._typed["members"] = {
            role: user_input[role] for role in wanted if role in user_input
        }
        self._places = {}
        for role in wanted:
            try:
                place = place_typed(role, user_input, self._reconfigured)
            except AddressError as err:
                self._errors[err.field] = err.key
            else:
                if place is not None:
                    self._places[role] = place
        if self._errors:
            return self._members_form()
        if self._places:
            return await self.async_step_scan_members()
        return await self.async_step_confirm()

    def _members_form(self) -> ConfigFlowResult:
        """Ask where each missing secondary is, and say what happens to one that is left out."""
        through_module = isinstance(self._roster.primary.link, ModuleLink)
        return self._form(
            "members",
            missing=self._roles_in_words(self._roster.wanted),
            left_open=self._words(
                "left_open", "left_out" if through_module else "through_primary"
            ),
        )

    async def async_step_scan_members(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for the missing secondaries."""
        return self._progress(
            "scan_members",
            lambda: async_find_secondaries(
                self.hass, self._places, self._roster.serial_numbers, self._profile
            ),
            "members_scanned",
            address=", ".join(dict.fromkeys(map(address_of, self._places.values()))),
        )

    async def async_step_members_scanned(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take in the secondaries that were found, or say what is wrong with each."""
        outcomes: dict[Place, Outcome] = self._take_result()
        problems = {
            place: self._take_secondaries(outcome)
            for place, outcome in outcomes.items()
        }
        self._errors = {
            role: problems[self._places[role]] or "other_secondary"
            for role in self._roster.wanted
            if role in self._places
        }
        if self._errors:
            return self._members_form()
        return await self.async_step_confirm()

    def _take_secondaries(self, outcome: Outcome) -> str | None:
        """Add what was found at a place to the roster; return what is wrong with it, if any."""
        if isinstance(outcome, ReadError):
            return error_key(outcome)
        if not isinstance(outcome, list):
            return "cannot_connect_member"
        known = {(unit.serial_number, unit.link) for unit in self._roster.units}
        if known >= {(each.serial_number, each.link) for each in outcome}:
            return "no_inverter_member"
        joined = Roster(self._roster.units)
        try:
            joined.join(outcome)
            joined.check(self._serial_numbers_elsewhere)
        except RosterError as err:
            return err.refusal
        self._roster = joined
        return None

    # The end of every way

    async def _async_take_in(
        self, step_id: str, found: Iterable[FoundInverter], link: AnyLink
    ) -> ConfigFlowResult:
        """Take in inverters, and go on to what is missing or back to what found them."""
        taken = self._serial_numbers_elsewhere
        roster: Roster[AnyLink] = Roster()
        try:
            roster.add(found, link)
            if any(each.serial_number in taken for each in leading(roster.units)):
                return self.async_abort(reason="already_configured")
            roster.keep(
                each for each in self._roster.units if each.serial_number not in taken
            )
            roster.check(taken)
        except RosterError as err:
            if err.refusal is Refusal.NO_PRIMARY:
                return self._await_primary(step_id, roster)
            return self._form_with_error(step_id, err.refusal)
        return await self._async_step_next(roster)

    async def _async_step_next(self, roster: Roster[AnyLink]) -> ConfigFlowResult:
        """Go on to what a roster lacks."""
        self._roster = roster
        primary = roster.primary.serial_number
        if (entry := self._reconfigured) is None:
            await self.async_set_unique_id(primary)
            self._abort_if_unique_id_configured()
        elif primary != primary_of(entry)[CONF_SERIAL_NUMBER]:
            return self.async_abort(reason="unique_id_mismatch")
        if roster.wanted:
            return self._members_form()
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what was found, ask what no inverter tells, and add it."""
        if user_input is not None:
            shown = self._schema("confirm").schema.keys()
            self._typed["confirm"] = user_input
            # One answer can lead to another question.
            if (asked := self._schema("confirm").schema.keys()) <= shown:
                return self._add(asked, user_input)
        installation = installation_from(self._typed.get("confirm", {}))
        return self._form(
            "confirm",
            units=unit_table(self._roster.units, self._words, self._roster.reported),
            checks=check_table(checks_of(self._roster, installation), self._words),
            answers=self._answers,
            leaving=self._leaving_in_words(),
        )

    def _add(
        self, asked: Iterable[object], answers: dict[str, Any]
    ) -> ConfigFlowResult:
        """Remember the group that was found, with what its owner was asked and answered."""
        data = group_data(self._roster)
        if (entry := self._reconfigured) is not None:
            return self.async_update_reload_and_abort(
                entry,
                data_updates=data,
                options=with_answers(entry.options, asked, answers),
            )
        return self.async_create_entry(
            # Without the address: titles get into logs, and logs are shown to others.
            title="SolaX Parallel",
            data=data,
            options=with_answers({}, asked, answers),
        )

    def _leaving_in_words(self) -> str:
        """Return a sentence on the inverters that a reconfigured group lets go, if there are any."""
        if (entry := self._reconfigured) is None:
            return ""
        leaving = self._roles_in_words(roles_let_go(entry, self._roster))
        return f"{self._words('confirm', 'leaving')}: {leaving}" if leaving else ""

    async def async_step_simulated(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add a group that is played by this computer."""
        if user_input is not None and await self._async_has_profile():
            data = simulated_data(
                user_input[CONF_UNITS],
                user_input[CONF_BACKUP_INTERFACE],
                user_input[CONF_INTERFACE],
            )
            await self.async_set_unique_id(data[CONF_UNITS][0][CONF_SERIAL_NUMBER])
            return self.async_create_entry(
                title="SolaX Parallel (simulated)",
                data=data,
                options={CONF_ALLOW_CONTROL: True},
            )
        return self._form("simulated")

    # What the steps share

    @property
    def _reconfigured(self) -> ConfigEntry | None:
        """The group that is reconfigured; None where one is added."""
        if self.source != SOURCE_RECONFIGURE:
            return None
        return self._get_reconfigure_entry()

    @property
    def _serial_numbers_elsewhere(self) -> set[str]:
        """The serial numbers that belong to other groups already."""
        return known_serial_numbers(self.hass, besides=self._reconfigured)

    def _progress(
        self,
        step_id: str,
        work: Callable[[], Coroutine[Any, Any, Any]],
        next_step_id: str,
        **placeholders: str,
    ) -> ConfigFlowResult:
        """Show that ``work`` is being done, then go on with ``next_step_id``."""
        if self._work is None:
            self._work = self.hass.async_create_task(
                self._async_undisturbed(work), eager_start=False
            )
        if self._work.done():
            return self.async_show_progress_done(next_step_id=next_step_id)
        return self.async_show_progress(
            step_id=step_id,
            progress_action=step_id,
            progress_task=self._work,
            description_placeholders=placeholders,
        )

    async def _async_undisturbed(
        self, work: Callable[[], Coroutine[Any, Any, Any]]
    ) -> Any:
        """Ask the inverters while the group that is reconfigured does not."""
        async with async_paused(self.hass, self._reconfigured):
            return await work()

    def _take_result(self) -> Any:
        """Return what the work brought, or raise what it raised."""
        assert self._work is not None
        work, self._work = self._work, None
        return work.result()

    async def _async_has_profile(self) -> bool:
        """Load the register map; note what is wrong with it where it can't be used."""
        try:
            self._profile = await async_load_profile(self.hass)
        except ProfileError as err:
            self._errors = {"base": "invalid_profile"}
            self._details = {"error": mistake_in_words(err, self._words)}
            return False
        return True

    def _await_primary(self, step_id: str, roster: Roster[AnyLink]) -> ConfigFlowResult:
        """Keep what was found, and go back to a form for its primary."""
        self._roster = roster
        roles = self._roles_in_words(unit.found.role for unit in roster.units)
        return self._form_with_error(step_id, Refusal.NO_PRIMARY, units=roles)

    def _roles_in_words(self, roles: Iterable[Role]) -> str:
        return ", ".join(self._words("role", role) for role in roles)

    def _form_with_error(
        self, step_id: str, key: str, field: str = "base", **details: str
    ) -> ConfigFlowResult:
        self._errors = {field: key}
        return self._form(step_id, **details)

    def _form(self, step_id: str, **placeholders: str) -> ConfigFlowResult:
        """Show a form with what was typed before, and once with what was wrong with it."""
        errors, self._errors = self._errors, {}
        details, self._details = self._details, {}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                self._schema(step_id), self._typed.get(step_id, {})
            ),
            errors=errors,
            description_placeholders={**details, **placeholders},
        )

    def _schema(self, step_id: str) -> vol.Schema:
        if step_id == "choose":
            return choice_schema(
                {
                    each.serial_number: unit_line(each, self._words)
                    for each in leading(self._searched)
                }
            )
        if step_id == "members":
            return members_schema(self._roster.wanted)
        if step_id == "confirm":
            return installation_schema(
                self._roster.size,
                self._roster.backup_interface,
                self._typed.get("confirm", {}),
            )
        return STEP_SCHEMAS[step_id]
