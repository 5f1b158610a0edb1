"""The register map: loading it, checking it, and turning registers into typed fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import inf, isfinite
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, override

from annotatedyaml import NodeStrClass, YAMLException, load_yaml
from modbus_connection.model.fields import NumberField, RegisterField, StringField
import voluptuous as vol
import yaml

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
    """A register map that cannot be used: the file, the line and key in it, and the reason.

    ``line`` is None where the reason has no place in the file.
    """

    def __init__(
        self, file: Path, place: str, reason: str, line: int | None = None
    ) -> None:
        """Remember what is wrong, so that it can be shown in any language."""
        self.file = file
        self.place = place
        self.reason = reason
        self.line = line
        where = [file.name, None if line is None else f"line {line}", place]
        super().__init__(f"{', '.join(filter(None, where))}: {reason}")


class Fitted(StrEnum):
    """What an inverter must have for a register to mean anything."""

    PV = "pv"
    THIRD_STRING = "third_string"


class Counter(StrEnum):
    """How a register counts: for life, or anew each day."""

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

    def limits(self, rated_power: float | None) -> tuple[float, float]:
        """Return the lowest and the highest value for an inverter of ``rated_power`` in W.

        Without it, bounds that depend on it do not limit.
        """
        limit = (
            inf
            if self.rated is None or rated_power is None
            else self.rated * rated_power
        )
        return (
            -limit if self.min is None else max(self.min, -limit),
            limit if self.max is None else min(self.max, limit),
        )

    def admit(self, value: float, rated_power: float | None) -> bool:
        """Return whether ``value`` alone can be true, whatever came before it."""
        low, high = self.limits(rated_power)
        return low <= value <= high or (self.or_zero and value == 0)


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

    @property
    def addresses(self) -> range:
        """The address of each of its words."""
        return range(self.address, self.address + self.words)

    @property
    def place(self) -> str:
        """Where it stands, as people write it."""
        return f"0x{self.address:04X}"

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


@dataclass(frozen=True, kw_only=True)
class PlaceInArray(Register):
    """What stands at some place of a module's array; ``address`` is its index there."""

    @property
    @override
    def place(self) -> str:
        """Its index."""
        return f"index {self.address}"


@dataclass(frozen=True, kw_only=True)
class Command:
    """One holding register that may be written, and the register that tells what came of it."""

    key: str
    address: int
    values: Mapping[int, str]
    confirmed_by: str
    grade: Grade
    source: str

    @property
    def proven(self) -> bool:
        """Whether the register is known well enough to be written on a real inverter."""
        return self.grade in (Grade.VENDOR, Grade.FIELD)

    def code(self, value: str) -> int | None:
        """Return what is written for ``value``; None for one that is in no table."""
        return next((code for code, name in self.values.items() if name == value), None)


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


class _MistakeError(Exception):
    """What is wrong with a register map, by the keys that lead to it.

    ``other_path`` leads to what else may have brought it about.
    """

    def __init__(
        self, path: Sequence[object], reason: str, other_path: Sequence[object] = ()
    ) -> None:
        self.path = path
        self.reason = reason
        self.other_path = other_path
        super().__init__(f"{'.'.join(map(str, path))}: {reason}")


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
        raise vol.Invalid("this must be a whole number")
    return value


def _text(value: Any) -> str:
    """Check that a value is text; YAML takes a bare ``off`` for something else."""
    if not isinstance(value, str):
        raise vol.Invalid("this must be text, so put it in quotes")
    return value


