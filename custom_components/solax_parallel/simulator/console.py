"""What can be typed to a simulated group while it runs by itself."""

from collections.abc import Callable, Sequence

from .group import NONE, OFFLINE, SimulatedGroup, SimulatedUnit

_USAGE = {
    "fault": "fault UNIT FAULT",
    "offline": "offline UNIT",
    "clear": "clear UNIT",
    "grid": "grid open|close",
    "help": "help",
}
_BREAKER = {"open": False, "close": True}


def obey(group: SimulatedGroup, line: str) -> str:
    """Carry out one typed line and return what to answer.

    Raises ``ValueError``, with a sentence for people, for a line that makes no sense.
    """
    command, *arguments = line.split() or ["help"]
    if command not in _COMMANDS:
        raise ValueError(f"unknown command {command!r}; {_help(group, ())}")
    return _COMMANDS[command](group, arguments)


def _fault(group: SimulatedGroup, arguments: Sequence[str]) -> str:
    unit, fault = _taken("fault", arguments)
    return _inject(group, unit, fault)


def _offline(group: SimulatedGroup, arguments: Sequence[str]) -> str:
    (unit,) = _taken("offline", arguments)
    return _inject(group, unit, OFFLINE)


def _clear(group: SimulatedGroup, arguments: Sequence[str]) -> str:
    (unit,) = _taken("clear", arguments)
    return _inject(group, unit, NONE)


def _grid(group: SimulatedGroup, arguments: Sequence[str]) -> str:
    (position,) = _taken("grid", arguments)
    if position not in _BREAKER:
        raise ValueError(f"usage: {_USAGE['grid']}")
    group.grid_closed = _BREAKER[position]
    return f"main breaker: {'closed' if group.grid_closed else 'open'}"


def _help(group: SimulatedGroup, _: Sequence[str]) -> str:
    faults = (option for option in group.injectable if option not in (NONE, OFFLINE))
    return (
        f"commands: {', '.join(_USAGE.values())}; "
        f"UNIT: 1-{len(group.units)}; FAULT: {', '.join(faults)}"
    )


_COMMANDS: dict[str, Callable[[SimulatedGroup, Sequence[str]], str]] = {
    "fault": _fault,
    "offline": _offline,
    "clear": _clear,
    "grid": _grid,
    "help": _help,
}


def _taken(command: str, arguments: Sequence[str]) -> Sequence[str]:
    """Return the arguments, as many as the command takes."""
    usage = _USAGE[command]
    if len(arguments) != len(usage.split()) - 1:
        raise ValueError(f"usage: {usage}")
    return arguments


def _inject(group: SimulatedGroup, unit_id: str, option: str) -> str:
    unit = _unit(group, unit_id)
    group.inject(unit.serial_number, option)
    return f"unit {unit.unit_id} ({unit.role}): {option}"


def _unit(group: SimulatedGroup, unit_id: str) -> SimulatedUnit:
    for unit in group.units:
        if str(unit.unit_id) == unit_id:
            return unit
    raise ValueError(f"there is no unit {unit_id!r}; units: 1-{len(group.units)}")
