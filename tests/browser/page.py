"""A page in a headless Chromium, driven over its own debugging protocol."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import json
from pathlib import Path
import shutil
from typing import Any

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse

BINARY = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
"""The browser, where there is one."""

_PATIENCE = 60
_LOOK = 0.25


class Page:
    """One tab of the browser."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        """Speak through ``socket``."""
        self._socket = socket
        self._number = 0

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the debugging protocol and return its result."""
        self._number += 1
        await self._socket.send_json(
            {"id": self._number, "method": method, "params": parameters}
        )
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == self._number:
                break
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    async def open(self, url: str) -> None:
        """Go to ``url``."""
        await self.command("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """Return what ``script``, which may await, comes to. Raises ``RuntimeError`` if it fails."""
        answer = await self.command(
            "Runtime.evaluate",
            expression=f"(async () => {{ {script} }})()",
            awaitPromise=True,
            returnByValue=True,
        )
        if (failure := answer.get("exceptionDetails")) is not None:
            raise RuntimeError(failure["exception"].get("description", failure["text"]))
        return answer["result"].get("value")

    async def until(self, script: str) -> Any:
        """Return what ``script`` returns as soon as that is something."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                # While a page is being loaded there is nothing to run it in.
                with suppress(RuntimeError):
                    if found := await self.run(script):
                        return found
                await asyncio.sleep(_LOOK)

    async def size(self, width: int, height: int) -> None:
        """Make the window so large, in pixels."""
        await self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def prefer(self, **features: str) -> None:
        """Tell the page what its reader prefers, such as ``prefers_color_scheme="dark"``."""
        await self.command(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": name.replace("_", "-"), "value": value}
                for name, value in features.items()
            ],
        )

    async def picture(self, file: Path) -> None:
        """Store what is seen as a PNG."""
        shot = await self.command("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, b64decode(shot["data"]))


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """Open a browser that keeps all it keeps in ``folder``."""
    assert BINARY is not None
    process = await asyncio.create_subprocess_exec(
        BINARY,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--hide-scrollbars",
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with ClientSession() as http:
            async with asyncio.timeout(_PATIENCE):
                target = await _first_tab(http, folder)
            async with http.ws_connect(target, max_msg_size=0) as socket:
                page = Page(socket)
                await page.command("Page.enable")
                yield page
    finally:
        process.terminate()
        await process.wait()


async def _first_tab(http: ClientSession, folder: Path) -> str:
    while True:
        with suppress(FileNotFoundError, ClientError, StopIteration):
            port = (
                (folder / "DevToolsActivePort").read_text(encoding="utf-8").split()[0]
            )
            async with http.get(f"http://127.0.0.1:{port}/json") as answer:
                tabs = await answer.json()
            return str(
                next(
                    tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"
                )
            )
        await asyncio.sleep(_LOOK)


def signed_in(url: str, token: str) -> str:
    """Return a script that makes Home Assistant's page at ``url`` know who looks at it."""
    kept = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": 1800,
        "expires": 9e15,
        "refresh_token": "",
        "hassUrl": url,
        "clientId": f"{url}/",
    }
    return f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(kept))});"
