"""The form of a register map's file: which keys it may hold, and what may stand behind each."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from math import isfinite
from reprlib import Repr
from typing import Any

import voluptuous as vol

from .grade import Grade
from .mistake import MistakeError, Reason
from .register import Counter, Fitted

WORDS = {
    "u16": 1,
    "s16": 1,
    "bits16": 1,
    "low_byte": 1,
    "u32": 2,
    "s32": 2,
    "bits32": 2,
}
"""How many words a value takes, by register type; a text says it itself."""

MOST_WORDS = 125
"""What Modbus lets one request read."""

MODULE_WORDS = 1000
"""How long a module's array may be: more than any that is known."""


class _InvalidError(vol.Invalid):  # type: ignore[misc]
    """A value that is not what it should be."""

    def __init__(self, reason: Reason, *path: Hashable, **details: object) -> None:
        super().__init__(reason, list(path))
        self.reason = reason
        self.details = details


def _whole(value: Any) -> int:
    """Check that a value is a whole number; YAML's yes and no are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise _InvalidError(Reason.NOT_WHOLE)
    return value


def _text(value: Any) -> str:
    """Check that a value is text; YAML takes a bare ``off`` for something else."""
    if not isinstance(value, str):
        raise _InvalidError(Reason.NOT_TEXT)
    return value


def _number(value: Any) -> float:
    """Check that a value is a finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not isfinite(value)
    ):
        raise _InvalidError(Reason.NOT_A_NUMBER)
    return value


def _positive(value: Any) -> float:
    """Check that a value is a finite number above zero."""
    if (number := _number(value)) <= 0:
        raise _InvalidError(Reason.NOT_POSITIVE)
    return number


def _true_or_false(value: Any) -> bool:
    """Check that a value is one of these two."""
    if not isinstance(value, bool):
        raise _InvalidError(Reason.NOT_TRUE_OR_FALSE)
    return value


def _within(low: int, high: int) -> Callable[[Any], int]:
    """Return a check for a whole number from ``low`` to ``high``."""

    def check(value: Any) -> int:
        if not low <= (number := _whole(value)) <= high:
            raise _InvalidError(Reason.OUT_OF_RANGE, low=low, high=high)
        return number

    return check


def _one_of(known: Iterable[str]) -> Callable[[Any], str]:
    """Return a check for one of the texts in ``known``."""
    texts = tuple(known)

    def check(value: Any) -> str:
        if value not in texts:
            raise _not_one_of(value, texts)
        return _text(value)

    return check


_SHOWN = 60
"""How many characters of what somebody wrote are repeated to them."""
_QUOTED = Repr(maxstring=_SHOWN)


def _not_one_of(value: Any, known: Iterable[str], *path: Hashable) -> _InvalidError:
    text = str(value)
    return _InvalidError(
        Reason.NOT_ONE_OF,
        *path,
        value=text if 0 < len(text) <= _SHOWN else _QUOTED.repr(text),
        known=", ".join(known),
    )


def _entry(words: Mapping[vol.Marker, Any]) -> Callable[[Any], dict[str, Any]]:
    """Return a check for a mapping that holds ``words``, and no others."""
    known = [str(word) for word in words]
    schema = vol.Schema(dict(words))

    def check(value: Any) -> dict[str, Any]:
        for word in value if isinstance(value, dict) else ():
            if word not in known:
                raise _not_one_of(word, known, word)
        entry: dict[str, Any] = schema(value)
        return entry

    return check


_ADDRESS = _within(0, 0xFFFF)
_COUNT = _within(1, MOST_WORDS)

_BOUNDS = _entry(
    {
        vol.Optional("min"): _number,
        vol.Optional("max"): _number,
        vol.Optional("rated"): _number,
        vol.Optional("or_zero"): _true_or_false,
        vol.Optional("zero_only_after"): _number,
    }
)


def _bounds_or_name(value: Any) -> str | dict[str, Any]:
    """Check that a value is the name of common bounds, or bounds themselves."""
    return value if isinstance(value, str) else _BOUNDS(value)


_WINDOW = _entry(
    {
        vol.Required("space"): _one_of(("holding", "input")),
        vol.Required("first"): _ADDRESS,
        vol.Required("last"): _ADDRESS,
        vol.Optional("all_zero"): _one_of(("good", "bad")),
    }
)
_REPEAT = _entry({vol.Required("count"): _COUNT, vol.Required("stride"): _COUNT})
_REGISTER = {
    vol.Required("window"): _text,
    vol.Required("address"): _ADDRESS,
    vol.Required("type"): _one_of((*WORDS, "ascii")),
    vol.Required("grade"): _one_of(Grade),
    vol.Required("source"): _text,
    vol.Optional("words"): _COUNT,
    vol.Optional("scale"): _positive,
    vol.Optional("unit"): _text,
    vol.Optional("bounds"): _bounds_or_name,
    vol.Optional("counter"): _one_of(Counter),
    vol.Optional("fitted"): _one_of(Fitted),
    vol.Optional("values"): {_whole: _text},
    vol.Optional("bits"): {_within(0, 31): _text},
    vol.Optional("repeat"): _REPEAT,
}
_IN_MODULE = {
    vol.Required("index"): _within(0, MODULE_WORDS - 1),
    **{
        name: check
        for name, check in _REGISTER.items()
        if str(name) not in ("window", "address", "words", "repeat")
    },
    # The array holds no text.
    vol.Required("type"): _one_of(WORDS),
}
_COMMAND = {
    vol.Required("address"): _ADDRESS,
    vol.Required("values"): {_within(0, 0xFFFF): _text},
    vol.Required("confirmed_by"): _text,
    vol.Required("grade"): _one_of(Grade),
    vol.Required("source"): _text,
    vol.Optional("repeat"): _REPEAT,
}

_FILE = _entry(
    {
        vol.Optional("sources"): {_text: _text},
        vol.Optional("bounds"): {_text: _BOUNDS},
        vol.Optional("windows"): {_text: _WINDOW},
        vol.Optional("registers"): {_text: _entry(_REGISTER)},
        vol.Optional("commands"): {_text: _entry(_COMMAND)},
        vol.Optional("module"): {_text: _entry(_IN_MODULE)},
    }
)


def validated(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file; raises ``MistakeError`` where its form is wrong."""
    try:
        return _FILE(content)
    except vol.Invalid as err:
        first = err.errors[0] if isinstance(err, vol.MultipleInvalid) else err
        if isinstance(first, _InvalidError):
            raise MistakeError(first.path, first.reason, first.details) from err
        is_missing = isinstance(first, vol.RequiredFieldInvalid)
        raise MistakeError(
            first.path, Reason.MISSING if is_missing else Reason.NO_ENTRIES
        ) from err
