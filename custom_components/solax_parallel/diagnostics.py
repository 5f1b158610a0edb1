"""What a maintainer needs to see, without what identifies the owner."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
import re
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PASSWORD
from homeassistant.core import HomeAssistant

from .a1_ess.family import SMART_LOADS
from .a1_ess.profile import Profile
from .a1_ess.source import RawWords
from .const import CONF_LINK, CONF_SERIAL_NUMBER, CONF_UNITS
from .coordinator import SolaxConfigEntry
from .smart_loads import name_field

_NAMES = {name_field(number) for number in SMART_LOADS}
"""What the owner calls the smart loads."""

_SHORTEST_TEXT = 3
"""From how many words in a row on letters and digits are taken for text."""


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: SolaxConfigEntry
) -> dict[str, Any]:
    """Return the register map, the latest raw words and what was made of them.

    Nothing is read for it: the words are those of the latest poll. Serial numbers become aliases
    such as ``INVERTER000001``, in the raw words too, so that a dump can still be replayed.
    """
    units = entry.data[CONF_UNITS]
    aliases = {
        unit[CONF_SERIAL_NUMBER]: f"INVERTER{number:06}"
        for number, unit in enumerate(units, start=1)
    }
    secrets = {
        secret
        for unit in units
        for key in (CONF_HOST, CONF_DEVICE, CONF_PASSWORD)
        if unit[CONF_LINK] and (secret := unit[CONF_LINK].get(key))
    }
    result: dict[str, Any] = {
        "data": entry.data,
        "options": async_redact_data(entry.options, _NAMES),
    }
    if entry.state is ConfigEntryState.LOADED:
        wiring = entry.runtime_data.wiring
        strangers = {
            member.other_serial
            for member in entry.runtime_data.data.members.values()
            if member.other_serial is not None
        } - aliases.keys()
        aliases |= {
            serial_number: f"OTHER{number:06}"
            for number, serial_number in enumerate(sorted(strangers), start=1)
        }
        result |= {
            "profile": wiring.profile,
            "group": entry.runtime_data.data,
            "counted": wiring.group.stored(),
            "last_poll_successful": entry.runtime_data.last_update_success,
            "raw": {
                serial_number: _redacted_words(
                    wiring.profile, inverter.source.raw, aliases[serial_number]
                )
                for serial_number, inverter in wiring.group.inverters.items()
            },
        }
    plain: dict[str, Any] = _plain(result, _redaction(aliases, secrets))
    return plain


def _redacted_words(
    profile: Profile, raw: RawWords, alias: str
) -> dict[str, dict[int, int]]:
    """Return the words with every text but the serial number's alias blanked out."""
    if "module" in raw:
        return {"module": _without_text(profile, raw["module"])}
    redacted = {space: dict(words) for space, words in raw.items()}
    for register in profile.registers.values():
        words = redacted[profile.windows[register.window].space]
        if register.type == "ascii" and register.address in words:
            text = alias if register.key == "serial_number" else ""
            for offset, word in enumerate(register.field().encode(text)):
                words[register.address + offset] = word
    return redacted


def _without_text(profile: Profile, array: Mapping[int, int]) -> dict[int, int]:
    """Return a module's array without what reads like a serial number, which nobody has mapped."""
    known = {
        place.address + offset
        for place in profile.module.values()
        for offset in range(place.words)
    }
    redacted = dict(array)
    text: list[int] = []
    for index in range(len(array) + 1):
        if index in array and index not in known and _is_text(array[index]):
            text.append(index)
            continue
        if len(text) >= _SHORTEST_TEXT:
            redacted |= dict.fromkeys(text, 0)
        text = []
    return redacted


def _is_text(word: int) -> bool:
    return all(chr(byte).isalnum() and byte < 0x80 for byte in word.to_bytes(2))


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=len, reverse=True)


def _redaction(
    aliases: Mapping[str, str], secrets: Iterable[str]
) -> Callable[[str], str]:
    """Return what takes serial numbers and secrets out of a text, however they are spelt."""
    # An address may be a word like "inverter", which is a part of many keys. Longest first: one
    # text may be the beginning of another.
    names = [rf"(?<!\w){re.escape(each)}(?!\w)" for each in _longest_first(secrets)]
    names += [re.escape(name) for name in _longest_first(aliases)]
    pattern = re.compile("|".join(names), re.IGNORECASE)
    by_name = {name.upper(): alias for name, alias in aliases.items()}

    def redact(text: str) -> str:
        return pattern.sub(
            lambda found: by_name.get(found[0].upper(), REDACTED), str(text)
        )

    return redact


def _plain(value: Any, redact: Callable[[str], str]) -> Any:
    """Return ``value`` as what JSON can hold, with ``redact`` applied to every text."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {
            str(_plain(key, redact)): _plain(item, redact)
            for key, item in value.items()
        }
    if isinstance(value, set | frozenset):
        return sorted(_plain(item, redact) for item in value)
    if isinstance(value, Iterable):
        return [_plain(item, redact) for item in value]
    return value
