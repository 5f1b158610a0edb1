"""The least CPU for what is polled: as many requests, made by the Modbus client alone."""

import asyncio
import sys
import time

from pymodbus.client import AsyncModbusTcpClient

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import SHORTEST_SCAN_INTERVAL

from .wire import UNITS

WINDOWS = {
    unit_id: (
        "live",
        "legs",
        "third_string",
        "primary_extension" if unit_id == 1 else "extension",
    )
    for unit_id in range(1, UNITS + 1)
}
"""What a usual poll reads of each inverter, by its Modbus id."""


async def cpu_of_bare_polls(port: int, seconds: float, silence: float) -> float:
    """Return what a poll of the group behind ``port`` takes in a process of its own, in CPU seconds.

    Polls for ``seconds``, with ``silence`` between two requests, in seconds, too.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        str(port),
        str(seconds),
        str(silence),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return float(told)


async def _poll_for(port: int, seconds: float, silence: float) -> float:
    profile = load_profile()
    windows = [
        (unit_id, profile.windows[name])
        for unit_id, names in WINDOWS.items()
        for name in names
    ]
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    polls = round(seconds / SHORTEST_SCAN_INTERVAL)
    before = time.process_time()
    for _ in range(polls):
        begun = time.monotonic()
        for unit_id, window in windows:
            await client.read_input_registers(
                window.first, count=window.last - window.first + 1, device_id=unit_id
            )
            await asyncio.sleep(silence)
        await asyncio.sleep(begun + SHORTEST_SCAN_INTERVAL - time.monotonic())
    spent = time.process_time() - before
    client.close()
    return spent / polls


if __name__ == "__main__":
    print(asyncio.run(_poll_for(int(sys.argv[1]), *map(float, sys.argv[2:]))))
