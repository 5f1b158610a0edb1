"""Which inverters leave local operation soon after polling starts.

Owners of other SolaX families report that a Modbus master, even one that only reads, can park an
inverter in its remote controlled mode. Nobody has confirmed or ruled it out for this family.
"""

from collections.abc import Iterable, Mapping

from .codes import RunMode
from .inverter_state import InverterState

WATCHED = 600.0
"""For how many seconds after the first poll a change is taken to come from polling."""


class RemoteModeWatch:
    """Keeps the serial numbers of the inverters that were ``parked``, until they are seen back."""

    def __init__(self, parked: Iterable[str] = ()) -> None:
        """Start with those that were found ``parked`` before."""
        self.parked = frozenset(parked)
        self.begin()

    def begin(self) -> None:
        """Polling starts: who is in local operation now has not been parked by it."""
        self._since: float | None = None
        self._local: set[str] = set()

    def observe(self, members: Mapping[str, InverterState], now: float) -> None:
        """Take in what a poll has shown; ``now`` is a monotonic time in seconds."""
        if self._since is None:
            self._since = now
        modes = {serial: member.run_mode for serial, member in members.items()}
        remote = {
            serial for serial, mode in modes.items() if mode is RunMode.NORMAL_REMOTE
        }
        local = {
            serial
            for serial, mode in modes.items()
            if mode not in (None, RunMode.NORMAL_REMOTE)
        }
        if now - self._since <= WATCHED:
            self.parked |= remote & self._local
        # Who is not heard may still be parked.
        self.parked = (self.parked - local) & members.keys()
        self._local |= local
