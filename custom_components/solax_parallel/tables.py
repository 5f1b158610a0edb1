"""Found inverters and checks as tables that a dialog can draw, in the language of the house."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers import translation

from .a1_ess.checks import run_checks
from .a1_ess.codes import Role
from .a1_ess.roster import Placed, Roster
from .a1_ess.scan import FoundInverter, Scan
from .const import DOMAIN

UNKNOWN = "?"


@dataclass(frozen=True)
class Words:
    """Translated words, which a table can't get from the front end."""

    _translations: Mapping[str, str]

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Self:
        """Load the words in the language of Home Assistant."""
        return cls(
            await translation.async_get_translations(
                hass, hass.config.language, "selector", {DOMAIN}
            )
        )

    def __call__(self, selector: str, option: str) -> str:
        """Return the name of ``option``; itself where there is none."""
        key = f"component.{DOMAIN}.selector.{selector}.options.{option}"
        return self._translations.get(key, option)


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


def check_table(roster: Roster[Any], words: Words) -> str:
    """Return the pre-operation checks and how each came out."""
    checks = run_checks(
        [unit.found for unit in roster.units],
        roster.unit_quantity,
        unseen=len(roster.missing),
    )
    outcomes = {True: "passed", False: "failed", None: "unknown"}
    return _table(
        [words("check_column", column) for column in ("check", "result")],
        [
            (words("check", check), words("check_result", outcomes[passed]))
            for check, passed in checks.items()
        ],
    )


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
