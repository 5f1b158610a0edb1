"""The register map: loading it, checking it, and turning registers into typed fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from math import isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, override

from annotatedyaml import YAMLException, load_yaml
from modbus_connection.model.fields import NumberField, RegisterField, StringField
import voluptuous as vol

from .codes import CODES, Role
from .faults import FAULTS
from .grade import Grade

SHIPPED_PROFILE = Path(__file__).parent / "profiles" / "a1_ess_g2.yaml"

type Space = Literal["holding", "input"]

type Value = int | float | str
"""A decoded register: text, a code, a bit field, or a number in the register's unit."""

SENTINELS = {
    "u16": frozenset({0x7FFF, 0x8000, 0xFFFF}),
    "s16": frozenset({0x7FFF, 0x8000}),
    "bits16": frozenset({0xFFFF}),
    "low_byte": frozenset({0xFF}),
    "u32": frozenset(range(0xFFFFFF00, 0x1_0000_0000)),
    "s32": frozenset({0x7FFFFFFF, 0x80000000}),
    "bits32": frozenset({0xFFFFFFFF}),
}
"""Raw patterns that stand for "no value", by register type."""


class ProfileError(Exception):
    """A register map that cannot be used, with the file, the place in it and the reason."""

    def __init__(self, file: Path, place: str, reason: str) -> None:
        """Remember what is wrong, so that it can be shown in any language."""
        self.file = file
        self.place = place
        self.reason = reason
        super().__init__(
            f"{file.name}: {place}: {reason}" if place else f"{file.name}: {reason}"
        )


class Fitted(StrEnum):
    """What an inverter must have for a register to mean anything."""

    PV = "pv"
    THIRD_STRING = "third_string"


class Counter(StrEnum):
    """How an energy register counts: for life, or anew each day."""

    TOTAL = "total"
    TODAY = "today"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A run of addresses that is read with one request."""

    space: Space
    first: int
    last: int
    all_zero: Literal["good", "bad"] = "good"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a sample must lie within; ``rated`` is a multiple of the rated power, both ways."""

    min: float | None = None
    max: float | None = None
    rated: float | None = None
    or_zero: bool = False
    zero_only_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class Register:
    """One entry of the map: where a value stands, how it is coded, how well that is known."""

    key: str
    window: str
    address: int
    type: str
    grade: Grade
    source: str
    words: int = 1
    scale: float = 1
    unit: str | None = None
    bounds: Bounds | None = None
    counter: Counter | None = None
    fitted: Fitted | None = None
    values: Mapping[int, str] | None = None
    bits: Mapping[int, str] | None = None

    def field(self) -> RegisterField[Any]:
        """Return a new field that decodes and encodes this register's words."""
        if self.type == "ascii":
            return _TextField(self.address, count=self.words)
        kind = _LowByteField if self.type == "low_byte" else NumberField
        return kind(
            self.address,
            count=self.words,
            signed=self.type.startswith("s"),
            scale=float(self.scale),
            nan=SENTINELS[self.type],
            word_order="little",
        )

    def code(self, value: Value | None) -> str | None:
        """Return what a coded value stands for; None for no value or one in no table."""
        return (self.values or {}).get(value) if isinstance(value, int) else None

    def flags(self, value: Value | None) -> tuple[frozenset[str], int]:
        """Return the names of the bits set in ``value``, and the set bits that have no name."""
        if not isinstance(value, int):
            return frozenset(), 0
        named = {1 << bit: name for bit, name in (self.bits or {}).items()}
        return (
            frozenset(name for mask, name in named.items() if value & mask),
            value & ~sum(named),
        )


class _TextField(StringField):
    """Text that is filled up with NUL or with spaces."""

    @override
    def decode(self, words: list[int], scale_exponent: int | None = None) -> str:
        return super().decode(words, scale_exponent).strip("\0 ")


class _LowByteField(NumberField[Any]):
    """A number that shares its word with another one."""

    @override
    def decode(self, words: list[int], scale_exponent: int | None = None) -> Any:
        return super().decode([words[0] & 0xFF], scale_exponent)


@dataclass(frozen=True)
class Profile:
    """A whole register map; ``module`` is what stands where in the array of a module."""

    windows: Mapping[str, Window]
    registers: Mapping[str, Register]
    module: Mapping[str, Register] = field(default_factory=dict)

    def read_in(self, window: str) -> tuple[Register, ...]:
        """Return the registers that a read of ``window`` delivers."""
        wanted = self.windows[window]
        return tuple(
            register
            for register in self.registers.values()
            if self.windows[register.window].space == wanted.space
            and wanted.first <= register.address
            and register.address + register.words - 1 <= wanted.last
        )


_WORDS = {
    "u16": 1,
    "s16": 1,
    "bits16": 1,
    "low_byte": 1,
    "u32": 2,
    "s32": 2,
    "bits32": 2,
}
_MODULE_WORDS = 1000
_MODULE_WINDOWS = {
    "live": Window(space="input", first=0, last=_MODULE_WORDS),
    "parallel_setting": Window(space="input", first=0, last=_MODULE_WORDS),
}
_PLACEMENT = frozenset({"parallel_role", "secondary_quantity", "units_online"})
"""What a module tells of an inverter's place in its group."""

