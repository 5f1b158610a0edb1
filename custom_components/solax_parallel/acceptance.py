"""The acceptance test of a group: telling the owner what to do, and keeping what came of it."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
import logging
from typing import Any, Self, override

import voluptuous as vol

from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.restore_state import ExtraStoredData
from homeassistant.util import dt as dt_util

from .a1_ess.codes import Role
from .a1_ess.group import GroupState
from .a1_ess.transfer_test import (
    Failure,
    Phase,
    Transfer,
    TransferTest,
    abort,
    advance,
    begin,
    refusal,
)
from .const import DOMAIN
from .stored import number
from .tables import transfer_table
from .words import Words

_LOGGER = logging.getLogger(__name__)


class Acceptance:
    """The transfer test of a group: none yet, a running one, or the latest that ended."""

    def __init__(self, hass: HomeAssistant, entry_id: str, words: Words) -> None:
        """Start without a test, for the group of the entry with ``entry_id``."""
        self.test: TransferTest | None = None
        self._hass = hass
        self._words = words
        self._notification_id = _notification_id(entry_id)

    @property
    def running(self) -> bool:
        """Whether the owner still has something to do."""
        return self.test is not None and self.test.phase.running

    def start(self, state: GroupState, limit: timedelta) -> None:
        """Begin a test on a group of which ``state`` is known, to be over within ``limit``.

        Raises ``ServiceValidationError`` when the group must not or can't be tested now.
        """
        reason = refusal(state, running=self.running)
        if reason is not None:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key=reason
            )
        self._take(begin(state, dt_util.utcnow(), limit))

    @callback
    def observe(self, state: GroupState) -> None:
        """Take in what a poll has shown."""
        if self.test is not None:
            self._take(advance(self.test, state.members, dt_util.utcnow()))

    @callback
    def abort(self) -> None:
        """Break off a running test: nobody watches any more."""
        if self.test is not None:
            self._take(abort(self.test, dt_util.utcnow()))

    @callback
    def restore(self, test: TransferTest) -> None:
        """Take up the result from before a restart, which ended a test that was running."""
        if self.test is None:
            self.test = test
            self.abort()

    def _take(self, test: TransferTest) -> None:
        before, self.test = self.test, test
        if before is None or (before.started, before.phase) != (
            test.started,
            test.phase,
        ):
            persistent_notification.async_create(
                self._hass,
                f"{self._words('transfer_test', test.phase)}\n\n"
                f"{transfer_table(test, self._words)}",
                self._words("transfer_test", "title"),
                self._notification_id,
            )


@callback
def async_forget_transfer_test(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take back what the owner of a removed entry was told to do."""
    persistent_notification.async_dismiss(hass, _notification_id(entry.entry_id))


def _notification_id(entry_id: str) -> str:
    return f"{DOMAIN}_transfer_test_{entry_id}"


def _time(stored: Any) -> datetime:
    time = cv.datetime(stored)
    if time.tzinfo is None:
        raise vol.Invalid("expected a time with its zone")
    return time


def _duration(stored: Any) -> timedelta:
    return timedelta(seconds=number(stored))


def _transfer(stored: Any) -> Transfer:
    return Transfer(**_TRANSFER(stored))


_TRANSFER = vol.Schema(
    {
        vol.Required("role"): vol.Coerce(Role),
        vol.Required("off_grid_after"): vol.Any(None, number),
        vol.Required("on_grid_after"): vol.Any(None, number),
        vol.Required("failure"): vol.Any(None, vol.Coerce(Failure)),
    },
    extra=vol.REMOVE_EXTRA,
)
_TEST = vol.Schema(
    {
        vol.Required("started"): _time,
        vol.Required("limit"): _duration,
        vol.Required("phase"): vol.Coerce(Phase),
        vol.Required("ended"): vol.Any(None, _time),
        vol.Required("units"): {str: _transfer},
    },
    extra=vol.REMOVE_EXTRA,
)


@dataclass
class StoredTransferTest(ExtraStoredData):
    """A transfer test as it outlives a restart."""

    test: TransferTest | None

    @override
    def as_dict(self) -> dict[str, Any]:
        """Return the test as what JSON can hold."""
        if self.test is None:
            return {}
        return {
            "started": self.test.started.isoformat(),
            "limit": self.test.limit.total_seconds(),
            "phase": self.test.phase,
            "ended": None if self.test.ended is None else self.test.ended.isoformat(),
            "units": {serial: asdict(unit) for serial, unit in self.test.units.items()},
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the test that was stored, or none where there was none or it is damaged."""
        if not stored:
            return cls(None)
        try:
            return cls(TransferTest(**_TEST(stored)))
        except vol.Invalid:
            # Not why: the reason could hold a serial number.
            _LOGGER.warning("The stored transfer test can't be read and is forgotten")
            return cls(None)
