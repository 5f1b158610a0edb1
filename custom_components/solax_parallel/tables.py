"""Found inverters and checks as tables that a dialog can draw, in the language of the house."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers import translation

from .a1_ess.checks import Check, CheckResult, Statement, Unit, run_checks
from .a1_ess.codes import ModelType, Role
from .a1_ess.installation import Installation
from .a1_ess.roster import Placed, Roster
from .a1_ess.scan import FoundInverter, Scan
from .a1_ess.source import Value
from .const import DOMAIN

UNKNOWN = "?"

_VALUES: Mapping[Check, Callable[[Value], str]] = {
    Check.RATED_POWER: lambda value: f"{value} W",
    Check.MODEL_TYPE: lambda value: ModelType(str(value)).label,
}
"""How a value is written where it is more than itself."""


@dataclass(frozen=True)
class Words:
    """Translated words, which a table can't get from the front end."""

    _translations: Mapping[str, str]

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Self:
        """Load the words in the language of Home Assistant."""
        language = hass.config.language
        words: dict[str, str] = {}
        for category in ("selector", "entity"):
            words |= await translation.async_get_translations(
                hass, language, category, {DOMAIN}
            )
        return cls(words)

    def __call__(self, selector: str, option: str) -> str:
        """Return the name of ``option``; itself where there is none."""
        key = f"component.{DOMAIN}.selector.{selector}.options.{option}"
        return self._translations.get(key, option)

    def fault(self, key: str) -> str:
        """Return the name of a fault, as the sensor of the root cause shows it."""
        attribute = "entity.sensor.root_cause.state_attributes.faults"
        return self._translations.get(
            f"component.{DOMAIN}.{attribute}.state.{key}", key
        )


def unit_table(
    units: Iterable[Placed[Any]], words: Words, reported: Iterable[Role] = ()
) -> str:
    """Return inverters as a table; ``reported`` are those that only the primary can tell of."""
    columns = ("role", "serial_number", "address", "firmware", "rated_power")
    rows = [
        (
            words("role", unit.found.role),
            unit.found.identity.serial_number,
            f"{unit.link}, {words('unit_column', 'id')} {unit.found.unit_id}",
            unit.found.identity.firmware or UNKNOWN,
            f"{unit.found.identity.rated_power} W",
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
    return _table([words("unit_column", column) for column in columns], rows)


def check_table(roster: Roster[Any], installation: Installation, words: Words) -> str:
    """Return the pre-operation checks, how each came out, and what let it fail."""
    checks = run_checks(
        [
            *(
                Unit(
                    serial_number=unit.found.identity.serial_number,
                    role=unit.found.role,
                    answer=unit.found,
                )
                for unit in roster.units
            ),
            *(
                Unit(serial_number=None, role=role, answer=None)
                for role in roster.missing
            ),
        ],
        unit_quantity=roster.unit_quantity,
        backup_interface=roster.backup_interface or installation.backup_interface,
        installation=installation,
    )
    return _table(
        [words("check_column", column) for column in ("check", "result")],
        [
            (words("check", check), _result(check, result, words))
            for check, result in checks.items()
        ],
    )


def _result(check: Check, result: CheckResult, words: Words) -> str:
    outcomes = {True: "passed", False: "failed", None: "unknown"}
    outcome = words("check_result", outcomes[result.passed])
    if result.passed is not False or not result.units:
        return outcome
    return f"{outcome}: {', '.join(_statement(check, each, words) for each in result.units)}"


def _statement(check: Check, statement: Statement, words: Words) -> str:
    """Return what an inverter says; a role is told apart by the serial number."""
    role = UNKNOWN if statement.role is None else words("role", statement.role)
    if check is Check.ROLES:
        return f"{role} {statement.unit or UNKNOWN}"
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


def _table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
