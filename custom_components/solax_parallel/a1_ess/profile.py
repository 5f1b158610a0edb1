"""The register map: the shipped one, an owner's corrections over it, and whether they make sense."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any

from annotatedyaml import NodeStrClass

from .codes import CODES, Role
from .faults import FAULTS
from .grade import Grade
from .mistake import MistakeError, Reason
from .profile_file import check_written_once, depth, line_of, read_file
from .profile_schema import MODULE_WORDS, MOST_WORDS, WORDS, validated
from .register import Bounds, Command, Counter, Fitted, PlaceInArray, Register, Window

SHIPPED_PROFILE = Path(__file__).parent / "profiles" / "a1_ess_g2.yaml"


class ProfileError(Exception):
    """A register map that cannot be used: the file, the line and key in it, and the reason.

    ``place`` is empty and ``line`` None where the reason has none in the file. ``details`` are what
    the words for the reason need, in whatever language they are.
    """

    def __init__(
        self,
        file: Path,
        reason: Reason,
        place: str = "",
        line: int | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Remember what is wrong."""
        self.file = file
        self.place = place
        self.reason = reason
        self.line = line
        self.details = details or {}
        where = [file.name, None if line is None else f"line {line}", place]
        told = [reason, *(f"{name}={value!r}" for name, value in self.details.items())]
        super().__init__(f"{', '.join(filter(None, where))}: {' '.join(told)}")


@dataclass(frozen=True)
class Profile:
    """A whole register map; ``module`` is what stands where in the array of a module."""

    windows: Mapping[str, Window]
    registers: Mapping[str, Register]
    commands: Mapping[str, Command]
    module: Mapping[str, Register]

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


_MODULE_WINDOWS = {
    "live": Window(space="input", first=0, last=MODULE_WORDS),
    "parallel_setting": Window(space="input", first=0, last=MODULE_WORDS),
}
_PLACEMENT = frozenset({"parallel_role", "secondary_quantity", "units_online"})
"""What a module tells of an inverter's place in its group."""

_INHERITED = ("unit", "bounds", "counter", "fitted", "values")
"""What holds for a value wherever it is read."""

_NUMBERED = ("registers", "commands")
"""Sections whose keys may stand for several entries."""

MEASURING_WINDOWS = ("live", "legs", "third_string")
"""Windows whose registers become sensors, whoever put them there."""

PRIMARY_WINDOWS = frozenset({"system", "primary_extension"})
"""Windows that only a primary serves."""

_ASKED_BY_NAME = frozenset({"identity", "parallel_setting", "system"})
"""Windows that are read for certain registers, which therefore have to stay in them."""


def load_profile(override: Path | None = None) -> Profile:
    """Return the shipped register map, corrected by the owner's file where there is one.

    ``override`` has the same form as the shipped file; what it says of a window, a bound, a
    register, a command or a place in a module's array replaces those words of the shipped one,
    and a new key needs a whole entry. Reads files, so call it where blocking is allowed. Raises
    ``ProfileError`` for a file that cannot be read, a wrong type, an unknown key, a register
    outside its window or where nobody looks for it, or a command that can't be confirmed.
    """
    if override is None:
        return _shipped_profile()
    shipped = _written_out(read_file(SHIPPED_PROFILE))
    content: dict[str, Any] = {}
    try:
        content = read_file(override)
        check_written_once(override)
        content = _written_out(content)
        return _corrected(shipped, content)
    except MistakeError as err:
        path = err.path
        if depth(content, path) < depth(content, err.other_path):
            path = err.other_path
        raise ProfileError(
            override,
            err.reason,
            ".".join(map(str, path)),
            err.line or line_of(override, content, path),
            err.details,
        ) from err


def _corrected(shipped: dict[str, Any], content: dict[str, Any]) -> Profile:
    """Return the shipped map as the owner's ``content`` corrects it."""
    profile = _build(_merged(shipped, content))
    for key in profile.windows:
        if key not in shipped["windows"]:
            raise MistakeError(("windows", key), Reason.NEW_WINDOW)
    for key, register in profile.registers.items():
        _check_found(register, shipped["registers"].get(key, {}).get("window"))
    for key, command in profile.commands.items():
        known = shipped["commands"].get(key)
        if known is None:
            raise MistakeError(("commands", key), Reason.NEW_COMMAND)
        if command.confirmed_by != known["confirmed_by"]:
            raise MistakeError(
                ("commands", key, "confirmed_by"),
                Reason.OTHER_CONFIRMATION,
                {"register": known["confirmed_by"]},
            )
    return profile


