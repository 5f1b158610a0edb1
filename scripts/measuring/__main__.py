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
from scripts.development.process import HomeAssistant

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
_ONE, _FOUR, _HASTE = "one link", "four links", "one link, no silence"
_KEPT, _DEAD = "history kept", "dead"
_PREFIXES = {_ONE: "ONE", _FOUR: "FOUR", _HASTE: "HASTE", _KEPT: "KEPT", _DEAD: "DEAD"}
_SILENCE = 0.1
"""What the options begin with, in seconds."""
_CHANGES = {"nothing changes": 0, "everything changes": 200}
"""How fast the day passes at the site."""
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
            name: await Site.open(prefix, link_each=name == _FOUR)
            for name, prefix in _PREFIXES.items()
        }
        entries = {
            name: Entry(
                site,
                {
                    "scan_interval": SHORTEST_SCAN_INTERVAL,
                    "message_spacing": 1000 * _silence(name),
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
    async with running(folder / "plain", port, list(entries.values())) as (
        home_assistant,
        visit,
    ):
        idle = await _idle(home_assistant, seconds)
        for name in (_HASTE, _ONE):
            entry, site = entries[name], sites[name]
            site.set_latency(0.005)
            _say(name)
            took, entities = await switch_on(visit, entry)
            yield Row(
                f"first setup, {name}, 5 ms",
                f"{took:.1f} s to {entities} entities",
                "2 s",
            )
            await asyncio.sleep(_SETTLING)
            if name == _HASTE:
                for row in await _on_the_wire(site):
                    yield row
                yield Row(
                    "memory over Home Assistant alone",
                    _grown(home_assistant, idle),
                    "15 MB",
                )
            for changes in _CHANGES:
                spent = await _polling(home_assistant, site, idle, seconds, changes)
                yield Row(
                    f"CPU a poll, {name}, {changes}", f"{spent.cpu:.1f} ms", "15 ms"
                )
            connections = sum(server.clients for server in site.servers)
            yield Row(f"connections, {name}", str(connections), "1")
            await switch_off(visit, entry)
            _say(f"{name}, the Modbus client alone")
            bare = await cpu_of_bare_polls(
                site.servers[0].port, seconds, _silence(name)
            )
            yield Row(
                f"CPU a poll, {name}, the Modbus client alone", f"{1000 * bare:.1f} ms"
            )
        for latency in _LATENCIES:
            for row in await _patience(visit, latency, sites, entries):
                yield row
    async for row in _with_history(folder / "history", port, seconds, entries[_KEPT]):
        yield row
    for row in await _dead_group(folder / "dead", port, entries[_DEAD]):
        yield row


@dataclass(frozen=True)
class Idle:
    """What Home Assistant uses by itself: shares of one CPU, and bytes of memory."""

    share: float
    recorder: float
    memory: int


async def _idle(home_assistant: HomeAssistant, seconds: float) -> Idle:
    _say("Home Assistant alone")
    await asyncio.sleep(_SETTLING)
    share, recorder = await cpu_shares(home_assistant.pid, seconds)
    return Idle(share, recorder, Spent.by(home_assistant.pid).memory)


def _grown(home_assistant: HomeAssistant, idle: Idle) -> str:
    grown = Spent.by(home_assistant.pid).memory - idle.memory
    return f"{grown / _MEGABYTE:.1f} MB"


@dataclass(frozen=True)
class Polling:
    """What a poll takes over what Home Assistant uses by itself, in ms, and how many there were."""

    cpu: float
    recorder: float
    polls: int


async def _polling(
    home_assistant: HomeAssistant, site: Site, idle: Idle, seconds: float, changes: str
) -> Polling:
    site.clock.speed = _CHANGES[changes]
    site.polls()
    share, recorder = await cpu_shares(home_assistant.pid, seconds)
    polls = len(site.polls())
    each = 1000 * seconds / polls
    return Polling(
        (share - idle.share) * each, (recorder - idle.recorder) * each, polls
    )


async def _with_history(
    folder: Path, port: int, seconds: float, entry: Entry
) -> AsyncIterator[Row]:
    """Yield what keeping a history takes besides."""
    async with running(folder, port, [entry], keeps_history=True) as (
        home_assistant,
        visit,
    ):
        idle = await _idle(home_assistant, seconds)
        _say(_KEPT)
        await switch_on(visit, entry)
        await asyncio.sleep(2 * _SETTLING)
        yield Row(
            f"memory over Home Assistant alone, {_KEPT}", _grown(home_assistant, idle)
        )
        for changes in _CHANGES:
            since = time.time()
            spent = await _polling(home_assistant, entry.site, idle, seconds, changes)
            written = await asyncio.to_thread(states_written, folder, entry, since)
            yield Row(
                f"CPU a poll, {_KEPT}, {changes}",
                f"{spent.cpu:.1f} ms, {spent.recorder:.1f} ms of it in the recorder",
            )
            yield Row(
                f"states written a poll, {changes}", f"{written / spent.polls:.0f}"
            )


async def _on_the_wire(site: Site) -> Sequence[Row]:
    """Return what usual polls ask for, beside the least that the protocol allows."""
    site.polls()
    await asyncio.sleep(4 * SHORTEST_SCAN_INTERVAL)
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
    for name in (_ONE, _FOUR, _HASTE):
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
    alone = seconds[_ONE] / 4
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


async def _dead_group(folder: Path, port: int, dead: Entry) -> list[Row]:
    """Return how long Home Assistant's start waits for a group that does not answer."""
    _say("a start with a dead group")
    dead.site.set_latency(3600)
    entry = Entry(dead.site, dead.options, disabled=False)
    async with running(folder, port, [entry]) as (_, visit):
        return [
            Row(
                "setup at a start, nobody answers",
                f"{await setup_seconds(visit):.1f} s",
                "5 s",
            )
        ]


def _silence(name: str) -> float:
    return 0 if name == _HASTE else _SILENCE


def _least(number: int) -> str:
    return f"least {number}"


def _say(text: str) -> None:
    print(f"benchmark: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