def _number(value: Any) -> float:
    """Check that a value is a finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not isfinite(value)
    ):
        raise vol.Invalid("this must be a number")
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
_REPEAT = {vol.Required("count"): _COUNT, vol.Required("stride"): _COUNT}
_REGISTER = {
    vol.Required("window"): _text,
    vol.Required("address"): _ADDRESS,
    vol.Required("type"): vol.In((*_WORDS, "ascii")),
    vol.Required("grade"): vol.In([grade.value for grade in Grade]),
    vol.Required("source"): _text,
    vol.Optional("words"): _COUNT,
    vol.Optional("scale"): vol.All(_number, vol.Range(min=0, min_included=False)),
    vol.Optional("unit"): _text,
    vol.Optional("bounds"): vol.Any(str, _BOUNDS),
    vol.Optional("counter"): vol.In([counter.value for counter in Counter]),
    vol.Optional("fitted"): vol.In([fitted.value for fitted in Fitted]),
    vol.Optional("values"): {_whole: _text},
    vol.Optional("bits"): {vol.All(_whole, vol.Range(min=0, max=31)): _text},
    vol.Optional("repeat"): _REPEAT,
}
_IN_MODULE = {
    vol.Required("index"): vol.All(_whole, vol.Range(min=0, max=_MODULE_WORDS - 1)),
    **{
        name: check
        for name, check in _REGISTER.items()
        if str(name) not in ("window", "address", "words", "repeat")
    },
}
_COMMAND = {
    vol.Required("address"): _ADDRESS,
    vol.Required("values"): {vol.All(_whole, vol.Range(min=0, max=0xFFFF)): _text},
    vol.Required("confirmed_by"): _text,
    vol.Required("grade"): vol.In([grade.value for grade in Grade]),
    vol.Required("source"): _text,
    vol.Optional("repeat"): _REPEAT,
}
_NUMBERED = ("registers", "commands")
"""Sections whose keys may stand for several entries."""

PRIMARY_WINDOWS = frozenset({"system", "primary_extension"})
"""Windows that only a primary serves."""

_ASKED_BY_NAME = frozenset({"identity", "parallel_setting", "system"})
"""Windows that are read for certain registers, which therefore have to stay in them."""

_FILE = vol.Schema(
    {
        vol.Optional("sources"): {_text: _text},
        vol.Optional("bounds"): {_text: _BOUNDS},
        vol.Optional("windows"): {_text: _WINDOW},
        vol.Optional("registers"): {_text: _REGISTER},
        vol.Optional("commands"): {_text: _COMMAND},
        vol.Optional("module"): {_text: _IN_MODULE},
    }
)


def load_profile(override: Path | None = None) -> Profile:
    """Return the shipped register map, corrected by the owner's file where there is one.

    ``override`` has the same form as the shipped file; what it says of a window, a bound, a
    register, a command or a place in a module's array replaces those words of the shipped one,
    and a new key needs a whole entry. Reads files, so call it where blocking is allowed. Raises
    ``ProfileError`` for a file that cannot be read, a wrong type, an unknown key, a register
    outside its window, or a command that can't be confirmed.
    """
    if override is None:
        return _shipped_profile()
    content = _content(override)
    _check_written_once(override)
    try:
        content = _written_out(content)
        return _corrected(_written_out(_content(SHIPPED_PROFILE)), content)
    except _MistakeError as err:
        path = err.path
        if err.other_path and _depth(content, path) < _depth(content, err.other_path):
            path = err.other_path
        raise ProfileError(
            override,
            ".".join(map(str, path)),
            err.reason,
            _line(override, content, path),
        ) from err


def _corrected(shipped: dict[str, Any], content: dict[str, Any]) -> Profile:
    """Return the shipped map as the owner's ``content`` corrects it."""
    profile = _build(_merged(shipped, content))
    for key in profile.windows:
        if key not in shipped["windows"]:
            raise _MistakeError(("windows", key), "such a window is never read")
    for key, register in shipped["registers"].items():
        window = register["window"]
        if window in _ASKED_BY_NAME and profile.registers[key].window != window:
            raise _MistakeError(
                ("registers", key, "window"),
                f"{key} is only looked for in window {window!r}; move the window",
            )
    for key, command in profile.commands.items():
        known = shipped["commands"].get(key)
        if known is None:
            raise _MistakeError(("commands", key), "such a command is never given")
        if command.confirmed_by != known["confirmed_by"]:
            raise _MistakeError(
                ("commands", key, "confirmed_by"),
                f"nothing but {known['confirmed_by']!r} can confirm it; correct that register",
            )
    return profile


