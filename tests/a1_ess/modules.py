"""A monitoring module on loopback that misbehaves on demand, and the arrays it may answer with."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
import contextlib
from dataclasses import dataclass, field
import json
from pathlib import Path
import re
from typing import Any, Self
from urllib.parse import parse_qs

ARRAYS = Path(__file__).parents[1] / "arrays"

PASSWORD = "SWTEST0001"
SERIAL = "H1A00000000001"

type Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


def stored(name: str) -> dict[str, Any]:
    """Return an answer as it was stored."""
    answer: dict[str, Any] = json.loads((ARRAYS / f"{name}.json").read_text("utf-8"))
    return answer


def saying(places: Mapping[int, int] | None = None, **changes: Any) -> dict[str, Any]:
    """Return what a sound module says, with other words at some places of its array."""
    words = stored("noon")["Data"]
    for place, word in (places or {}).items():
        words[place] = word
    return {**stored("noon"), "Data": words, **changes}


def http(content: bytes, status: str = "200 OK", *, length: int | None = None) -> bytes:
    """Wrap content as HTTP does; a wrong ``length`` promises more than comes."""
    size = len(content) if length is None else length
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    ).encode() + content


def sends(data: bytes, *, stalls: bool = False) -> Reply:
    """Send bytes, then close the link or keep it open without a word."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if stalls:
            await asyncio.sleep(60)

    return reply


def says(answer: object, status: str = "200 OK") -> Reply:
    """Answer as a module does."""
    return sends(http(json.dumps(answer).encode(), status))


def late(seconds: float, reply: Reply) -> Reply:
    """Answer after a while."""

    async def delayed(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await reply(writer)

    return delayed


async def never_ends(writer: asyncio.StreamWriter) -> None:
    """Go on and on, until nobody listens any more."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" " * 10_000)
        await writer.drain()


async def resets(writer: asyncio.StreamWriter) -> None:
    """Drop the link without a goodbye."""
    writer.transport.abort()


async def stays_silent(writer: asyncio.StreamWriter) -> None:
    """Keep the link open without a word."""
    await asyncio.sleep(60)


@dataclass
class HostileModule:
    """Answers every request with ``default``, unless ``script`` holds what to do about the next."""

    default: Reply = field(default_factory=lambda: says(saying()))
    script: deque[Reply] = field(default_factory=deque)
    takes: str = "body"
    mute_on: str | None = None
    port: int = 0
    questions: list[dict[str, list[str]]] = field(default_factory=list)
    overlaps: int = 0
    _open: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def start(self) -> Self:
        """Listen, on the same port as before if it was stopped."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop listening and drop every link."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    async def was_asked(self, times: int) -> bool:
        """Return whether ``times`` questions come in, all in all."""
        for _ in range(500):
            if len(self.questions) >= times:
                return True
            await asyncio.sleep(0.01)
        return False

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.overlaps += self._open > 0
        self._open += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            self._open -= 1
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        body = (await reader.readexactly(int(length[1])) if length else b"").decode()
        line = head.splitlines()[0]
        address = line.split(" ")[1].partition("?")[2]
        self.questions.append(
            {"method": [line.split(" ")[0]], **parse_qs(body), **parse_qs(address)}
        )
        if self.mute_on == ("body" if body else "address"):
            await stays_silent(writer)
        if not (body if self.takes == "body" else address):
            await says({"code": 405}, "405 Method Not Allowed")(writer)
            return
        await (self.script.popleft() if self.script else self.default)(writer)
