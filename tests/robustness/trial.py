"""One fault on one site: what came of it."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
import logging

from custom_components.solax_parallel.a1_ess.inverter import REST
from custom_components.solax_parallel.a1_ess.inverter_state import (
    SILENT_POLLS,
    InverterState,
)
from custom_components.solax_parallel.const import (
    DEFAULT_SCAN_INTERVAL,
    DEFAULT_TIMEOUT,
)
from custom_components.solax_parallel.wiring import COMPARISON_INTERVAL
from tests.a1_ess.wire import Behaviour, Exchange, answer, late

from .faults import Fault
from .site import LAPSE, Layout, Site
from .truth import Shown, is_recovered, lies, shown

VICTIM = 1
"""Which inverter is hit: a secondary, in the middle of the line."""

SHORT, LONG = 2, 5
"""For how many polls a fault lasts: nobody is left alone yet, or it is clear who is silent."""

_SLACK = 3.0
"""Seconds by which a poll may be late for reasons that are this machine's."""


_REQUESTS = 20
"""What a poll of all inverters asks for, with their serial numbers after a lost link."""


@dataclass
class Outcome:
    """What a fault did, in seconds; None where it was never noticed, or never over."""

    fault: str
    layout: Layout
    noticed: float | None = None
    recovered: dict[int, float | None] = field(default_factory=dict)
    """After how many seconds all was as before, by how many polls the fault had lasted."""
    problems: list[str] = field(default_factory=list)


class _Log(logging.Handler):
    """What a person would find in the log: of us everything, of others their complaints."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.starts: list[str] = []
        self.ends: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self.starts.append(record.getMessage())
        elif record.name.startswith("custom_components"):
            self.ends.append(record.getMessage())


@contextmanager
def _logged() -> Iterator[_Log]:
    log = _Log()
    ours = logging.getLogger("custom_components")
    level = ours.level
    # Other tests may have silenced it.
    ours.setLevel(logging.INFO)
    logging.getLogger().addHandler(log)
    yield log
    logging.getLogger().removeHandler(log)
    ours.setLevel(level)


async def try_out(site: Site, fault: Fault, durations: Collection[int]) -> Outcome:
    """Let a fault come and go on a site that is not set up yet, and remove the site again."""
    trial = _Trial(site, fault, Outcome(fault.name, site.layout))
    tasks = asyncio.all_tasks()
    assert await site.set_up()
    await trial.look_around()
    for polls in durations:
        with _logged() as log:
            await trial.last(polls)
            await trial.recover(polls)
        trial.check_log(log)
    assert await site.hass.config_entries.async_unload(site.entry.entry_id)
    await site.stop()
    await site.hass.async_block_till_done(wait_background_tasks=True)
    if left := asyncio.all_tasks() - tasks:
        trial.complain(f"left behind: {left}")
    return trial.outcome


@dataclass
class _Trial:
    """A site with a fault that comes and goes."""

    site: Site
    fault: Fault
    outcome: Outcome
    truth: Shown = field(default_factory=dict)
    usual: float = 0.0
    """What a poll takes while all is well, in seconds."""
    _lasted: bool = False

    def complain(self, problem: str) -> None:
        """Note what must not be, once."""
        if problem not in self.outcome.problems:
            self.outcome.problems.append(problem)

    async def look_around(self) -> None:
        """Learn how it is while all is well, and everything was looked at once."""
        polls = 2 + int(COMPARISON_INTERVAL / DEFAULT_SCAN_INTERVAL)
        self.usual = max([await self.site.poll() for _ in range(polls)])
        assert self.site.coordinator.data.totals_disagree is False
        assert all(map(_is_well, self.site.states.values()))
        self.truth = shown(self.site.hass, self.site.coordinator)

    async def last(self, polls: int) -> None:
        """Let the fault come, and last for a while."""
        server = self.site.server_of(VICTIM)
        if self.fault.behaviour is None:
            await server.stop()
            await asyncio.sleep(0.02)
        else:
            hit = {self.site.unit_id_of(index) for index in self._victims}
            server.default = _only_for(hit, self.fault.behaviour, late(self.fault.pace))
        begun = self.site.time()
        ill = []
        for _ in range(polls):
            await self._poll()
            ill.append(not all(map(_is_well, self.site.states.values())))
            if self.outcome.noticed is None and ill[-1]:
                self.outcome.noticed = self.site.time() - begun
        self._lasted = len(ill) > SILENT_POLLS and all(ill)

    async def recover(self, polls: int) -> None:
        """Heal the wire, and wait until all is as before."""
        server = self.site.server_of(VICTIM)
        server.default = answer
        if self.fault.behaviour is None:
            await server.start()
        limit = 2 if polls < LONG else 1 + int(REST / DEFAULT_SCAN_INTERVAL)
        begun = self.site.time()
        self.outcome.recovered[polls] = None
        for _ in range(limit):
            await self._poll()
            if is_recovered(self.truth, shown(self.site.hass, self.site.coordinator)):
                self.outcome.recovered[polls] = self.site.time() - begun
                return
        self.complain(f"after {polls} polls not recovered within {limit}")

    def check_log(self, log: _Log) -> None:
        """Look whether the fault was told once when it came and once when it went."""
        least = self._lasted and not self.fault.intermittent
        most = len(log.starts) if self.fault.intermittent else len(self._victims)
        if not least <= len(log.starts) <= most or len(log.ends) != len(log.starts):
            self.complain(f"in the log: {[*log.starts, *log.ends]}")

    @property
    def _victims(self) -> list[int]:
        """Which inverters are hit."""
        if self.fault.whole_link and len(self.site.servers) == 1:
            return list(range(len(self.site.group.units)))
        return [VICTIM]

    async def _poll(self) -> None:
        """Poll once, and look for what must not be."""
        took = await self.site.poll()
        now = shown(self.site.hass, self.site.coordinator)
        for lie in lies(self.truth, now, self.site.coordinator):
            self.complain(lie)
        allowed = self.usual + _SLACK + _REQUESTS * self.fault.pace * LAPSE
        allowed += self.fault.timeouts * DEFAULT_TIMEOUT * len(self._victims)
        if took > allowed:
            self.complain(f"a poll took {took:.1f} s instead of {allowed:.1f} s")
        for index, state in enumerate(self.site.states.values()):
            if index not in self._victims and not _is_well(state):
                self.complain(f"unit {index + 1} suffers too: {state.failures}")
        for server in self.site.servers:
            if server.open_links > 1:
                self.complain(f"{server.open_links} links to one place")


def _is_well(state: InverterState) -> bool:
    return state.heard and not state.failures


def _only_for(hit: set[int], bad: Behaviour, others: Behaviour) -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        await (bad if exchange.request.unit_id in hit else others)(exchange)

    return behave