@cache
def _shipped_profile() -> Profile:
    return _build(_written_out(_content(SHIPPED_PROFILE)))


_NESTED = "nested without end"


def _content(file: Path) -> dict[str, Any]:
    """Return what is in a file; its texts and mappings know their lines."""
    if file.exists() and not (file.is_file() or file.is_dir()):
        # It may never come to an end.
        raise ProfileError(file, "", "this is a pipe or a device, not a file")
    try:
        content = load_yaml(file)
    except (YAMLException, FileNotFoundError, ValueError) as err:
        raise _unreadable(file, err) from err
    except RecursionError as err:
        raise ProfileError(file, "", _NESTED) from err
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ProfileError(
            file,
            "",
            "expected sections, such as 'registers'",
            getattr(content, "__line__", None),
        )
    return content


def _check_written_once(file: Path) -> None:
    """Raise ``ProfileError`` for a key that stands twice: YAML takes the last one silently."""
    try:
        with file.open(encoding="utf-8") as stream:
            root = yaml.compose(stream, yaml.SafeLoader)
    except yaml.YAMLError as err:
        # The fast parser, which has read the file, takes more for YAML than this one.
        raise _unreadable(file, err) from err
    except RecursionError as err:
        raise ProfileError(file, "", _NESTED) from err
    nodes: list[tuple[tuple[str, ...], yaml.Node | None]] = [((), root)]
    seen: set[int] = set()
    while nodes:
        path, node = nodes.pop()
        # An anchor is met from several places.
        if not isinstance(node, yaml.MappingNode) or id(node) in seen:
            continue
        seen.add(id(node))
        keys: set[str] = set()
        for key, value in node.value:
            place = (*path, key.value)
            if key.value in keys:
                raise ProfileError(
                    file,
                    ".".join(place),
                    "this stands there twice",
                    key.start_mark.line + 1,
                )
            keys.add(key.value)
            nodes.append((place, value))


def _unreadable(file: Path, err: Exception) -> ProfileError:
    cause = err if isinstance(err, yaml.YAMLError) else err.__cause__
    if isinstance(cause, UnicodeDecodeError):
        # The line is told by the whole file: the error knows the piece that was read last.
        try:
            file.read_bytes().decode()
        except UnicodeDecodeError as undecodable:
            read = undecodable.object[: undecodable.start]
            return ProfileError(
                file, "", "this is not UTF-8, so save it as that", read.count(b"\n") + 1
            )
    if isinstance(cause, yaml.MarkedYAMLError):
        mark = cause.problem_mark
        # The mistake may be in another file that this one includes.
        if mark is not None and mark.name == str(file):
            return ProfileError(file, "", str(cause.problem), mark.line + 1)
    return ProfileError(file, "", " ".join(str(err).split()))


def _depth(content: Any, path: Sequence[object]) -> int:
    """Return how many keys of ``path`` the file holds."""
    for depth, step in enumerate(path):
        if not isinstance(content, dict) or step not in content:
            return depth
        content = content[step]
    return len(path)


def _line(file: Path, content: Any, path: Sequence[object]) -> int | None:
    """Return the line at which ``path`` ends in a file, or comes nearest to its end.

    YAML keeps the lines of texts and mappings, and none of numbers.
    """
    line: int | None = None
    for step in path[: _depth(content, path)]:
        key = next(key for key in content if key == step)
        content = content[step]
        for node in (content, key):
            if str(getattr(node, "__config_file__", "")) == str(file):
                line = node.__line__
    return line


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
            raise _MistakeError((section, key), f"{name} stands there twice")
        written[name] = entry

    for key, entry in entries.items():
        repeat = entry.get("repeat") if isinstance(entry, dict) else None
        if repeat is None:
            write(key, entry)
            continue
        _validated({section: {key: entry}})
        if key.count("{n}") != 1 or {"{", "}"} & set(key.replace("{n}", "")):
            raise _MistakeError(
                (section, key),
                "a repeated key holds {n} once and no other braces",
            )
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


