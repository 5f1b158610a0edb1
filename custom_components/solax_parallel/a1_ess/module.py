"""The local HTTP interface of a monitoring module: one request, and an answer that counts or not.

Nobody has documented it for this family; an owner's A1-HYB-G2 is read this way (grade field).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
import json
import re
import time
from typing import Any, Literal

from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientError,
    ClientPayloadError,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
)
from yarl import URL

from .codes import ModelType
from .source import DeniedError, ReadError, SilentError, UnusableError

DEFAULT_PORT = 80

TIMEOUT = 5.0
"""What a whole answer may take, in seconds: a module needs a few."""

_CONNECT_SHARE = 0.8
"""How much of that may pass until somebody takes the request.

A lost request for a connection is repeated after 1 and after 3 s.
"""

PACING = 10.0
"""How many seconds lie between two requests at least; until then the last answer stands."""

# Polls begin a little early or late, and one that comes due every 10 s is to bring news.
_LENIENCE = 0.5

type Way = Literal["body", "address"]

WAYS: Sequence[Way] = ("body", "address")
"""Where modules want the question: most in the body, some in the address."""

MODEL_TYPES = {
    19: ModelType.A1_HYB_G2,
    20: ModelType.A1_AC_G2,
    21: ModelType.A1_SMT_G2,
}
"""The inverters of the family by the `type` in an answer."""

_SERIAL_NUMBER_AT = 2
"""Where `Information` holds the inverter's serial number (grade sister)."""

# It is shown to people and stored, so not everything that JSON can hold will do.
_SERIAL_NUMBER = re.compile(r"[ -~]{0,32}")

_LARGEST_ANSWER = 0x10000
_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class ModuleUnreachableError(SilentError):
    """Nobody takes a request at the module's address."""


class _LinkLostError(ModuleUnreachableError):
    """The link was lost before any answer."""


class ModuleTimeoutError(SilentError):
    """The module took the request, and no whole answer came in time."""


class EmptyArrayError(SilentError):
    """The module answers without readings: its inverter is off, or not heard by it."""


class HalfAnswerError(UnusableError):
    """The answer breaks off."""


class NotJsonError(UnusableError):
    """The answer is no JSON."""


class OtherDeviceError(UnusableError):
    """Something else than a monitoring module answers."""


class OtherTypeError(UnusableError):
    """A monitoring module answers whose inverter is of another family."""


class WrongPasswordError(DeniedError):
    """The module wants another password."""


@dataclass(frozen=True, kw_only=True)
class ModuleAnswer:
    """One whole answer; ``words`` is its array, 16 bits each."""

    serial_number: str
    model_type: ModelType
    words: Sequence[int]