def _check_found(register: Register, shipped_in: str | None) -> None:
    """Raise ``MistakeError`` for a register in a window where nobody looks for it.

    ``shipped_in`` is its window in the shipped map, None for a register that was added.
    """
    path = ("registers", register.key, "window")
    if shipped_in in _ASKED_BY_NAME and register.window != shipped_in:
        raise MistakeError(
            path,
            Reason.OTHER_WINDOW,
            {"register": register.key, "window": shipped_in},
        )
    is_shown = shipped_in is None or (
        shipped_in in MEASURING_WINDOWS and register.unit is not None
    )
    if is_shown and register.window not in MEASURING_WINDOWS:
        raise MistakeError(
            path,
            Reason.NOT_SHOWN,
            {"window": register.window, "windows": ", ".join(MEASURING_WINDOWS)},
        )


@cache
def _shipped_profile() -> Profile:
    return _build(_written_out(read_file(SHIPPED_PROFILE)))


def _written_out(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content with every ``{n}`` key written out."""
    return content | {
        section: _written_out_section(section, entries)
        for section in _NUMBERED
        if isinstance(entries := content.get(section), dict)
    }


def _written_out_section(
    section: str, entries: dict[NodeStrClass, Any]
) -> dict[str, Any]:
    written: dict[str, Any] = {}

    def write(name: str, entry: Any) -> None:
        if name in written:
            raise MistakeError((section, key), Reason.TWICE, {"name": name})
        written[name] = entry

    for key, entry in entries.items():
        repeat = entry.get("repeat") if isinstance(entry, dict) else None
        if repeat is None:
            write(key, entry)
            continue
        validated({section: {key: entry}})
        if key.count("{n}") != 1 or {"{", "}"} & set(key.replace("{n}", "")):
            raise MistakeError((section, key), Reason.REPEATED_KEY, {"marker": "{n}"})
        once = {name: value for name, value in entry.items() if name != "repeat"}
        for index in range(repeat["count"]):
            write(
                _numbered(key, index + 1),
                {
                    **{
                        name: _numbered(value, index + 1)
                        if isinstance(value, NodeStrClass)
                        else value
                        for name, value in once.items()
                    },
                    "address": entry["address"] + index * repeat["stride"],
                },
            )
    return written


def _numbered(text: NodeStrClass, number: int) -> NodeStrClass:
    """Return a text of one of several entries, at the same place in the file."""
    numbered = NodeStrClass(text.replace("{n}", str(number)))
    numbered.__config_file__ = text.__config_file__
    numbered.__line__ = text.__line__
    return numbered


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


def _build(content: dict[str, Any]) -> Profile:
    content = validated(content)
    windows = {key: Window(**entry) for key, entry in content["windows"].items()}
    for key, window in windows.items():
        if not 0 <= window.last - window.first < MOST_WORDS:
            raise MistakeError(
                ("windows", key), Reason.WINDOW_SIZE, {"most": MOST_WORDS}
            )
    bounds = {
        key: _bounds(("bounds", key), entry) for key, entry in content["bounds"].items()
    }
    registers = {
        key: _register(key, entry, windows, bounds, content["sources"])
        for key, entry in content["registers"].items()
    }
    commands: dict[str, Command] = {}
    for key, entry in content["commands"].items():
        command = _command(key, entry, registers, content["sources"])
        for other in commands.values():
            if other.address == command.address:
                raise MistakeError(
                    ("commands", key, "address"),
                    Reason.ADDRESS_TAKEN,
                    {
                        "address": f"0x{command.address:04X}",
                        "one": other.key,
                        "other": key,
                    },
                    other_path=("commands", other.key, "address"),
                )
        commands[key] = command
    module = {
        key: _register(
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
        MappingProxyType(windows),
        MappingProxyType(registers),
        MappingProxyType(commands),
        MappingProxyType(module),
    )


def _bounds(path: Sequence[object], entry: dict[str, Any]) -> Bounds:
    """Return checked bounds."""
    if entry.get("min", -inf) > entry.get("max", inf):
        raise MistakeError(
            (*path, "min"), Reason.MIN_ABOVE_MAX, other_path=(*path, "max")
        )
    return Bounds(**entry)


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


def _command(
    key: str,
    entry: dict[str, Any],
    registers: Mapping[str, Register],
    sources: Mapping[str, str],
) -> Command:
    """Return one checked command."""
    if (told := registers.get(entry["confirmed_by"])) is None:
        raise MistakeError(
            ("commands", key, "confirmed_by"),
            Reason.UNKNOWN_REGISTER,
            {"name": entry["confirmed_by"]},
        )
    names = list(entry["values"].values())
    for code, name in entry["values"].items():
        place = ("commands", key, "values", code)
        if name not in (told.values or {}).values():
            raise MistakeError(
                place,
                Reason.NEVER_SAID,
                {"register": told.key, "value": name},
                other_path=("registers", told.key, "values"),
            )
        if names.count(name) > 1:
            raise MistakeError(place, Reason.TWO_CODES, {"value": name})
    return Command(
        key=key,
        **{
            **entry,
            "grade": Grade(entry["grade"]),
            "source": sources.get(entry["source"], entry["source"]),
        },
    )


def _check_names(place: tuple[str, str], entry: Mapping[str, Any]) -> None:
    """Raise ``MistakeError`` for a code or bit that stands for nothing the library knows."""
    _, key = place
    for value, code in entry.get("values", {}).items():
        if (codes := CODES.get(key)) is not None and code not in set(codes):
            raise MistakeError(
                (*place, "values", value),
                Reason.NOT_ONE_OF,
                {"value": code, "known": ", ".join(codes)},
            )
    for bit, name in entry.get("bits", {}).items():
        path = (*place, "bits", bit)
        if key.endswith("_faults") and name not in FAULTS:
            raise MistakeError(path, Reason.UNKNOWN_FAULT, {"name": name})
        if key == "online_mask" and name not in set(Role):
            raise MistakeError(
                path, Reason.NOT_ONE_OF, {"value": name, "known": ", ".join(Role)}
            )


def _register(
    key: str,
    entry: dict[str, Any],
    windows: Mapping[str, Window],
    bounds: Mapping[str, Bounds],
    sources: Mapping[str, str],
    *,
    section: str = "registers",
) -> Register:
    """Return one checked register."""

    def wrong(
        word: str, reason: Reason, other: str | None = None, /, **details: object
    ) -> MistakeError:
        other_path = () if other is None else (section, key, other)
        return MistakeError(
            (section, key, word), reason, details, other_path=other_path
        )

    if (window := windows.get(entry["window"])) is None:
        raise wrong("window", Reason.UNKNOWN_WINDOW, name=entry["window"])
    words = WORDS.get(entry["type"], entry.get("words"))
    if words is None:
        raise wrong("words", Reason.NO_LENGTH)
    if entry.get("words", words) != words:
        raise wrong(
            "words", Reason.OTHER_LENGTH, "type", type=entry["type"], words=words
        )
    if not window.first <= entry["address"] <= window.last - words + 1:
        edge = "first" if entry["address"] < window.first else "last"
        raise MistakeError(
            (section, key, "address"),
            Reason.OUTSIDE_WINDOW,
            {
                "register": key,
                "address": f"0x{entry['address']:04X}",
                "window": entry["window"],
            },
            other_path=("windows", entry["window"], edge),
        )
    for names in ("values", "bits"):
        if names in entry and "unit" in entry:
            raise wrong("unit", Reason.UNIT_OF_CODES, names)
    if (highest := max(entry.get("bits", ()), default=0)) >= 16 * words:
        raise wrong(
            "bits",
            Reason.NO_SUCH_BIT,
            "type",
            type=entry["type"],
            last=16 * words - 1,
            bit=highest,
        )
    limits = entry.get("bounds")
    if isinstance(limits, str) and limits not in bounds:
        raise wrong("bounds", Reason.UNKNOWN_BOUNDS, name=limits)
    _check_names((section, key), entry)
    kind = PlaceInArray if section == "module" else Register
    return kind(
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
                else _bounds((section, key, "bounds"), limits)
            ),
            "counter": None if "counter" not in entry else Counter(entry["counter"]),
            "fitted": None if "fitted" not in entry else Fitted(entry["fitted"]),
        },
    )