_INHERITED = ("unit", "bounds", "counter", "fitted", "values")
"""What holds for a value wherever it is read."""


def _whole(value: Any) -> int:
    """Check that a value is a whole number; YAML's yes and no are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise vol.Invalid("expected int")
    return value


def _number(value: Any) -> float:
    """Check that a value is a finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not isfinite(value)
    ):
        raise vol.Invalid("expected a number")
    return value


_ADDRESS = vol.All(_whole, vol.Range(min=0, max=0xFFFF))
_COUNT = vol.All(_whole, vol.Range(min=1, max=125))
_BOUNDS = {
    vol.Optional("min"): _number,
    vol.Optional("max"): _number,
    vol.Optional("rated"): _number,
    vol.Optional("or_zero"): bool,
    vol.Optional("zero_only_after"): _number,
}
_WINDOW = {
    vol.Required("space"): vol.In(("holding", "input")),
    vol.Required("first"): _ADDRESS,
    vol.Required("last"): _ADDRESS,
    vol.Optional("all_zero"): vol.In(("good", "bad")),
}
_REGISTER = {
    vol.Required("window"): str,
    vol.Required("address"): _ADDRESS,
    vol.Required("type"): vol.In((*_WORDS, "ascii")),
    vol.Required("grade"): vol.In([grade.value for grade in Grade]),
    vol.Required("source"): str,
    vol.Optional("words"): _COUNT,
    vol.Optional("scale"): vol.All(_number, vol.Range(min=0, min_included=False)),
    vol.Optional("unit"): str,
    vol.Optional("bounds"): vol.Any(str, _BOUNDS),
    vol.Optional("counter"): vol.In([counter.value for counter in Counter]),
    vol.Optional("fitted"): vol.In([fitted.value for fitted in Fitted]),
    vol.Optional("values"): {_whole: str},
    vol.Optional("bits"): {vol.All(_whole, vol.Range(min=0, max=31)): str},
    vol.Optional("repeat"): {
        vol.Required("count"): _COUNT,
        vol.Required("stride"): _COUNT,
    },
}
_IN_MODULE = {
    vol.Required("index"): vol.All(_whole, vol.Range(min=0, max=_MODULE_WORDS - 1)),
    **{
        name: check
        for name, check in _REGISTER.items()
        if str(name) not in ("window", "address", "words", "repeat")
    },
}
_ASKED_BY_NAME = frozenset({"identity", "parallel_setting", "system"})
"""Windows that are read for certain registers, which therefore have to stay in them."""

_FILE = vol.Schema(
    {
        vol.Optional("sources"): {str: str},
        vol.Optional("bounds"): {str: _BOUNDS},
        vol.Optional("windows"): {str: _WINDOW},
        vol.Optional("registers"): {str: _REGISTER},
        vol.Optional("module"): {str: _IN_MODULE},
    }
)


def load_profile(override: Path | None = None) -> Profile:
    """Return the shipped register map, corrected by the owner's file where there is one.

    ``override`` has the same form as the shipped file; what it says of a window, a bound, a
    register or a place in a module's array replaces those words of the shipped one, and a new
    key needs a whole entry. Reads
    files, so call it where blocking is allowed. Raises ``ProfileError`` for a file that cannot
    be read, a wrong type, an unknown key, or a register outside its window.
    """
    if override is None:
        return _shipped_profile()
    shipped, corrections = _raw(SHIPPED_PROFILE), _raw(override)
    profile = _build(_merged(shipped, corrections), override)
    for key in profile.windows:
        if key not in shipped["windows"]:
            raise ProfileError(
                override, f"windows.{key}", "such a window is never read"
            )
    for key, register in shipped["registers"].items():
        if (
            register["window"] in _ASKED_BY_NAME
            and profile.registers[key].window != register["window"]
        ):
            raise ProfileError(
                override,
                f"registers.{key}.window",
                f"is only looked for in window {register['window']!r}; move the window",
            )
    return profile


@cache
def _shipped_profile() -> Profile:
    return _build(_raw(SHIPPED_PROFILE), SHIPPED_PROFILE)


def _raw(file: Path) -> dict[str, Any]:
    """Return the file's content with every ``{n}`` key written out."""
    try:
        content = load_yaml(file)
    except (YAMLException, FileNotFoundError, ValueError) as err:
        raise ProfileError(file, "", str(err)) from err
    except RecursionError as err:
        raise ProfileError(file, "", "nested without end") from err
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ProfileError(file, "", "expected sections, such as registers:")
    registers = content.get("registers")
    if isinstance(registers, dict):
        content["registers"] = _written_out(file, registers)
    return content


