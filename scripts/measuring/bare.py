"""The least CPU for what is polled: the same requests, made by the Modbus client alone."""

import asyncio
import sys
import time

from pymodbus.client import AsyncModbusTcpClient

from custom_components.solax_parallel.a1_ess.profile import load_profile

INTERVAL = 5
"""Seconds between two polls: the least that the options allow."""

READINGS = ("live", "legs", "third_string")
"""The windows of every inverter; its extension comes on top."""

_SILENCE = 0.1
_UNITS = 4


async def cpu_of_bare_polls(port: int, seconds: float) -> float:
    """Return what a poll of the group behind ``port`` takes in a process of its own, in CPU seconds."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        str(port),
        str(seconds),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return float(told)


async def _poll_for(port: int, seconds: float) -> float:
    profile = load_profile()
    windows = [
        (unit, profile.windows[name])
        for unit in range(1, _UNITS + 1)
        for name in (*READINGS, "primary_extension" if unit == 1 else "extension")
    ]
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    polls = round(seconds / INTERVAL)
    before = time.process_time()
    for _ in range(polls):
        begun = time.monotonic()
        for unit, window in windows:
            await client.read_input_registers(
                window.first, count=window.last - window.first + 1, device_id=unit
            )
            await asyncio.sleep(_SILENCE)
        await asyncio.sleep(begun + INTERVAL - time.monotonic())
    spent = time.process_time() - before
    client.close()
    return spent / polls


if __name__ == "__main__":
    print(asyncio.run(_poll_for(int(sys.argv[1]), float(sys.argv[2]))))
