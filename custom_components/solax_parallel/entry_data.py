"""What an entry remembers of its inverters, and of those that are simulated."""

from collections.abc import Mapping
import secrets
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .a1_ess.codes import ModelType, Role
from .a1_ess.family import LARGEST_RATED_POWER
from .a1_ess.inverter import Member
from .a1_ess.roster import Roster
from .const import (
    CONF_BACKUP_INTERFACE,
    CONF_INTERFACE,
    CONF_LINK,
    CONF_MODEL_TYPE,
    CONF_RATED_POWER,
    CONF_ROLE,
    CONF_SERIAL_NUMBER,
    CONF_SIMULATED,
    CONF_UNIT_ID,
    CONF_UNITS,
    DOMAIN,
)
from .links import AnyLink, link_from_data
from .simulator.group import SimulatedUnit, serial_numbers


def group_data(roster: Roster[AnyLink]) -> dict[str, Any]:
    """Return what an entry remembers of a group that was found.

    Raises ``RosterError`` where the roster has no primary.
    """
    primary = roster.primary.found.member
    return {
        CONF_UNITS: [
            *(unit_data(unit.found.member, unit.link) for unit in roster.units),
            *(reported_unit_data(primary, role) for role in roster.reported),
        ]
    }


def simulated_data(units: int, backup_interface: str, interface: str) -> dict[str, Any]:
    """Return what an entry remembers of a group of ``units`` that is played by this computer.

    Each has serial numbers of its own.
    """
    prefix = f"SIM{secrets.token_hex(3).upper()}"
    played = [
        SimulatedUnit(index=index, serial_number=serial_number)
        for index, serial_number in enumerate(serial_numbers(prefix, units))
    ]
    return {
        CONF_UNITS: [
            unit_data(
                Member(
                    serial_number=unit.serial_number,
                    unit_id=unit.unit_id,
                    role=unit.role,
                    rated_power=LARGEST_RATED_POWER,
                    model_type=ModelType.A1_HYB_G2,
                ),
                None,
            )
            for unit in played
        ],
        CONF_SIMULATED: {
            CONF_BACKUP_INTERFACE: backup_interface,
            CONF_RATED_POWER: LARGEST_RATED_POWER,
            CONF_INTERFACE: interface,
        },
    }


def unit_data(member: Member, link: AnyLink | None) -> dict[str, Any]:
    """Return what an entry remembers of an inverter; a simulated one has no ``link``."""
    return {
        CONF_SERIAL_NUMBER: member.serial_number,
        CONF_UNIT_ID: member.unit_id,
        CONF_ROLE: member.role,
        CONF_RATED_POWER: member.rated_power,
        CONF_MODEL_TYPE: member.model_type,
        CONF_LINK: None if link is None else link.data,
    }


def reported_unit_data(primary: Member, role: Role) -> dict[str, Any]:
    """Return what an entry remembers of a secondary that only its primary can tell of."""
    return {
        CONF_SERIAL_NUMBER: f"{primary.serial_number}_{role}",
        CONF_UNIT_ID: None,
        CONF_ROLE: role,
        CONF_RATED_POWER: primary.rated_power,
        CONF_MODEL_TYPE: None,
        CONF_LINK: None,
    }


def member_from(unit: Mapping[str, Any]) -> Member:
    """Return the inverter that an entry remembers as ``unit``."""
    model_type = unit[CONF_MODEL_TYPE]
    return Member(
        serial_number=unit[CONF_SERIAL_NUMBER],
        unit_id=unit[CONF_UNIT_ID],
        role=Role(unit[CONF_ROLE]),
        rated_power=unit[CONF_RATED_POWER],
        model_type=None if model_type is None else ModelType(model_type),
    )


def link_of(unit: Mapping[str, Any]) -> AnyLink | None:
    """Return the link to the inverter that an entry remembers as ``unit``; None without one."""
    return None if unit[CONF_LINK] is None else link_from_data(unit[CONF_LINK])


def primary_of(entry: ConfigEntry) -> Mapping[str, Any]:
    """Return what an entry remembers of its primary."""
    return next(unit for unit in entry.data[CONF_UNITS] if Role(unit[CONF_ROLE]).leads)


def serial_numbers_of(entry: ConfigEntry) -> set[str]:
    """Return the serial numbers of an entry's inverters."""
    return {unit[CONF_SERIAL_NUMBER] for unit in entry.data[CONF_UNITS]}


def roles_let_go(entry: ConfigEntry, roster: Roster[AnyLink]) -> list[Role]:
    """Return the roles of an entry's inverters that would not be in it with a group as found.

    Raises ``RosterError`` where the roster has no primary.
    """
    staying = {unit[CONF_SERIAL_NUMBER] for unit in group_data(roster)[CONF_UNITS]}
    return [
        Role(unit[CONF_ROLE])
        for unit in entry.data[CONF_UNITS]
        if unit[CONF_SERIAL_NUMBER] not in staying
    ]


def known_serial_numbers(
    hass: HomeAssistant, *, besides: ConfigEntry | None = None
) -> set[str]:
    """Return the serial numbers of the inverters in all groups, ``besides`` those in one."""
    return {
        serial_number
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry is not besides
        for serial_number in serial_numbers_of(entry)
    }