def _written_out(file: Path, registers: dict[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for key, entry in registers.items():
        repeat = entry.get("repeat") if isinstance(entry, dict) else None
        if repeat is None:
            written[key] = entry
            continue
        _validated(file, {"registers": {key: entry}})
        if key.count("{n}") != 1 or {"{", "}"} & set(key.replace("{n}", "")):
            raise ProfileError(
                file,
                f"registers.{key}",
                "a repeated key holds {n} once and no other braces",
            )
        once = {name: value for name, value in entry.items() if name != "repeat"}
        for index in range(repeat["count"]):
            written[key.replace("{n}", str(index + 1))] = {
                **once,
                "address": entry["address"] + index * repeat["stride"],
            }
    return written


def _merged(shipped: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """Lay the owner's words over the shipped ones, key by key."""
    merged = dict(shipped)
    for section, entries in override.items():
        if not isinstance(entries, dict) or section not in shipped:
            merged[section] = entries
            continue
        merged[section] = {**shipped[section]}
        for key, entry in entries.items():
            known = shipped[section].get(key)
            merged[section][key] = (
                {**known, **entry}
                if isinstance(known, dict) and isinstance(entry, dict)
                else entry
            )
    return merged


def _validated(file: Path, content: dict[str, Any]) -> dict[str, Any]:
    try:
        validated: dict[str, Any] = _FILE(content)
    except vol.Invalid as err:
        place = ".".join(str(step) for step in err.path)
        raise ProfileError(file, place, err.msg) from err
    return validated


def _build(content: dict[str, Any], file: Path) -> Profile:
    content = _validated(file, content)
    windows = {key: Window(**entry) for key, entry in content["windows"].items()}
    for key, window in windows.items():
        if not 0 <= window.last - window.first < 125:
            raise ProfileError(
                file, f"windows.{key}", "a window holds 1 to 125 registers"
            )
    bounds = {key: Bounds(**entry) for key, entry in content["bounds"].items()}
    registers = {
        key: _register(file, key, entry, windows, bounds, content["sources"])
        for key, entry in content["registers"].items()
    }
    module = {
        key: _register(
            file,
            key,
            _in_module(key, entry, content["registers"].get(key, {})),
            _MODULE_WINDOWS,
            bounds,
            content["sources"],
            section="module",
        )
        for key, entry in content["module"].items()
    }
    return Profile(
        MappingProxyType(windows), MappingProxyType(registers), MappingProxyType(module)
    )


def _in_module(
    key: str, entry: dict[str, Any], register: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a place in a module's array as a register, which has the same meaning there."""
    return {
        **{name: register[name] for name in _INHERITED if name in register},
        **{name: value for name, value in entry.items() if name != "index"},
        "window": "parallel_setting" if key in _PLACEMENT else "live",
        "address": entry["index"],
    }


def _check_names(file: Path, place: str, key: str, entry: Mapping[str, Any]) -> None:
    """Raise ``ProfileError`` for a code or bit that stands for nothing the library knows."""
    if (codes := CODES.get(key)) is not None:
        for code in entry.get("values", {}).values():
            if code not in set(codes):
                raise ProfileError(
                    file,
                    f"{place}.values",
                    f"{code!r} is not one of {', '.join(codes)}",
                )
    for bit in entry.get("bits", {}).values():
        if key.endswith("_faults") and bit not in FAULTS:
            raise ProfileError(file, f"{place}.bits", f"there is no fault {bit!r}")
        if key == "online_mask" and bit not in set(Role):
            raise ProfileError(
                file, f"{place}.bits", f"{bit!r} is not one of {', '.join(Role)}"
            )


def _register(
    file: Path,
    key: str,
    entry: dict[str, Any],
    windows: Mapping[str, Window],
    bounds: Mapping[str, Bounds],
    sources: Mapping[str, str],
    *,
    section: str = "registers",
) -> Register:
    """Return one checked register."""

    def wrong(name: str, reason: str) -> ProfileError:
        return ProfileError(file, f"{section}.{key}.{name}", reason)

    if (window := windows.get(entry["window"])) is None:
        raise wrong("window", f"there is no window {entry['window']!r}")
    words = _WORDS.get(entry["type"], entry.get("words"))
    if words is None:
        raise wrong("words", "text needs its length in words")
    if entry.get("words", words) != words:
        raise wrong("words", f"{entry['type']} has {words}")
    if not window.first <= entry["address"] <= window.last - words + 1:
        raise wrong(
            "address",
            f"0x{entry['address']:04X} lies outside window {entry['window']!r}",
        )
    if "unit" in entry and ("values" in entry or "bits" in entry):
        raise wrong("unit", "a coded register measures nothing")
    if max(entry.get("bits", ()), default=0) >= 16 * words:
        raise wrong("bits", f"{entry['type']} has {16 * words} bits")
    limits = entry.get("bounds")
    if isinstance(limits, str) and limits not in bounds:
        raise wrong("bounds", f"there are no bounds {limits!r}")
    _check_names(file, f"{section}.{key}", key, entry)
    return Register(
        key=key,
        **{
            **entry,
            "words": words,
            "grade": Grade(entry["grade"]),
            "source": sources.get(entry["source"], entry["source"]),
            "bounds": (
                bounds[limits]
                if isinstance(limits, str)
                else None
                if limits is None
                else Bounds(**limits)
            ),
            "counter": None if "counter" not in entry else Counter(entry["counter"]),
            "fitted": None if "fitted" not in entry else Fitted(entry["fitted"]),
        },
    )
