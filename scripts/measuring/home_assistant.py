"""A real Home Assistant, and what the groups in it cost."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
import json
import os
from pathlib import Path
import sqlite3
import time
from typing import Any

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.family import LARGEST_RATED_POWER
from custom_components.solax_parallel.a1_ess.inverter import Member
from custom_components.solax_parallel.entry_data import unit_data
from custom_components.solax_parallel.links import TcpLink
from scripts.development.api import Api
from scripts.development.folder import store
from scripts.development.group import DOMAIN

from .wire import Site

_ROLES = (Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Entry:
    """What Home Assistant is configured for: a group with options, switched off at first."""

    site: Site
    options: Mapping[str, Any]
    disabled: bool = True

    @property
    def entry_id(self) -> str:
        """Its id, which is also the primary's serial number."""
        return self.site.group.serial_numbers[0]

    @property
    def stored(self) -> dict[str, Any]:
        """The entry as Home Assistant keeps it."""
        shared = len(self.site.servers) == 1
        units = []
        for unit, role in zip(self.site.group.units, _ROLES, strict=True):
            server = self.site.servers[0 if shared else unit.index]
            member = Member(
                serial_number=unit.serial_number,
                unit_id=unit.unit_id if shared else 1,
                role=role,
                rated_power=LARGEST_RATED_POWER,
            )
            units.append(unit_data(member, TcpLink("127.0.0.1", server.port)))
        return {
            "entry_id": self.entry_id,
            "version": 1,
            "domain": DOMAIN,
            "title": self.entry_id,
            "data": {"units": units},
            "options": dict(self.options),
            "source": "user",
            "unique_id": self.entry_id,
            "disabled_by": "user" if self.disabled else None,
        }


def store_entries(folder: Path, entries: Sequence[Entry]) -> None:
    """Configure a Home Assistant that does not run."""
    data = {"entries": [entry.stored for entry in entries]}
    store(folder, "core.config_entries", 1, data)


type Visit = Callable[[], AbstractAsyncContextManager[Api]]
"""Signs in to Home Assistant for a moment: it throws out who sits there without a word."""


async def switch_on(visit: Visit, entry: Entry) -> tuple[float, int]:
    """Enable an entry; return after how many seconds how many entities showed something."""
    async with visit() as api:
        begun = time.monotonic()
        await _switch(api, entry, None)
        took = time.monotonic() - begun
        return took, await _shown(api, entry)


async def switch_off(visit: Visit, entry: Entry) -> None:
    """Disable an entry."""
    async with visit() as api:
        await _switch(api, entry, "user")


async def _switch(api: Api, entry: Entry, disabled_by: str | None) -> None:
    await api.command(
        "config_entries/disable", entry_id=entry.entry_id, disabled_by=disabled_by
    )


async def _shown(api: Api, entry: Entry) -> int:
    registry = await api.command("config/entity_registry/list")
    ours = {
        each["entity_id"]
        for each in registry
        if each["config_entry_id"] == entry.entry_id
    }
    return sum(
        state["entity_id"] in ours and state["state"] != "unavailable"
        for state in await api.command("get_states")
    )


async def setup_seconds(visit: Visit) -> float:
    """Return what Home Assistant counts for setting the integration up."""
    async with visit() as api:
        timings = await api.command("integration/setup_info")
    return float(
        next((each["seconds"] for each in timings if each["domain"] == DOMAIN), 0.0)
    )


@dataclass(frozen=True)
class Spent:
    """What a process has used: CPU seconds, and bytes of memory of its own."""

    cpu: float
    memory: int

    @classmethod
    def by(cls, pid: int) -> Spent:
        """Look at a process."""
        resident, shared = map(int, Path(f"/proc/{pid}/statm").read_text().split()[1:3])
        return cls(
            cpu=_cpu(Path(f"/proc/{pid}/stat")),
            memory=(resident - shared) * _PAGE,
        )


async def cpu_shares(pid: int, seconds: float) -> tuple[float, float]:
    """Return which part of one CPU a process uses for a while: in all, and in its recorder."""
    before, recorder, begun = Spent.by(pid).cpu, _recorder_cpu(pid), time.monotonic()
    await asyncio.sleep(seconds)
    passed = time.monotonic() - begun
    return (
        (Spent.by(pid).cpu - before) / passed,
        (_recorder_cpu(pid) - recorder) / passed,
    )


def _recorder_cpu(pid: int) -> float:
    return sum(
        _cpu(thread / "stat")
        for thread in Path(f"/proc/{pid}/task").iterdir()
        if (thread / "comm").read_text().startswith("Recorder")
    )


def _cpu(stat: Path) -> float:
    # The name of a process stands in brackets and may hold blanks.
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def states_written(folder: Path, entry: Entry, since: float) -> int:
    """Return how many states of an entry were recorded since a time in s since 1970."""
    database = f"file:{folder / 'home-assistant_v2.db'}?mode=ro"
    registry = json.loads((folder / ".storage" / "core.entity_registry").read_text())
    ours = {
        entity["entity_id"]
        for entity in registry["data"]["entities"]
        if entity["config_entry_id"] == entry.entry_id
    }
    with sqlite3.connect(database, uri=True) as connection:
        written = connection.execute(
            "SELECT states_meta.entity_id FROM states JOIN states_meta USING (metadata_id) "
            "WHERE last_updated_ts > ?",
            (since,),
        ).fetchall()
    return sum(entity_id in ours for (entity_id,) in written)
