"""A group as a table for the terminal."""

from collections.abc import Sequence
from math import ceil
import shutil

from .group import GroupView, Reading

_UNKNOWN = ("unknown", "unavailable")
_NOT_KNOWN = "?"
_PARTIAL = "*"
_TOTALS = {
    "ac_power": "AC",
    "pv_power": "PV",
    "battery_power": "BATTERY",
    "grid_power": "GRID",
    "load_power": "LOAD",
    "battery_soc": "SOC",
}


def table(groups: Sequence[GroupView]) -> str:
    """Return all groups as text."""
    return "\n\n".join("\n".join(_group(group)) for group in groups) or "no group"


class Screen:
    """Where the table is shown, each time in place of the one before."""

    def __init__(self) -> None:
        """Begin below what is there."""
        self._rows = 0

    def show(self, text: str) -> None:
        """Replace what was shown last."""
        back = f"\x1b[{self._rows}F\x1b[J" if self._rows else ""
        print(back + text, flush=True)
        width = shutil.get_terminal_size().columns
        # A line that is too long goes on in the next row.
        self._rows = sum(max(1, ceil(len(line) / width)) for line in text.splitlines())


def _group(group: GroupView) -> list[str]:
    title = [f"{group.title}: {group.problem}" if group.problem else group.title]
    if group.group_id is None:
        return title
    totals = [_total(group.of_group("sensor", key)) for key in _TOTALS]
    note = any(total.endswith(_PARTIAL) for total in totals)
    return [
        *title,
        *_align(
            ["STATUS", "LED", "ONLINE", "ON-GRID", *_TOTALS.values()],
            [[*_group_words(group), *totals]],
        ),
        *[f"{_PARTIAL} without the inverters that do not tell"] * note,
        *_align(
            ["INVERTER", "LED", "RUN MODE", "AC", "PV", "BATTERY", "SOC", "FAULTS"],
            [_inverter(group, serial_number) for serial_number in group.serial_numbers],
        ),
    ]


def _group_words(group: GroupView) -> list[str]:
    on_grid = _show(group.of_group("binary_sensor", "on_grid"))
    online = _show(group.of_group("sensor", "units_online"))
    return [
        _show(group.of_group("sensor", "status")),
        _show(group.of_group("sensor", "operation_led")),
        f"{online} of {len(group.serial_numbers)}",
        {"on": "yes", "off": "no"}.get(on_grid, on_grid),
    ]


def _inverter(group: GroupView, serial_number: str) -> list[str]:
    def sensor(key: str) -> Reading | None:
        return group.of_inverter(serial_number, "sensor", key)

    role = _show(sensor("role"))
    return [
        serial_number if role == _NOT_KNOWN else role,
        _show(sensor("operation_led")),
        _show(sensor("run_mode")),
        _show(sensor("ac_power")),
        _sum([sensor(f"pv{string}_power") for string in (1, 2, 3, 4)]),
        _show(sensor("battery_power")),
        _show(sensor("battery_soc")),
        _faults(group, serial_number),
    ]


def _faults(group: GroupView, serial_number: str) -> str:
    """Return the faults that are there, and a question mark if some are not known."""
    told = {
        own: reading
        for (domain, unique_id), reading in group.readings.items()
        if domain == "binary_sensor"
        and reading.attributes.get("device_class") == "problem"
        and (own := unique_id.removeprefix(f"{serial_number}_")) != unique_id
        # The group goes by its primary's serial number.
        and not own.startswith("group_")
    }
    found: list[str] = []
    for own, reading in told.items():
        if reading.state == "on":
            found += reading.attributes.get("faults") or [own]
    # Behind a module there is no such sensor at all.
    all_known = told and not any(each.state in _UNKNOWN for each in told.values())
    return ", ".join(found if all_known else [*found, _NOT_KNOWN]) or "none"


def _total(reading: Reading | None) -> str:
    is_partial = reading is not None and reading.attributes.get("complete") is False
    return _show(reading) + _PARTIAL * is_partial


def _sum(readings: Sequence[Reading | None]) -> str:
    there = [reading for reading in readings if reading is not None]
    if any(reading.state in _UNKNOWN for reading in there):
        return _NOT_KNOWN
    if not there:
        return _show(None)
    total = sum(float(reading.state) for reading in there)
    return _show(Reading(str(total), there[0].attributes))


def _show(reading: Reading | None) -> str:
    if reading is None:
        return "-"
    if reading.state in _UNKNOWN:
        return _NOT_KNOWN
    try:
        number = f"{float(reading.state):.0f}"
    except ValueError:
        return reading.state.replace("_", " ")
    unit = reading.attributes.get("unit_of_measurement")
    return f"{number} {unit}" if unit else number


def _align(header: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in (header, *rows)
    ]
