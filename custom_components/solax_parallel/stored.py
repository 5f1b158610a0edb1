"""What Home Assistant gives back from its storage, as far as it is sound: a disk can be damaged."""

import logging
from typing import Any

import voluptuous as vol

_LOGGER = logging.getLogger(__name__)

_LARGEST = 1e12
"""No counter in kWh and no time in seconds since 1970 comes near."""


def number(value: Any) -> float:
    """Return a number; raises ``vol.Invalid`` for what is none, or could not have been stored."""
    if type(value) not in (int, float) or not abs(value) <= _LARGEST:
        raise vol.Invalid("expected a number")
    return float(value)


def sound(schema: vol.Schema, stored: Any, what: str) -> dict[str, Any]:
    """Return the items of a stored mapping whose values fit ``schema``, as it returns them.

    The log tells of ``what`` something is lost, and not which: the keys hold serial numbers.
    """
    kept = {}
    is_whole = isinstance(stored, dict)
    for key, value in stored.items() if is_whole else ():
        try:
            kept[key] = schema(value)
        except vol.Invalid:
            is_whole = False
    if not is_whole:
        _LOGGER.warning("Some stored %s can't be read and begin anew", what)
    return kept
