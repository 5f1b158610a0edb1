"""A Home Assistant process: started, watched, and ended with everything that it started."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
import os
from pathlib import Path
import re
import signal
import sys
from typing import Any, Self

RESTART_CODE = 100
"""Home Assistant's way to ask for being started again."""

_PATIENCE = 10
"""Seconds in which Home Assistant may end by itself, all its last writes included."""
_RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* ([A-Z]+) ")
_MOST_LINES = 20


class EndedError(Exception):
    """Home Assistant has ended by itself, with ``code``."""

    def __init__(self, code: int) -> None:
        """Remember the exit code."""
        super().__init__(f"Home Assistant ended with exit code {code}")
        self.code = code


class HomeAssistant:
    """A Home Assistant that runs while the context is entered."""

    _process: asyncio.subprocess.Process

    def __init__(self, folder: Path) -> None:
        """Start from the configuration in ``folder``."""
        self._folder = folder
        self.log = folder / "console.log"

    @property
    def pid(self) -> int:
        """The id of the process, and of the group of all that it starts."""
        return self._process.pid

    async def __aenter__(self) -> Self:
        """Start it."""
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "homeassistant",
                "--config",
                self._folder,
                "--skip-pip",
                "--log-no-color",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                # Ctrl-C in the terminal is for us alone: Home Assistant is told to end in due order.
                start_new_session=True,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it, in good order if it obeys, and its children."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _PATIENCE)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()

    async def alongside[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` returns; raise ``EndedError`` if Home Assistant ends before."""
        task = asyncio.create_task(work)
        end = asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait((task, end), return_when=asyncio.FIRST_COMPLETED)
            if not end.done() and isinstance(task.exception(), ConnectionError):
                await asyncio.wait((end,), timeout=_PATIENCE)
            if end.done():
                raise EndedError(end.result())
            return task.result()
        finally:
            task.cancel()
            end.cancel()
            await asyncio.gather(task, end, return_exceptions=True)

    def complaints(self) -> list[str]:
        """Return the last lines of the log that tell of errors."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        complaints = []
        # What is there before the first record comes from Python, or says why there is no log.
        is_error = True
        for line in text.splitlines():
            if record := _RECORD.match(line):
                is_error = record[1] in ("ERROR", "CRITICAL")
            if is_error:
                complaints.append(line)
        return complaints[-_MOST_LINES:]
