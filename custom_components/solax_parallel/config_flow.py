"""Adding a group: find its inverters, however they are wired, show them, remember them."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network
import secrets
from typing import Any, override

from modbus_connection import ModbusError
import voluptuous as vol

from homeassistant.components import network
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import (
    CONF_DEVICE,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_TYPE,
)
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .a1_ess.codes import ModelType, Role
from .a1_ess.identity import Identity
from .a1_ess.installation import is_wiring_order
from .a1_ess.inverter import Member
from .a1_ess.link import Link
from .a1_ess.profile import Profile, ProfileError
from .a1_ess.roster import SECONDARIES, Placed, Refusal, Roster, RosterError
from .a1_ess.scan import (
    QUICK_TIMEOUT,
    SCAN_SPACING,
    SCAN_TIMEOUT,
    SCANNED_IDS,
    FoundInverter,
    Scan,
    scan,
    whole_group,
)
from .a1_ess.search import open_hosts, searchable
from .a1_ess.source import ReadError
from .const import (
    CONF_ADVANCED,
    CONF_ALLOW_CONTROL,
    CONF_BACKUP_INTERFACE,
    CONF_BAUDRATE,
    CONF_FRAMER,
    CONF_INTERFACE,
    CONF_LINK,
    CONF_RATED_POWER,
    CONF_ROLE,
    CONF_SERIAL_NUMBER,
    CONF_SIMULATED,
    CONF_UNIT_ID,
    CONF_UNITS,
    CONF_WIRING_ORDER,
    DENIED,
    DOMAIN,
)
from .coordinator import SolaxCoordinator
from .forms import (
    MODULE_SCHEMA,
    OPTIONS_SCHEMA,
    PLACES,
    REAUTH_SCHEMA,
    ROLE_SCHEMA,
    SEARCH_SCHEMA,
    SERIAL_SCHEMA,
    SIMULATED_SCHEMA,
    SMART_LOADS_SCHEMA,
    TCP_SCHEMA,
    installation_schema,
    members_schema,
    password_field,
    wiring_order_schema,
)
from .installation import installation_from, installation_of, with_answers
from .links import (
    AnyLink,
    ModbusLink,
    ModuleLink,
    candidates_from_text,
    is_module,
    link_from_data,
    module_from_text,
    serial_candidates,
    tcp_candidates,
)
from .modules import async_ask_module, error_key
from .register_map import async_load_profile
from .simulator.group import serial_numbers
from .smart_loads import has_smart_loads
from .tables import Words, answers_in_words, check_table, checks_of, unit_table
from .wiring import reported_unit_data, unit_data

_SIMULATED_RATED_POWER = 7600
_SIMULATED_ROLES = (Role.PRIMARY, *SECONDARIES)

_PAUSABLE = (ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY)

# How much of a search is looking for open ports; the rest is asking who is there.
_SEARCH_SHARE = 0.5


type _Place = tuple[AnyLink, ...]
"""The links to try for what was typed."""

type _Found = list[Placed[AnyLink]] | str
"""The inverters found at a place, or the text that says why there are none."""


@dataclass(frozen=True)
class _Search:
    """What a search of the local networks found; ``others`` are in groups that are set up."""

    placed: tuple[Placed[AnyLink], ...]
    others: bool = False

    @property
    def primaries(self) -> tuple[Placed[AnyLink], ...]:
        """The inverters that stand for a group."""
        return tuple(placed for placed in self.placed if placed.found.role.leads)


class SolaxConfigFlow(ConfigFlow, domain=DOMAIN):
    """Leads from "somewhere there are inverters" to a group.

    Whatever finds inverters (``search``, ``tcp``, ``serial``, ``members``) adds them to one roster,
    and the roster says what comes next.
    """

    _profile: Profile
    _work: asyncio.Task[Any] | None = None

    def __init__(self) -> None:
        """Start with nobody found."""
        self._roster: Roster[AnyLink] = Roster()
        self._search = _Search(())
        self._asked = "tcp"
        self._candidates: list[ModbusLink] = []
        self._places: dict[Role, _Place] = {}
        self._unit_id: int | None = None
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
        return self.async_show_menu(
            step_id="user",
            menu_options=["search", "tcp", "serial", "module", "simulated"],
        )

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Find the inverters of a group anew, to change how they are reached or who they are."""
        if CONF_SIMULATED in self._get_reconfigure_entry().data:
            return self.async_abort(reason="simulated_has_no_links")
        return self.async_show_menu(
            step_id="reconfigure", menu_options=["search", "tcp", "serial", "module"]
        )

    # Searching the local networks

    async def async_step_search(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say what will be searched, and search it."""
        networks = await self._async_networks()
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
            self._async_search,
            "searched",
            networks=", ".join(map(str, await self._async_networks())),
        )

    async def async_step_searched(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what the search found, or go on by address."""
        self._search = self._take_result()
        self._typed["tcp"] = {CONF_PORT: self._typed["search"][CONF_PORT]}
        if not self._search.placed:
            return self._form_with_error(
                "tcp", "all_set_up" if self._search.others else "nothing_found"
            )
        if not self._search.primaries:
            return await self._async_refuse("tcp", Refusal.NO_PRIMARY)
        return await self.async_step_choose()

    async def async_step_choose(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the owner choose among the groups that were found."""
        primaries = self._search.primaries
        words = await Words.async_load(self.hass)
        self._errors, self._details = {}, {}
        if user_input is not None:
            chosen = next(
                placed
                for placed in primaries
                if placed.found.identity.serial_number == user_input[CONF_SERIAL_NUMBER]
            )
            try:
                self._roster = self._group_of(chosen)
                self._check_roster()
            except RosterError as err:
                self._errors = {"base": err.refusal}
            else:
                return await self._async_step_next()
        choices = [
            SelectOptionDict(
                value=placed.found.identity.serial_number,
                label=(
                    f"{words('role', placed.found.role)} · "
                    f"{placed.found.identity.serial_number} · {placed.link}"
                ),
            )
            for placed in primaries
        ]
        schema = vol.Schema(
            {
                vol.Required(
                    CONF_SERIAL_NUMBER, default=choices[0]["value"]
                ): SelectSelector(
                    SelectSelectorConfig(options=choices, mode=SelectSelectorMode.LIST)
                )
            }
        )
        return self.async_show_form(
            step_id="choose",
            data_schema=schema,
            errors=self._errors,
            description_placeholders={"units": unit_table(self._search.placed, words)},
        )

    def _group_of(self, primary: Placed[AnyLink]) -> Roster[AnyLink]:
        """Return the primary with the secondaries that can only be its own."""
        roster: Roster[AnyLink] = Roster()
        roster.add([primary.found], primary.link)
        only_group = len(self._search.primaries) == 1
        for placed in self._search.placed:
            if not placed.found.role.leads and (
                only_group or placed.link == primary.link
            ):
                roster.add([placed.found], placed.link)
        return roster

    async def _async_networks(self) -> list[IPv4Network]:
        """Return the networks that Home Assistant is on, as far as they may be searched."""
        return searchable(
            IPv4Interface((address["address"], address["network_prefix"]))
            for adapter in await network.async_get_adapters(self.hass)
            if adapter["enabled"]
            for address in adapter["ipv4"]
        )

    async def _async_search(self) -> _Search:
        """Find every inverter on the local networks that is in no other group yet."""
        port = self._typed["search"][CONF_PORT]
        async with self._own_entry_paused():
            hosts = await open_hosts(
                await self._async_networks(),
                port,
                progress=lambda share: self.async_update_progress(
                    share * _SEARCH_SHARE
                ),
            )
            places = [tcp_candidates(str(host), port) for host in hosts]
            scans = await asyncio.gather(*map(self._async_try_scan, places))
        known = self._serials_elsewhere()
        placed: dict[str, Placed[AnyLink]] = {}
        others = False
        for place, result in zip(places, scans, strict=True):
            if result is None or result.settled is None:
                continue
            link = place[result.settled]
            for found in result.inverters:
                serial = found.identity.serial_number
                if serial in known:
                    others = True
                else:
                    # The same inverter through a second address is no second inverter.
                    placed.setdefault(serial, Placed(found, link))
        return _Search(tuple(placed.values()), others)

    # Looking behind one address

    async def async_step_tcp(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address of the inverters."""
        self._errors, self._details = {}, {}
        if user_input is not None:
            advanced = user_input[CONF_ADVANCED]
            try:
                self._candidates = tcp_candidates(
                    user_input[CONF_HOST],
                    user_input[CONF_PORT],
                    advanced.get(CONF_FRAMER, "auto"),
                )
            except ValueError:
                self._typed["tcp"] = user_input
                self._errors = {CONF_HOST: "invalid_address"}
            else:
                self._unit_id = advanced.get(CONF_UNIT_ID)
                return await self._async_step_scan_from("tcp", user_input)
        elif self.source == SOURCE_RECONFIGURE:
            link = _primary_unit(self._get_reconfigure_entry())[CONF_LINK]
            if link[CONF_TYPE] == "tcp":
                self._typed.setdefault(
                    "tcp", {CONF_HOST: link[CONF_HOST], CONF_PORT: link[CONF_PORT]}
                )
        return self._form("tcp")

    async def async_step_serial(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the serial port of the inverters."""
        self._errors, self._details = {}, {}
        if user_input is not None:
            try:
                self._candidates = serial_candidates(
                    user_input[CONF_DEVICE], user_input[CONF_BAUDRATE]
                )
            except ValueError:
                self._typed["serial"] = user_input
                self._errors = {CONF_DEVICE: "invalid_address"}
            else:
                self._unit_id = None
                return await self._async_step_scan_from("serial", user_input)
        return self._form("serial")

    # Asking a module

    async def async_step_module(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address of a monitoring module and for its password."""
        self._errors, self._details = {}, {}
        if user_input is not None:
            # The password is asked for anew: a form must not hand it out.
            self._typed["module"] = {CONF_HOST: user_input[CONF_HOST]}
            try:
                self._module = module_from_text(
                    user_input[CONF_HOST], user_input[CONF_PASSWORD]
                )
            except ValueError:
                self._errors = {CONF_HOST: "invalid_address"}
            else:
                if await self._async_has_profile():
                    return await self.async_step_ask_module()
        elif self.source == SOURCE_RECONFIGURE:
            link = link_from_data(
                _primary_unit(self._get_reconfigure_entry())[CONF_LINK]
            )
            if isinstance(link, ModuleLink):
                self._typed.setdefault("module", {CONF_HOST: str(link)})
        return self._form("module")

    async def async_step_ask_module(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the module which inverter it hangs on."""
        return self._progress(
            "ask_module",
            self._async_ask_module,
            "module_asked",
            address=str(self._module),
        )

    async def _async_ask_module(self) -> Identity:
        async with self._own_entry_paused():
            return await async_ask_module(self.hass, self._module, self._profile)

    async def async_step_module_asked(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take in the inverter behind the module, or say what is wrong."""
        try:
            self._behind_module: Identity = self._take_result()
        except ReadError as err:
            return self._form_with_error("module", error_key(err))
        if self._behind_module.role is None:
            self._errors, self._details = {}, {}
            return self._form("role", serial=self._behind_module.serial_number)
        return await self._async_take_first(self._behind_module.role)

    async def async_step_role(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take the role that the module does not tell from the owner."""
        assert user_input is not None
        return await self._async_take_first(Role(user_input[CONF_ROLE]))

    async def _async_take_first(self, role: Role) -> ConfigFlowResult:
        """Take in the inverter behind the module that was asked for by itself."""
        return await self._async_take_in(
            "module", [_behind_module(self._behind_module, role)], self._module
        )

    async def _async_step_scan_from(
        self, step_id: str, user_input: dict[str, Any]
    ) -> ConfigFlowResult:
        self._asked = step_id
        self._typed[step_id] = user_input
        if not await self._async_has_profile():
            return self._form(step_id)
        return await self.async_step_scan()

    async def async_step_scan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for inverters behind the address."""
        return self._progress(
            "scan",
            self._async_scan_address,
            "scanned",
            address=str(self._candidates[0]),
        )

    async def _async_scan_address(self) -> Scan:
        async with self._own_entry_paused():
            return await self._async_scan(
                self._candidates,
                unit_ids=SCANNED_IDS if self._unit_id is None else [self._unit_id],
                progress=self.async_update_progress,
            )

    async def async_step_scanned(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take in what was found, or say what is wrong with it."""
        try:
            result: Scan = self._take_result()
        except ModbusError, OSError:
            return self._form_with_error(
                self._asked, "cannot_connect", address=str(self._candidates[0])
            )
        words = await Words.async_load(self.hass)
        self._answers = answers_in_words(result, words)
        if result.settled is None or not result.inverters:
            return self._form_with_error(
                self._asked,
                "no_inverter",
                address=str(self._candidates[0]),
                answers=self._answers,
            )
        return await self._async_take_in(
            self._asked, result.inverters, self._candidates[result.settled]
        )

    async def _async_take_in(
        self, step_id: str, found: Iterable[FoundInverter], link: AnyLink
    ) -> ConfigFlowResult:
        """Take in inverters, and go on to what is missing or back to what found them."""
        try:
            self._roster.add(found, link)
            self._join_searched()
            primary = self._roster.primary.found.identity.serial_number
            if primary in self._serials_elsewhere():
                return self.async_abort(reason="already_configured")
            self._check_roster()
        except RosterError as err:
            return await self._async_refuse(step_id, err.refusal)
        return await self._async_step_next()

    def _join_searched(self) -> None:
        """Add what a search found before: secondaries whose primary it did not find."""
        known = {unit.found.identity.serial_number for unit in self._roster.units}
        for placed in self._search.placed:
            if placed.found.identity.serial_number not in known:
                self._roster.add([placed.found], placed.link)

    # Modules that want another password

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Ask for the passwords of the modules that no longer take theirs."""
        self._denied = list(entry_data[DENIED])
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for one password after the other, and try it."""
        self._errors, self._details = {}, {}
        entry = self._get_reauth_entry()
        units = [dict(unit) for unit in entry.data[CONF_UNITS]]
        unit = next(
            unit for unit in units if unit[CONF_SERIAL_NUMBER] == self._denied[0]
        )
        link = link_from_data(unit[CONF_LINK])
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
        words = await Words.async_load(self.hass)
        return self._form(
            "reauth_confirm",
            unit=words("role", unit[CONF_ROLE]),
            address=str(link),
        )

    # Members that were not found there

    async def async_step_members(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where each missing secondary can be reached, if anywhere."""
        self._errors, self._details = {}, {}
        if user_input is not None:
            passwords = {
                role: user_input.get(password_field(role), "")
                for role in self._roster.wanted
            }
            # A form must not hand out passwords.
            self._typed["members"] = {
                role: user_input[role] for role in passwords if role in user_input
            }
            self._places = {}
            for role, password in passwords.items():
                self._take_place(role, user_input.get(role, "").strip(), password)
            if not self._errors:
                if self._places:
                    return await self.async_step_scan_members()
                return await self.async_step_confirm()
        return await self._async_members_form()

    def _take_place(self, role: Role, text: str, password: str) -> None:
        """Note where a secondary is to be looked for, or what is wrong with what was typed."""
        if not text and not password:
            return
        try:
            if not password and not is_module(text):
                self._places[role] = tuple(candidates_from_text(text))
                return
            link = module_from_text(text, password or self._remembered_password(text))
        except ValueError:
            self._errors[role] = "invalid_address"
            return
        if not link.password:
            self._errors[password_field(role)] = "no_password"
        self._places[role] = (link,)

    def _remembered_password(self, text: str) -> str:
        """Return the password of a module that the group is read through already."""
        if self.source != SOURCE_RECONFIGURE:
            return ""
        return next(
            (
                link.password
                for unit in self._get_reconfigure_entry().data[CONF_UNITS]
                if unit[CONF_LINK] is not None
                and isinstance(link := link_from_data(unit[CONF_LINK]), ModuleLink)
                and str(link) == text
            ),
            "",
        )

    async def _async_members_form(self) -> ConfigFlowResult:
        """Ask where each missing secondary is, and say what happens to one that is left out."""
        words = await Words.async_load(self.hass)
        through_module = isinstance(self._roster.primary.link, ModuleLink)
        return self._form(
            "members",
            missing=", ".join(words("role", role) for role in self._roster.wanted),
            left_open=words(
                "left_open", "left_out" if through_module else "through_primary"
            ),
        )

    async def async_step_scan_members(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Look for the missing secondaries."""
        return self._progress(
            "scan_members",
            self._async_scan_members,
            "members_scanned",
            address=", ".join(
                dict.fromkeys(str(place[0]) for place in self._places.values())
            ),
        )

    async def _async_scan_members(self) -> dict[_Place, _Found]:
        """Look at every place that was typed, side by side."""
        roles: dict[_Place, list[Role]] = {}
        for role, place in self._places.items():
            roles.setdefault(place, []).append(role)
        async with self._own_entry_paused():
            found = await asyncio.gather(
                *(self._async_find(place, asked) for place, asked in roles.items())
            )
        return dict(zip(roles, found, strict=True))

    async def _async_find(self, place: _Place, roles: list[Role]) -> _Found:
        """Return what is at a place where secondaries in ``roles`` are expected."""
        link = place[0]
        if isinstance(link, ModuleLink):
            try:
                identity = await async_ask_module(self.hass, link, self._profile)
            except ReadError as err:
                return error_key(err)
            return [Placed(_behind_module(identity, identity.role or roles[0]), link)]
        result = await self._async_try_scan(
            [each for each in place if not isinstance(each, ModuleLink)],
            enough=self._has_new(len(roles)),
        )
        if result is None:
            return "cannot_connect_member"
        if result.settled is None:
            return "no_inverter_member"
        return [Placed(found, place[result.settled]) for found in result.inverters]

    async def async_step_members_scanned(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take in the secondaries that were found, or say what is wrong with each."""
        results: dict[_Place, _Found] = self._take_result()
        problems = {
            place: found if isinstance(found, str) else self._take_members(found)
            for place, found in results.items()
        }
        self._details = {}
        self._errors = {
            role: problems[self._places[role]] or "other_secondary"
            for role in self._roster.wanted
            if role in self._places
        }
        if self._errors:
            return await self._async_members_form()
        return await self.async_step_confirm()

    def _take_members(self, found: Sequence[Placed[AnyLink]]) -> str | None:
        """Add what was found at a place to the roster; return what is wrong with it, if any."""
        known = {
            (unit.found.identity.serial_number, unit.link)
            for unit in self._roster.units
        }
        if known >= {(each.found.identity.serial_number, each.link) for each in found}:
            return "no_inverter_member"
        before = list(self._roster.units)
        try:
            for each in found:
                self._roster.add([each.found], each.link)
            self._check_roster()
        except RosterError as err:
            self._roster.units = before
            return err.refusal
        return None

    def _has_new(self, count: int) -> Callable[[Scan], bool]:
        """Return what tells that ``count`` inverters were found that are not in the roster."""
        known = {unit.found.identity.serial_number for unit in self._roster.units}
        return lambda result: (
            sum(found.identity.serial_number not in known for found in result.inverters)
            >= count
        )

    # The end of every way

    async def _async_step_next(self) -> ConfigFlowResult:
        """Go on to what the roster lacks."""
        primary = self._roster.primary.found.identity.serial_number
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            if primary != _primary_unit(entry)[CONF_SERIAL_NUMBER]:
                return self.async_abort(reason="unique_id_mismatch")
            if "members" not in self._typed:
                self._typed["members"] = {
                    unit[CONF_ROLE]: str(link_from_data(unit[CONF_LINK]))
                    for unit in entry.data[CONF_UNITS]
                    if unit[CONF_LINK] is not None
                }
        else:
            await self.async_set_unique_id(primary)
            self._abort_if_unique_id_configured()
        if self._roster.wanted:
            self._errors, self._details = {}, {}
            return await self._async_members_form()
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
        elif self.source == SOURCE_RECONFIGURE:
            self._typed.setdefault("confirm", self._get_reconfigure_entry().options)
        words = await Words.async_load(self.hass)
        self._errors, self._details = {}, {}
        return self._form(
            "confirm",
            units=unit_table(self._roster.units, words, self._roster.reported),
            checks=check_table(
                checks_of(
                    self._roster, installation_from(self._typed.get("confirm", {}))
                ),
                words,
            ),
            answers=self._answers,
            leaving=self._leaving_in_words(words),
        )

    def _add(
        self, asked: Iterable[object], answers: dict[str, Any]
    ) -> ConfigFlowResult:
        """Remember the group that was found, with what its owner was asked and answered."""
        primary = self._roster.primary
        data = {
            CONF_UNITS: [
                *(
                    unit_data(unit.found.member, unit.link)
                    for unit in self._roster.units
                ),
                *(
                    reported_unit_data(primary.found.member, role)
                    for role in self._roster.reported
                ),
            ]
        }
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
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

    def _leaving_in_words(self, words: Words) -> str:
        """Return a sentence on the inverters that a reconfigured group lets go, if there are any."""
        if self.source != SOURCE_RECONFIGURE:
            return ""
        primary = self._roster.primary.found.identity.serial_number
        staying = {unit.found.identity.serial_number for unit in self._roster.units} | {
            f"{primary}_{role}" for role in self._roster.reported
        }
        leaving = [
            words("role", unit[CONF_ROLE])
            for unit in self._get_reconfigure_entry().data[CONF_UNITS]
            if unit[CONF_SERIAL_NUMBER] not in staying
        ]
        return f"{words('confirm', 'leaving')}: {', '.join(leaving)}" if leaving else ""

    async def async_step_simulated(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Add a group that is played by this computer."""
        if user_input is not None and await self._async_has_profile():
            serials = serial_numbers(
                f"SIM{secrets.token_hex(3).upper()}", user_input[CONF_UNITS]
            )
            await self.async_set_unique_id(serials[0])
            members = [
                Member(
                    serial_number=serial,
                    unit_id=unit_id,
                    role=role,
                    rated_power=_SIMULATED_RATED_POWER,
                    model_type=ModelType.A1_HYB_G2,
                )
                for unit_id, (serial, role) in enumerate(
                    zip(serials, _SIMULATED_ROLES, strict=False), start=1
                )
            ]
            return self.async_create_entry(
                title="SolaX Parallel (simulated)",
                data={
                    CONF_UNITS: [unit_data(member, None) for member in members],
                    CONF_SIMULATED: {
                        CONF_BACKUP_INTERFACE: user_input[CONF_BACKUP_INTERFACE],
                        CONF_RATED_POWER: _SIMULATED_RATED_POWER,
                        CONF_INTERFACE: user_input[CONF_INTERFACE],
                    },
                },
                options={CONF_ALLOW_CONTROL: True},
            )
        return self._form("simulated")

    # What the steps share

    def _check_roster(self) -> None:
        """Raise ``RosterError`` for what can't become a group of its own."""
        if self._serials_elsewhere() & {
            unit.found.identity.serial_number for unit in self._roster.units
        }:
            raise RosterError(Refusal.OTHER_GROUP)
        # Raises when there is no primary, or no number of units is set on it.
        self._roster.unit_quantity  # noqa: B018

    def _serials_elsewhere(self) -> set[str]:
        """Return the serial numbers that belong to other groups already."""
        own = self.context.get("entry_id")
        return {
            unit[CONF_SERIAL_NUMBER]
            for entry in self._async_current_entries()
            if entry.entry_id != own
            for unit in entry.data[CONF_UNITS]
        }

    async def _async_scan(
        self,
        candidates: Sequence[ModbusLink],
        *,
        unit_ids: range | list[int] = SCANNED_IDS,
        enough: Callable[[Scan], bool] = whole_group,
        progress: Callable[[float], None] = lambda share: None,
    ) -> Scan:
        """Ask every id at one place who it is; raises ``ModbusError`` when it can't be reached."""
        links = [
            Link(
                candidate.params,
                timeout=SCAN_TIMEOUT if len(candidates) == 1 else QUICK_TIMEOUT,
                message_spacing=SCAN_SPACING,
            )
            for candidate in candidates
        ]
        try:
            return await scan(
                links,
                self._profile,
                unit_ids=unit_ids,
                enough=enough,
                progress=lambda found: progress(len(found.answers) / len(unit_ids)),
            )
        finally:
            for link in links:
                await link.close()

    async def _async_try_scan(
        self,
        candidates: Sequence[ModbusLink],
        enough: Callable[[Scan], bool] = whole_group,
    ) -> Scan | None:
        """Ask every id at one place who it is; None when it can't be reached."""
        try:
            return await self._async_scan(candidates, enough=enough)
        except ModbusError, OSError:
            return None

    @asynccontextmanager
    async def _own_entry_paused(self) -> AsyncIterator[None]:
        """Free the links of the group that is reconfigured, and take them up again afterwards.

        Most gateways, and every serial port, serve one client at a time.
        """
        if self.source != SOURCE_RECONFIGURE:
            yield
            return
        entry = self._get_reconfigure_entry()
        entry_id = entry.entry_id
        # The attempt before this one may just be setting it up again.
        async with entry.setup_lock:
            running = entry.state in _PAUSABLE
        if not running:
            yield
            return
        await self.hass.config_entries.async_unload(entry_id)
        try:
            yield
        finally:
            if self.hass.config_entries.async_get_entry(entry_id) is not None:
                self.hass.async_create_task(
                    self.hass.config_entries.async_setup(entry_id)
                )

    def _progress(
        self,
        step_id: str,
        work: Callable[[], Coroutine[Any, Any, Any]],
        next_step_id: str,
        **placeholders: str,
    ) -> ConfigFlowResult:
        """Show that ``work`` is being done, then go on with ``next_step_id``."""
        if self._work is None:
            self._work = self.hass.async_create_task(work(), eager_start=False)
        if self._work.done():
            return self.async_show_progress_done(next_step_id=next_step_id)
        return self.async_show_progress(
            step_id=step_id,
            progress_action=step_id,
            progress_task=self._work,
            description_placeholders=placeholders,
        )

    def _take_result(self) -> Any:
        """Return what the work brought, or raise what it raised."""
        assert self._work is not None
        work, self._work = self._work, None
        return work.result()

    async def _async_has_profile(self) -> bool:
        """Load the register map; note what is wrong with it where it can't be used."""
        self._errors, self._details = {}, {}
        try:
            self._profile = await async_load_profile(self.hass)
        except ProfileError as err:
            self._errors = {"base": "invalid_profile"}
            self._details = {"error": str(err)}
            return False
        return True

    async def _async_refuse(self, step_id: str, refusal: Refusal) -> ConfigFlowResult:
        """Go back to a form and say why what was found is no group."""
        words = await Words.async_load(self.hass)
        units = self._roster.units or self._search.placed
        return self._form_with_error(
            step_id,
            refusal,
            units=", ".join(words("role", unit.found.role) for unit in units),
        )

    def _form_with_error(
        self, step_id: str, key: str, **details: str
    ) -> ConfigFlowResult:
        self._errors, self._details = {"base": key}, details
        return self._form(step_id)

    def _form(self, step_id: str, **placeholders: str) -> ConfigFlowResult:
        """Show a form with what was typed before and what was wrong with it."""
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(
                self._schema(step_id), self._typed.get(step_id, {})
            ),
            errors=self._errors,
            description_placeholders={**self._details, **placeholders},
        )

    def _schema(self, step_id: str) -> vol.Schema:
        if step_id == "members":
            return members_schema(self._roster.wanted)
        if step_id == "confirm":
            return installation_schema(
                self._roster.size,
                self._roster.backup_interface,
                self._typed.get("confirm", {}),
            )
        return {
            "module": MODULE_SCHEMA,
            "reauth_confirm": REAUTH_SCHEMA,
            "role": ROLE_SCHEMA,
            "search": SEARCH_SCHEMA,
            "serial": SERIAL_SCHEMA,
            "simulated": SIMULATED_SCHEMA,
            "tcp": TCP_SCHEMA,
        }[step_id]


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


def _behind_module(identity: Identity, role: Role) -> FoundInverter:
    return FoundInverter(unit_id=None, identity=identity, role=role)


def _primary_unit(entry: ConfigEntry) -> Mapping[str, Any]:
    """Return what an entry remembers of its primary."""
    return next(unit for unit in entry.data[CONF_UNITS] if Role(unit[CONF_ROLE]).leads)
