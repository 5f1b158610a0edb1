"""A real Home Assistant with four inverters that come and go, watched for what grows."""

from argparse import ArgumentParser
import asyncio
from dataclasses import dataclass
from itertools import count
from pathlib import Path
import re
import sys
from tempfile import TemporaryDirectory
import time

from custom_components.solax_parallel.const import SHORTEST_SCAN_INTERVAL
from custom_components.solax_parallel.simulator.group import NONE, OFFLINE

from .home_assistant import Entry, Spent
from .running import running
from .wire import Site

_MEGABYTE = 1_000_000
_LATENCY = 0.005
_WARM = 0.25
"""After which part of the time all caches are full."""
_GROWTH = 5 * _MEGABYTE
_COMPLAINT = re.compile(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ")
_EXPECTED = (
    "which has not been tested by Home Assistant",
    # It is told once each time, and that is right.
    "does not answer, its entities are unavailable",
)
_EVENTS = ("overload", OFFLINE, "eps_sync_lost", OFFLINE)
_APART = 60
"""Seconds between two of them; each lasts for half of that."""


@dataclass(frozen=True)
class Look:
    """What the process holds at a time."""

    memory: int
    threads: int
    files: int

    @classmethod
    def at(cls, pid: int) -> Look:
        """Look at a process."""
        process = Path(f"/proc/{pid}")
        return cls(
            memory=Spent.by(pid).memory,
            threads=len(list((process / "task").iterdir())),
            files=len(list((process / "fd").iterdir())),
        )

    def __str__(self) -> str:
        """Return it in words."""
        return (
            f"{self.memory / _MEGABYTE:.1f} MB, {self.threads} threads, "
            f"{self.files} open files"
        )


def main() -> int:
    """Run, print, and return 0 if nothing has grown and nothing was complained about."""
    parser = ArgumentParser(
        prog="scripts/soak", description="Let a real Home Assistant poll for long."
    )
    parser.add_argument("--port", type=int, default=8125)
    parser.add_argument("--minutes", type=float, default=20)
    options = parser.parse_args()
    return asyncio.run(_soak(options.port, 60 * options.minutes))


async def _soak(port: int, seconds: float) -> int:
    site = await Site.open("SOAK", link_each=False)
    site.set_latency(_LATENCY)
    site.clock.speed = 60
    entry = Entry(
        site, {"scan_interval": SHORTEST_SCAN_INTERVAL, "timeout": 1}, disabled=False
    )
    happening = asyncio.create_task(_things_happen(site))
    try:
        with TemporaryDirectory() as temporary:
            async with running(Path(temporary), port, [entry], is_watched=True) as (
                home_assistant,
                _,
            ):
                looks = await _watch(home_assistant.pid, seconds)
            complaints = _complaints(home_assistant.log)
    finally:
        happening.cancel()
        await site.close()
    warm, last = looks[int(_WARM * len(looks))], looks[-1]
    polls = len(site.polls())
    print(f"{seconds / 60:.0f} minutes, {polls} polls")
    print(f"once all caches were full: {warm}")
    print(f"at the end: {last}")
    for complaint in complaints:
        print(complaint)
    flat = (
        last.memory - warm.memory < _GROWTH
        and last.threads <= warm.threads + 1
        and last.files <= warm.files + 2
    )
    well = flat and polls > 0 and not complaints
    print("pass" if well else "fail")
    return 0 if well else 1


async def _watch(pid: int, seconds: float) -> list[Look]:
    looks = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        looks.append(Look.at(pid))
        print(f"soak: {looks[-1]}", file=sys.stderr, flush=True)
        await asyncio.sleep(min(30, seconds / 10))
    return looks


async def _things_happen(site: Site) -> None:
    for number in count():
        await asyncio.sleep(_APART / 2)
        serial = site.group.serial_numbers[number % len(site.group.units)]
        site.group.inject(serial, _EVENTS[number % len(_EVENTS)])
        await asyncio.sleep(_APART / 2)
        site.group.inject(serial, NONE)


def _complaints(log: Path) -> list[str]:
    return [
        line
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if _COMPLAINT.match(line)
        and "solax" in line
        and not any(known in line for known in _EXPECTED)
    ]


if __name__ == "__main__":
    sys.exit(main())
