"""Found inverters and checks as tables that a dialog can draw, in the language of the house."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .a1_ess.checks import Check, CheckResult, Statement
from .a1_ess.codes import ModelType, Role
from .a1_ess.roster import Placed
from .a1_ess.scan import FoundInverter, Scan
from .a1_ess.source import Value
from .a1_ess.transfer_test import TransferTest
from .words import UNKNOWN, Words

_VALUES: Mapping[Check, Callable[[Value], str]] = {
    Check.RATED_POWER: lambda value: f"{value} W",
    Check.MODEL_TYPE: lambda value: ModelType(str(value)).label,
}
"""How a value is written where it is more than itself."""


def unit_table(
    units: Iterable[Placed[Any]], words: Words, reported: Iterable[Role] = ()
) -> str:
    """Return inverters as a table; ``reported`` are those that only the primary can tell of."""
    columns = ("role", "serial_number", "address", "firmware", "rated_power")
    rows = [
        (
            words("role", unit.found.role),
            unit.serial_number,
            (
                str(unit.link)
                if unit.found.unit_id is None
                else f"{unit.link}, {words('unit_column', 'id')} {unit.found.unit_id}"
            ),
            unit.found.identity.firmware or UNKNOWN,
            (
                UNKNOWN
                if unit.found.identity.rated_power is None
                else f"{unit.found.identity.rated_power} W"
            ),
        )
        for unit in units
    ]
    rows += [
        (
            words("role", role),
            UNKNOWN,
            words("unit_column", "through_primary"),
            UNKNOWN,
            UNKNOWN,
        )
        for role in reported
    ]
    return table([words("unit_column", column) for column in columns], rows)


def unit_line(unit: Placed[Any], words: Words) -> str:
    """Return an inverter in one line."""
    return f"{words('role', unit.found.role)} · {unit.serial_number} · {unit.link}"


def check_table(
    checks: Mapping[Check, CheckResult],
    words: Words,
    serial: Callable[[str], str] = str,
) -> str:
    """Return the pre-operation checks, how each came out, and what let it fail.

    ``serial`` makes of a serial number what may be shown of it.
    """
    return table(
        [words("check_column", column) for column in ("check", "result")],
        [
            (words("check", check), _result(check, result, words, serial))
            for check, result in checks.items()
        ],
    )


def transfer_table(test: TransferTest, words: Words) -> str:
    """Return what each inverter has done so far in a transfer test."""
    return table(
        [
            words("transfer_column", column)
            for column in ("unit", "off_grid_after", "on_grid_after", "failure")
        ],
        [
            (
                words("role", unit.role),
                _seconds(unit.off_grid_after),
                _seconds(unit.on_grid_after),
                "" if unit.failure is None else words("transfer_failure", unit.failure),
            )
            for unit in test.units.values()
        ],
    )


def _result(
    check: Check, result: CheckResult, words: Words, serial: Callable[[str], str]
) -> str:
    outcomes = {True: "passed", False: "failed", None: "unknown"}
    outcome = words("check_result", outcomes[result.passed])
    if result.passed is not False or not result.units:
        return outcome
    reasons = ", ".join(_statement(check, each, words, serial) for each in result.units)
    return f"{outcome}: {reasons}"


def _statement(
    check: Check, statement: Statement, words: Words, serial: Callable[[str], str]
) -> str:
    """Return what an inverter says; a role is told apart by the serial number."""
    role = UNKNOWN if statement.role is None else words("role", statement.role)
    if check is Check.ROLES:
        return f"{role} {serial(statement.unit) if statement.unit else UNKNOWN}"
    if statement.value is None:
        return f"{role} {UNKNOWN}"
    return f"{role} {_VALUES.get(check, str)(statement.value)}"


def answers_in_words(scan: Scan, words: Words) -> str:
    """Return what was found behind each id, such as ``id 1: silent, id 2: another device``."""
    if scan.settled is None:
        return words("answer", "nobody")
    return ", ".join(
        f"{words('unit_column', 'id')} {unit_id}: "
        + (
            f"{words('role', answer.role)} ({answer.identity.serial_number})"
            if isinstance(answer, FoundInverter)
            else words("answer", answer)
        )
        for unit_id, answer in scan.answers.items()
    )


def _seconds(duration: float | None) -> str:
    return "" if duration is None else f"{duration:.0f} s"


def table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