class Module:
    """Asks one module, one request at a time, and not more often than it can bear."""

    def __init__(
        self,
        session: ClientSession,
        host: str,
        port: int,
        password: str,
        *,
        timeout: float = TIMEOUT,
        pacing: float = PACING,
        ways: Sequence[Way] = WAYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to ask the module at ``host``; nothing is sent yet.

        ``timeout`` and ``pacing`` are in seconds, ``clock`` is a monotonic time in seconds.
        ``ways`` are those in which the module may want to be asked, the likeliest first.
        """
        self._session = session
        self._url = URL.build(scheme="http", host=host, port=port, path="/")
        self._question = {"optType": "ReadRealTimeData", "pwd": password}
        self._timeout = ClientTimeout(total=timeout, connect=timeout * _CONNECT_SHARE)
        self._pacing = pacing
        self._clock = clock
        self._turn = asyncio.Lock()
        self._ways = list(ways)
        self._asked_at = float("-inf")
        self._outcome: ModuleAnswer | ReadError | None = None

    @property
    def is_paced(self) -> bool:
        """Whether an answer stands for a while before the next one is asked for."""
        return self._pacing > 0

    async def answer(self) -> ModuleAnswer:
        """Return the latest answer, after asking for it unless that was only a moment ago.

        Raises ``ReadError`` for an answer that does not count, or for none.
        """
        async with self._turn:
            now = self._clock()
            if (
                self._outcome is None
                or now - self._asked_at >= self._pacing - _LENIENCE
            ):
                self._asked_at = now
                # A cancelled request leaves nothing that could be taken for its outcome.
                self._outcome = None
                try:
                    self._outcome = await self._ask()
                except ReadError as err:
                    self._outcome = err
            if isinstance(self._outcome, ReadError):
                raise self._outcome
            return self._outcome

    async def _ask(self) -> ModuleAnswer:
        """Ask in the way that the module understands, and find out which one that is."""
        failure: ReadError | None = None
        for way in tuple(self._ways):
            try:
                answer = _read(*await self._exchange_twice(way))
            except SilentError:
                # One that hears nothing it understands may be silent: begin with the other way.
                self._ways.reverse()
                raise
            except ReadError as err:
                failure = failure or err
            else:
                self._ways = [way]
                return answer
        assert failure is not None
        raise failure

    async def _exchange_twice(self, way: Way) -> tuple[int, bytes]:
        """Return status and content of one answer, over a new link if the old one is gone.

        Modules close the link after each answer without a word, maybe just as we ask again.
        """
        try:
            return await self._exchange(way)
        except _LinkLostError:
            return await self._exchange(way)

    async def _exchange(self, way: Way) -> tuple[int, bytes]:
        """Return status and content of one answer.

        What is raised names no cause: the address may hold the password.
        """
        content = b""
        try:
            async with self._session.post(
                self._url,
                data=self._question if way == "body" else None,
                params=self._question if way == "address" else None,
                timeout=self._timeout,
                allow_redirects=False,
                headers={"Connection": "close"},
            ) as response:
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > _LARGEST_ANSWER:
                        raise OtherDeviceError("the answer has no end")
                return response.status, content
        except ConnectionTimeoutError:
            raise ModuleUnreachableError("nobody takes a connection") from None
        except TimeoutError:
            raise ModuleTimeoutError("no whole answer came in time") from None
        except ClientPayloadError:
            raise HalfAnswerError("the answer breaks off") from None
        except ClientResponseError:
            raise NotJsonError("the answer is no HTTP") from None
        except ClientConnectorError:
            raise ModuleUnreachableError("the module can't be reached") from None
        except ClientConnectionError:
            raise _LinkLostError("the link was lost before the answer") from None
        except ClientError, ValueError:
            raise ModuleUnreachableError("the module can't be asked") from None


def _read(status: int, content: bytes) -> ModuleAnswer:
    """Return what an answer says; raises ``ReadError`` for one that does not count."""
    if status in _DENIED:
        raise WrongPasswordError("the module wants another password")
    if status != HTTPStatus.OK:
        raise OtherDeviceError(f"the answer has HTTP status {status}")
    said = _decoded(content)
    if not isinstance(said, dict):
        raise OtherDeviceError("the answer is not what a module says")
    if said.get("code") in _DENIED:
        raise WrongPasswordError("the module wants another password")
    words, information = said.get("Data"), said.get("Information")
    if not isinstance(words, list) or not all(map(_is_word, words)):
        raise OtherDeviceError("the answer holds no array of 16-bit words")
    if not any(words):
        raise EmptyArrayError("the module has no readings of its inverter")
    kind = said.get("type")
    if not isinstance(kind, int) or kind not in MODEL_TYPES:
        raise OtherTypeError(f"the inverter is of type {kind!a:.20}")
    serial_number = _serial_number(information)
    if serial_number is None:
        raise OtherDeviceError("the answer does not say which inverter it is about")
    return ModuleAnswer(
        serial_number=serial_number,
        model_type=MODEL_TYPES[kind],
        words=tuple(words),
    )


def _serial_number(information: Any) -> str | None:
    if not isinstance(information, list) or len(information) <= _SERIAL_NUMBER_AT:
        return None
    told = information[_SERIAL_NUMBER_AT]
    if not isinstance(told, str):
        return None
    serial_number = told.strip("\0 ")
    return serial_number if _SERIAL_NUMBER.fullmatch(serial_number) else None


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError, RecursionError:
        text = content.strip()
        if text.startswith(b"{") and not text.endswith(b"}"):
            raise HalfAnswerError("the answer breaks off") from None
        raise NotJsonError("the answer is no JSON") from None


def _is_word(value: object) -> bool:
    return type(value) is int and 0 <= value <= 0xFFFF
