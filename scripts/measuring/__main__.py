"""What ``scripts/benchmark`` runs."""

from argparse import ArgumentParser
import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
import sys
from tempfile import TemporaryDirectory
import time

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import SHORTEST_SCAN_INTERVAL

from .bare import WINDOWS, cpu_of_bare_polls
from .home_assistant import (
    Entry,
    Spent,
    Visit,
    cpu_shares,
    setup_seconds,
    states_written,
    switch_off,
    switch_on,
)
from .least import Load, least_load
from .running import running
from .wire import Poll, Site

_SETTLING = 20
"""Seconds after which Home Assistant has done what a start or a setup brings with it."""
_LATENCIES = (0.005, 0.05)
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Row:
    """One number, beside what it is to be."""

    what: str
    found: str
    aim: str = ""


def main() -> int:
    """Measure and print."""
    parser = ArgumentParser(
        prog="scripts/benchmark",
        description="Measure what polling four inverters with a BI PRO costs.",
    )
    parser.add_argument("--port", type=int, default=8124)
    parser.add_argument(
        "--seconds", type=float, default=120, help="for which CPU time is counted"
    )
    options = parser.parse_args()
    asyncio.run(_measure(options.port, options.seconds))
    return 0


async def _measure(port: int, seconds: float) -> None:
    """Print each row as soon as it is known."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sites = {
            "one link": await Site.open("ONE", link_each=False),
            "four links": await Site.open("FOUR", link_each=True),
            "one link, no silence": await Site.open("HASTE", link_each=False),
            "dead": await Site.open("DEAD", link_each=False),
        }
        entries = {
            name: Entry(
                site,
                {
                    "scan_interval": SHORTEST_SCAN_INTERVAL,
                    "message_spacing": 0 if "no silence" in name else 100,
                },
            )
            for name, site in sites.items()
        }
        try:
            print("| | found | aim |\n| --- | --- | --- |")
            async for row in _rows(folder, port, seconds, sites, entries):
                print(f"| {row.what} | {row.found} | {row.aim} |", flush=True)
        finally:
            for site in sites.values():
                await site.close()


async def _rows(
    folder: Path,
    port: int,
    seconds: float,
    sites: dict[str, Site],
    entries: dict[str, Entry],
) -> AsyncIterator[Row]:
    async with running(folder, port, list(entries.values())) as (home_assistant, visit):
        pid = home_assistant.pid
        _say("Home Assistant alone")
        await asyncio.sleep(_SETTLING)
        idle, idle_recorder = await cpu_shares(pid, seconds)
        before = Spent.by(pid)

        entry, site = entries["one link"], sites["one link"]
        site.set_latency(0.005)
        _say("four inverters on one link")
        took, entities = await switch_on(visit, entry)
        yield Row(
            "setup, one link, 5 ms", f"{took:.1f} s to {entities} entities", "2 s"
        )
        await asyncio.sleep(_SETTLING)
        site.polls()
        await asyncio.sleep(4 * SHORTEST_SCAN_INTERVAL)
        for row in _on_the_wire(site):
            yield row
        after = Spent.by(pid)
        yield Row(
            "memory over Home Assistant alone",
            f"{(after.memory - before.memory) / _MEGABYTE:.1f} MB",
            "15 MB",
        )
        for name, speed in (("nothing changes", 0), ("everything changes", 200)):
            site.clock.speed = speed
            site.polls()
            since = time.time()
            share, recorder = await cpu_shares(pid, seconds)
            polls = len(site.polls())
            each = 1000 * seconds / polls
            yield Row(
                f"CPU a poll over {idle:.1%} idle, {name}",
                f"{(share - idle) * each:.1f} ms, "
                f"{(recorder - idle_recorder) * each:.1f} ms of it in the recorder",
                "15 ms",
            )
            written = await asyncio.to_thread(states_written, folder, entry, since)
            yield Row(f"states written a poll, {name}", f"{written / polls:.0f}")
        yield Row(
            "connections", str(sum(server.clients for server in site.servers)), "1"
        )
        await switch_off(visit, entry)
        _say("as many requests by the Modbus client alone")
        bare = await cpu_of_bare_polls(site.servers[0].port, seconds)
        yield Row("CPU a poll, the Modbus client alone", f"{1000 * bare:.1f} ms")

        for latency in _LATENCIES:
            for row in await _patience(visit, latency, sites, entries):
                yield row
    for row in await _dead_group(folder, port, sites, entries):
        yield row


def _on_the_wire(site: Site) -> Sequence[Row]:
    """Return what usual polls ask for, beside the least that the protocol allows."""
    profile = load_profile()
    least = sum((least_load(profile, names) for names in WINDOWS.values()), Load())
    # The first polls after a start ask for more, and the last may not be over.
    usual = site.polls()[-2]
    load = usual.load
    return [
        Row("requests a poll", str(load.requests), _least(least.requests)),
        Row("registers a poll", str(load.registers), _least(least.registers)),
        Row(
            "bytes a poll, Modbus TCP",
            str(usual.sent_and_received),
            _least(least.tcp_bytes),
        ),
        Row("bytes a poll, RTU", str(load.rtu_bytes), _least(least.rtu_bytes)),
        Row(
            "seconds a poll on a line of 19200 baud",
            f"{load.serial_seconds(19200):.2f}, "
            f"with silences of 100 ms {load.serial_seconds(19200, 0.1):.2f}",
            f"least {least.serial_seconds(19200):.2f}",
        ),
    ]


async def _patience(
    visit: Visit, latency: float, sites: dict[str, Site], entries: dict[str, Entry]
) -> list[Row]:
    """Return how long polls take."""
    seconds = {}
    setups = {}
    for name in ("one link", "four links", "one link, no silence"):
        _say(f"{name}, {1000 * latency:.0f} ms")
        site, entry = sites[name], entries[name]
        site.set_latency(latency)
        site.polls()
        setups[name], _ = await switch_on(visit, entry)
        await asyncio.sleep(6 * SHORTEST_SCAN_INTERVAL)
        usual: list[Poll] = site.polls()[2:-1]
        seconds[name] = median(poll.seconds for poll in usual)
        await switch_off(visit, entry)
    milliseconds = f"{1000 * latency:.0f} ms"
    alone = seconds["one link"] / 4
    return [
        *(
            Row(f"a poll, {name}, {milliseconds}", f"{found:.2f} s", aim)
            for (name, found), aim in zip(
                seconds.items(), ("", f"{1.3 * alone:.2f} s", ""), strict=True
            )
        ),
        *(
            Row(f"setup, {name}, {milliseconds}", f"{found:.1f} s")
            for name, found in setups.items()
        ),
    ]


async def _dead_group(
    folder: Path, port: int, sites: dict[str, Site], entries: dict[str, Entry]
) -> list[Row]:
    """Return how long Home Assistant's start waits for a group that does not answer."""
    _say("a start with a dead group")
    dead = entries["dead"]
    sites["dead"].set_latency(3600)
    entry = Entry(dead.site, dead.options, disabled=False)
    async with running(folder, port, [entry]) as (_, visit):
        return [
            Row(
                "setup at a start, nobody answers",
                f"{await setup_seconds(visit):.1f} s",
                "5 s",
            )
        ]


def _least(number: int) -> str:
    return f"least {number}"


def _say(text: str) -> None:
    print(f"benchmark: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