def _validated(content: dict[str, Any]) -> dict[str, Any]:
    try:
        validated: dict[str, Any] = _FILE(content)
    except vol.Invalid as err:
        # It stands in the middle of a sentence.
        raise _MistakeError(err.path, err.msg.rstrip("?")) from err
    return validated


def _build(content: dict[str, Any]) -> Profile:
    content = _validated(content)
    windows = {key: Window(**entry) for key, entry in content["windows"].items()}
    for key, window in windows.items():
        if not 0 <= window.last - window.first < 125:
            raise _MistakeError(("windows", key), "a window holds 1 to 125 registers")
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
                raise _MistakeError(
                    ("commands", key, "address"),
                    f"0x{command.address:04X} is the address of both {other.key} and {key}",
                    ("commands", other.key, "address"),
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
        raise _MistakeError((*path, "min"), "above max, so nothing lies within")
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
        raise _MistakeError(
            ("commands", key, "confirmed_by"),
            f"there is no register {entry['confirmed_by']!r}",
        )
    names = list(entry["values"].values())
    for code, name in entry["values"].items():
        place = ("commands", key, "values", code)
        if name not in (told.values or {}).values():
            raise _MistakeError(
                place,
                f"{told.key} never says {name!r}",
                ("registers", told.key, "values"),
            )
        if names.count(name) > 1:
            raise _MistakeError(place, f"{name!r} has two codes")
    return Command(
        key=key,
        **{
            **entry,
            "grade": Grade(entry["grade"]),
            "source": sources.get(entry["source"], entry["source"]),
        },
    )


def _check_names(place: tuple[str, str], entry: Mapping[str, Any]) -> None:
    """Raise ``_MistakeError`` for a code or bit that stands for nothing the library knows."""
    _, key = place
    for value, code in entry.get("values", {}).items():
        if (codes := CODES.get(key)) is not None and code not in set(codes):
            raise _MistakeError(
                (*place, "values", value),
                f"{code!r} is not one of {', '.join(codes)}",
            )
    for bit, name in entry.get("bits", {}).items():
        path = (*place, "bits", bit)
        if key.endswith("_faults") and name not in FAULTS:
            raise _MistakeError(path, f"there is no fault {name!r}")
        if key == "online_mask" and name not in set(Role):
            raise _MistakeError(path, f"{name!r} is not one of {', '.join(Role)}")


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
        name: str, reason: str, other_path: Sequence[object] = ()
    ) -> _MistakeError:
        return _MistakeError((section, key, name), reason, other_path)

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
            f"{key} at 0x{entry['address']:04X} lies outside window {entry['window']!r}",
            (
                "windows",
                entry["window"],
                "first" if entry["address"] < window.first else "last",
            ),
        )
    if "unit" in entry and ("values" in entry or "bits" in entry):
        raise wrong("unit", "a coded register measures nothing")
    if (highest := max(entry.get("bits", ()), default=0)) >= 16 * words:
        raise wrong("bits", f"{entry['type']} has {16 * words} bits, and no {highest}")
    limits = entry.get("bounds")
    if isinstance(limits, str) and limits not in bounds:
        raise wrong("bounds", f"there are no bounds {limits!r}")
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
                else _bounds(("registers", key, "bounds"), limits)
            ),
            "counter": None if "counter" not in entry else Counter(entry["counter"]),
            "fitted": None if "fitted" not in entry else Fitted(entry["fitted"]),
        },
    )
