"""Saying once when an inverter, or a part of its readings, is lost, and once when it is back."""

from collections import Counter
from collections.abc import Callable
from logging import INFO, WARNING, Logger

from .a1_ess.group import GroupState
from .a1_ess.inverter_state import SILENT_POLLS, InverterState, Presence

_DOES_NOT_ANSWER = "%s: %s does not answer, its entities are unavailable"
_LOSS = {
    Presence.UNUSABLE: (
        "%s: nothing that %s answers can be used, its entities are unavailable"
    ),
    Presence.SILENT: _DOES_NOT_ANSWER,
    Presence.RESTING: _DOES_NOT_ANSWER,
    Presence.OTHER_SERIAL: (
        "%s: another inverter answers in place of %s, its entities are unavailable"
    ),
    Presence.DENIED: (
        "%s: the module of %s wants another password, its entities are unavailable"
    ),
}
_SILENT = (Presence.SILENT, Presence.RESTING)


class PollLog:
    """What of a group is lost, as far as the log tells."""

    def __init__(
        self, logger: Logger, name: str, may_be_silent: Callable[[str], bool]
    ) -> None:
        """Write to ``logger`` about the group with this name.

        ``may_be_silent`` tells of a serial number whether its silence is nothing to warn of.
        """
        self._logger = logger
        self._name = name
        self._may_be_silent = may_be_silent
        self._lost: set[str] = set()
        self._served: set[tuple[str, str]] = set()
        self._failed_polls: Counter[tuple[str, str]] = Counter()

    def note(self, state: GroupState) -> None:
        """Tell what is different since the poll before.

        Roles, not serial numbers: a log is often shown to others.
        """
        for serial_number, member in state.members.items():
            role = member.shown_role
            if not member.heard:
                is_usual = self._may_be_silent(serial_number)
                if serial_number not in self._lost and (member.lost or not is_usual):
                    self._lost.add(serial_number)
                    self._logger.log(
                        INFO if is_usual and member.presence in _SILENT else WARNING,
                        _LOSS[member.presence],
                        self._name,
                        role,
                    )
                continue
            if serial_number in self._lost:
                self._lost.discard(serial_number)
                self._logger.info("%s: %s answers again", self._name, role)
            self._note_windows(member, role)

    def _note_windows(self, member: InverterState, role: str) -> None:
        """Tell of readings that fail for longer than the values from before are shown."""
        self._served |= {(member.serial_number, window) for window in member.served}
        windows = {
            window
            for serial_number, window in self._failed_polls
            if serial_number == member.serial_number
        }
        for window in windows | member.failures.keys():
            key = member.serial_number, window
            if window in member.failures:
                self._failed_polls[key] += 1
                if self._failed_polls[key] == SILENT_POLLS:
                    # What never worked is not served by this firmware, which is no trouble.
                    self._logger.log(
                        WARNING if key in self._served else INFO,
                        "%s: readings %s of %s can't be had: %s",
                        self._name,
                        window,
                        role,
                        member.failures[window],
                    )
            elif (
                window in member.served and self._failed_polls.pop(key) >= SILENT_POLLS
            ):
                self._logger.info(
                    "%s: readings %s of %s are back", self._name, window, role
                )
