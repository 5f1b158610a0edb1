"""Talking to a running Home Assistant as its page does: over REST and WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    WSMsgType,
)

from .folder import Account

_SECONDS_PER_REQUEST = 60
_SECONDS_TO_SIGN_OUT = 2
_POLL = 0.25


class ApiError(Exception):
    """Home Assistant refuses; ``code`` is its own word for why, where it has one."""

    def __init__(self, reason: str, code: str | None = None) -> None:
        """Remember what it says."""
        super().__init__(reason)
        self.code = code


async def wait_until_answering(url: str) -> None:
    """Return when the page at ``url`` can be opened."""
    async with ClientSession(timeout=ClientTimeout(total=_SECONDS_PER_REQUEST)) as http:
        while True:
            with suppress(ClientError, TimeoutError):
                async with http.get(f"{url}/manifest.json") as response:
                    if response.ok:
                        return
            await asyncio.sleep(_POLL)


@asynccontextmanager
async def signed_in(url: str, account: Account) -> AsyncIterator[Api]:
    """Sign in with ``account``, which is created where there is none yet, and out at the end."""
    timeout = ClientTimeout(total=_SECONDS_PER_REQUEST)
    async with ClientSession(timeout=timeout) as http:
        api = Api(http, url)
        tokens = await api.post(
            "/auth/token",
            form={
                "grant_type": "authorization_code",
                "code": await _authorization_code(api, account),
                "client_id": api.client_id,
            },
        )
        await api.open(tokens["access_token"])
        try:
            yield api
        finally:
            await api.close(tokens["refresh_token"])


class Api:
    """One visit to a Home Assistant."""

    _socket: ClientWebSocketResponse

    def __init__(self, http: ClientSession, url: str) -> None:
        """Visit the Home Assistant at ``url``."""
        self._http = http
        self._url = url
        self.token: str | None = None
        """What each request is signed with, once it is known."""
        self._commands = 0

    @property
    def client_id(self) -> str:
        """What we are called: the page itself, as Home Assistant asks for."""
        return f"{self._url}/"

    async def open(self, token: str) -> None:
        """Use ``token`` from now on, and open the WebSocket with it."""
        self.token = token
        try:
            self._socket = await self._http.ws_connect(f"{self._url}/api/websocket")
        except ClientError as err:
            raise ConnectionError(str(err)) from err
        await self._receive()
        await self._socket.send_json({"type": "auth", "access_token": token})
        if (answer := await self._receive())["type"] != "auth_ok":
            raise ApiError(f"the WebSocket refuses the token: {answer}")

    async def close(self, refresh_token: str) -> None:
        """Close the WebSocket and give the token back, which would be valid for months."""
        with suppress(ApiError, ConnectionError, TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_SIGN_OUT):
                await self._socket.close()
                await self.post("/auth/revoke", form={"token": refresh_token})

    async def get(self, path: str) -> Any:
        """Return what is at ``path``."""
        return await self._request("GET", path)

    async def post(
        self, path: str, data: object = None, *, form: dict[str, str] | None = None
    ) -> Any:
        """Send ``data`` as JSON, or a ``form``, and return the answer."""
        return await self._request("POST", path, json=data, data=form)

    async def _request(self, method: str, path: str, **content: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            async with self._http.request(
                method, self._url + path, headers=headers, **content
            ) as response:
                if not response.ok:
                    reason = await response.text()
                    raise ApiError(f"{method} {path}: {response.status} {reason}")
                is_json = response.content_type == "application/json"
                return await (response.json() if is_json else response.text())
        except ClientError as err:
            raise ConnectionError(str(err)) from err

    async def command(self, kind: str, **fields: object) -> Any:
        """Return the result of a WebSocket command."""
        self._commands += 1
        number = self._commands
        async with asyncio.timeout(_SECONDS_PER_REQUEST):
            try:
                await self._socket.send_json({"id": number, "type": kind, **fields})
            except ClientError as err:
                raise ConnectionError(str(err)) from err
            while (answer := await self._receive()).get("id") != number:
                pass
        if not answer["success"]:
            raise ApiError(f"{kind}: {answer['error']}", answer["error"]["code"])
        return answer["result"]

    async def wait_until_running(self) -> None:
        """Return when Home Assistant has set up all that it is configured for."""
        while True:
            config = await self.command("get_config")
            if config["recovery_mode"]:
                raise ApiError("Home Assistant has started in recovery mode")
            if config["state"] == "RUNNING":
                return
            await asyncio.sleep(_POLL)

    async def _receive(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise ConnectionError("Home Assistant has closed the connection")
        content: dict[str, Any] = message.json()
        return content


async def _authorization_code(api: Api, account: Account) -> str:
    code: str
    try:
        created = await api.post(
            "/api/onboarding/users",
            {
                "name": account.name.capitalize(),
                "username": account.name,
                "password": account.password,
                "client_id": api.client_id,
                "language": "en",
            },
        )
    except ApiError:
        # There is an owner already.
        code = await _log_in(api, account)
    else:
        code = created["auth_code"]
    return code


async def _log_in(api: Api, account: Account) -> str:
    client = {"client_id": api.client_id}
    flow = await api.post(
        "/auth/login_flow",
        {
            **client,
            "handler": ["homeassistant", None],
            "redirect_uri": api.client_id,
        },
    )
    step = await api.post(
        f"/auth/login_flow/{flow['flow_id']}",
        {**client, "username": account.name, "password": account.password},
    )
    if step["type"] != "create_entry":
        raise ApiError(
            f"the account {account.name!r} was changed or removed; --fresh makes it anew"
        )
    code: str = step["result"]
    return code
