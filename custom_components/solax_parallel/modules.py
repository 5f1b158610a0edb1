"""Monitoring modules: asking one as Home Assistant does, and what to say when that fails."""

from collections.abc import Mapping, Sequence

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .a1_ess.identity import Identity
from .a1_ess.module import (
    PACING,
    TIMEOUT,
    WAYS,
    EmptyArrayError,
    HalfAnswerError,
    Module,
    ModuleTimeoutError,
    ModuleUnreachableError,
    NotJsonError,
    OtherDeviceError,
    OtherTypeError,
    Way,
    WrongPasswordError,
)
from .a1_ess.module_source import ModuleSource
from .a1_ess.profile import Profile
from .a1_ess.scan import identify_by_module
from .a1_ess.source import ReadError, UnusableError
from .links import ModuleLink

ERRORS: Mapping[type[ReadError], str] = {
    ModuleUnreachableError: "module_unreachable",
    ModuleTimeoutError: "module_timeout",
    EmptyArrayError: "module_empty",
    HalfAnswerError: "module_half_answer",
    NotJsonError: "module_no_json",
    OtherDeviceError: "module_other_device",
    OtherTypeError: "module_other_type",
    WrongPasswordError: "module_password",
    UnusableError: "module_other_device",
}
"""The text of a dialog for each way in which asking a module fails, the narrowest first."""


def error_key(error: ReadError) -> str:
    """Return the text of a dialog for what was raised when a module was asked."""
    return next(key for kind, key in ERRORS.items() if isinstance(error, kind))


def open_module(
    hass: HomeAssistant,
    link: ModuleLink,
    *,
    pacing: float = PACING,
    ways: Sequence[Way] = WAYS,
) -> Module:
    """Return what asks a module, not more often than every ``pacing`` seconds.

    ``ways`` are those in which it may want to be asked, the likeliest first.
    """
    return Module(
        async_get_clientsession(hass),
        link.host,
        link.port,
        link.password,
        timeout=TIMEOUT,
        pacing=pacing,
        ways=ways,
    )


async def async_ask_module(
    hass: HomeAssistant, link: ModuleLink, profile: Profile
) -> Identity:
    """Return who is behind a module; raises ``ReadError``, see ``error_key``."""
    try:
        return await _async_identify(open_module(hass, link), profile)
    except ModuleTimeoutError:
        # It may have waited for the question in the other way.
        other = open_module(hass, link, ways=tuple(reversed(WAYS)))
        return await _async_identify(other, profile)


async def _async_identify(module: Module, profile: Profile) -> Identity:
    return await identify_by_module(ModuleSource(module, profile), profile)
