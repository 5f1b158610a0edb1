"""The addresses in the dialogs: from what was typed to links to try, and what is filled in at first."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PASSWORD, CONF_PORT

from .a1_ess.codes import Role
from .const import CONF_ADVANCED, CONF_BAUDRATE, CONF_FRAMER, CONF_ROLE, CONF_UNITS
from .entry_data import link_of, primary_of
from .forms import password_field
from .links import (
    ModbusLink,
    ModuleLink,
    Place,
    TcpLink,
    module_from_text,
    place_from_text,
    serial_candidates,
    tcp_candidates,
)


class AddressError(Exception):
    """What was typed leads nowhere."""

    def __init__(self, field: str, key: str) -> None:
        """Remember the field of the form, and the text of the dialog that says what is wrong."""
        self.field = field
        self.key = key
        super().__init__(f"{field}: {key}")


def _tcp_links(typed: Mapping[str, Any]) -> list[ModbusLink]:
    framer = typed[CONF_ADVANCED].get(CONF_FRAMER, "auto")
    return tcp_candidates(typed[CONF_HOST], typed[CONF_PORT], framer)


def _serial_links(typed: Mapping[str, Any]) -> list[ModbusLink]:
    return serial_candidates(typed[CONF_DEVICE], typed[CONF_BAUDRATE])


_LINKS: Mapping[
    str, tuple[str, str, Callable[[Mapping[str, Any]], list[ModbusLink]]]
] = {
    "tcp": (CONF_HOST, "invalid_host", _tcp_links),
    "serial": (CONF_DEVICE, "invalid_serial_port", _serial_links),
}
"""By step: the field with the address, what to say of one that is none, and what makes the links."""


def links_typed(step_id: str, typed: Mapping[str, Any]) -> list[ModbusLink]:
    """Return the links to try for what was typed in a step; raises ``AddressError``."""
    field, key, links = _LINKS[step_id]
    try:
        return links(typed)
    except ValueError as err:
        raise AddressError(field, key) from err


def module_typed(typed: Mapping[str, Any]) -> ModuleLink:
    """Return the link to the module that was typed; raises ``AddressError``."""
    try:
        return module_from_text(typed[CONF_HOST], typed[CONF_PASSWORD])
    except ValueError as err:
        raise AddressError(CONF_HOST, "invalid_module_address") from err


def place_typed(
    role: Role, typed: Mapping[str, Any], entry: ConfigEntry | None
) -> Place | None:
    """Return where a secondary is said to be; None where nothing was typed for it.

    The password of a module that ``entry`` knows can be left out. Raises ``AddressError``.
    """
    text = typed.get(role, "").strip()
    password = typed.get(password_field(role), "")
    if not text and not password:
        return None
    if not password and entry is not None:
        password = _known_password(entry, text)
    try:
        place = place_from_text(text, password)
    except ValueError as err:
        raise AddressError(role, "invalid_address") from err
    if isinstance(place, ModuleLink) and not place.password:
        raise AddressError(password_field(role), "no_password")
    return place


def _known_password(entry: ConfigEntry, address: str) -> str:
    return next(
        (
            link.password
            for unit in entry.data[CONF_UNITS]
            if isinstance(link := link_of(unit), ModuleLink) and str(link) == address
        ),
        "",
    )


def addresses_of(entry: ConfigEntry) -> dict[str, Mapping[str, Any]]:
    """Return the addresses of a group that is set up as they would be typed, by step."""
    addresses: dict[str, Mapping[str, Any]] = {
        "members": {
            unit[CONF_ROLE]: str(link)
            for unit in entry.data[CONF_UNITS]
            if (link := link_of(unit)) is not None
        }
    }
    primary = link_of(primary_of(entry))
    if isinstance(primary, TcpLink):
        addresses["tcp"] = {CONF_HOST: primary.host, CONF_PORT: primary.port}
    elif isinstance(primary, ModuleLink):
        addresses["module"] = {CONF_HOST: str(primary)}
    return addresses
