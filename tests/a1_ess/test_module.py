"""Asking a module over real HTTP: what counts as an answer, and what each failure is called."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import json
import logging
import time
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.solax_parallel.a1_ess.codes import ModelType
from custom_components.solax_parallel.a1_ess.module import (
    EmptyArrayError,
    HalfAnswerError,
    Module,
    ModuleTimeoutError,
    ModuleUnreachableError,
    NotJsonError,
    OtherDeviceError,
    OtherTypeError,
    WrongPasswordError,
)
from custom_components.solax_parallel.a1_ess.module_source import ModuleSource
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.source import (
    DeniedError,
    ReadError,
    ReadOnlyError,
    RefusedError,
    SilentError,
    UnusableError,
)

from .conftest import Clock
from .modules import (
    PASSWORD,
    SERIAL,
    HostileModule,
    Reply,
    http,
    late,
    never_ends,
    resets,
    saying,
    says,
    sends,
    stays_silent,
)
from .wire import crowded

type StartModule = Callable[..., Awaitable[HostileModule]]
type OpenModule = Callable[..., Module]

WHOLE = json.dumps(saying()).encode()


@pytest.fixture
async def start_module(socket_enabled: None) -> AsyncIterator[StartModule]:
    """Start modules that are stopped at the end of the test."""
    started: list[HostileModule] = []

    async def start(**kwargs: Any) -> HostileModule:
        started.append(await HostileModule(**kwargs).start())
        return started[-1]

    yield start
    for module in started:
        await module.stop()


@pytest.fixture
async def open_module(clock: Clock) -> AsyncIterator[OpenModule]:
    """Open modules with one session, which is closed at the end of the test."""
    async with ClientSession() as session:

        def open_it(server: HostileModule, **kwargs: Any) -> Module:
            settings = {"timeout": 1, "clock": clock, **kwargs}
            return Module(session, "127.0.0.1", server.port, PASSWORD, **settings)

        yield open_it


FAILURES: dict[str, tuple[Reply, type[ReadError], type[ReadError]]] = {
    "reset": (resets, ModuleUnreachableError, SilentError),
    "no word": (stays_silent, ModuleTimeoutError, SilentError),
    "too late": (late(3, says(saying())), ModuleTimeoutError, SilentError),
    "half answer, then stall": (
        sends(http(WHOLE[:300], length=len(WHOLE)), stalls=True),
        ModuleTimeoutError,
        SilentError,
    ),
    "half answer, then close": (
        sends(http(WHOLE[:300], length=len(WHOLE))),
        HalfAnswerError,
        UnusableError,
    ),
    "half a JSON": (sends(http(WHOLE[:300])), HalfAnswerError, UnusableError),
    "garbage": (sends(b"\x00\x01 no HTTP at all\r\n\r\n"), NotJsonError, UnusableError),
    "a web page": (sends(http(b"<html>router</html>")), NotJsonError, UnusableError),
    "nothing": (sends(http(b"")), NotJsonError, UnusableError),
    "far too much": (sends(http(b" " * 70_000)), OtherDeviceError, UnusableError),
    "endless": (never_ends, OtherDeviceError, UnusableError),
    "too deep": (sends(http(b"[" * 50_000)), NotJsonError, UnusableError),
    "a page that is not there": (
        says({}, "404 Not Found"),
        OtherDeviceError,
        UnusableError,
    ),
    "a list": (says([1, 2]), OtherDeviceError, UnusableError),
    "other JSON": (says({"state": "on"}), OtherDeviceError, UnusableError),
    "words that are none": (
        says(saying({6: 70_000})),
        OtherDeviceError,
        UnusableError,
    ),
    "text among the words": (
        says(saying({6: "3005"})),  # type: ignore[dict-item]
        OtherDeviceError,
        UnusableError,
    ),
    "nobody's array": (
        says(saying(Information=[7.6, 19])),
        OtherDeviceError,
        UnusableError,
    ),
    "a serial number that nobody can read": (
        says(saying(Information=[7.6, 19, "\ud800"])),
        OtherDeviceError,
        UnusableError,
    ),
    "a serial number without end": (
        says(saying(Information=[7.6, 19, "A" * 10_000])),
        OtherDeviceError,
        UnusableError,
    ),
    "no information": (
        says(saying(Information=None)),
        OtherDeviceError,
        UnusableError,
    ),
    "empty array": (says(saying(Data=[])), EmptyArrayError, SilentError),
    "nothing but zeros": (says(saying(Data=[0] * 200)), EmptyArrayError, SilentError),
    "another family": (says(saying(type=14)), OtherTypeError, UnusableError),
    "no family": (says(saying(type="hybrid")), OtherTypeError, UnusableError),
    "wrong password": (
        says({"code": 403, "message": "failed"}),
        WrongPasswordError,
        DeniedError,
    ),
    "a code that is none": (says({"code": [403]}), OtherDeviceError, UnusableError),
    "wrong password, by status": (
        says({}, "401 Unauthorized"),
        WrongPasswordError,
        DeniedError,
    ),
}


@pytest.mark.parametrize(
    ("reply", "error", "kind"), FAILURES.values(), ids=FAILURES.keys()
)
async def test_every_failure_has_its_name(
    start_module: StartModule,
    open_module: OpenModule,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
    error: type[ReadError],
    kind: type[ReadError],
) -> None:
    caplog.set_level(logging.DEBUG)
    server = await start_module(default=reply)
    with pytest.raises(ReadError) as raised:
        await open_module(server).answer()
    assert isinstance(raised.value, error)
    assert isinstance(raised.value, kind)
    assert str(raised.value)
    assert raised.value.__cause__ is None
    assert PASSWORD not in str(raised.value) + caplog.text


async def test_nobody_listens(
    start_module: StartModule, open_module: OpenModule
) -> None:
    server = await start_module()
    await server.stop()
    with pytest.raises(ModuleUnreachableError):
        await open_module(server).answer()


async def test_nobody_lets_in(socket_enabled: None, open_module: OpenModule) -> None:
    with crowded() as port, pytest.raises(ModuleUnreachableError):
        await open_module(HostileModule(port=port)).answer()


async def test_a_whole_answer(
    start_module: StartModule, open_module: OpenModule
) -> None:
    server = await start_module()
    answer = await open_module(server).answer()
    assert answer.serial_number == SERIAL
    assert answer.model_type is ModelType.A1_HYB_G2
    assert list(answer.words) == saying()["Data"]
    assert server.questions == [
        {"method": ["POST"], "optType": ["ReadRealTimeData"], "pwd": [PASSWORD]}
    ]


async def test_an_answer_may_take_its_time(
    start_module: StartModule, open_module: OpenModule
) -> None:
    server = await start_module(default=late(0.2, says(saying())))
    assert (await open_module(server).answer()).serial_number == SERIAL


async def test_a_silent_module_costs_one_timeout(
    start_module: StartModule, open_module: OpenModule
) -> None:
    server = await start_module(default=stays_silent)
    started = time.monotonic()
    with pytest.raises(ModuleTimeoutError):
        await open_module(server).answer()
    assert time.monotonic() - started < 1.9


async def test_a_question_in_the_address(
    start_module: StartModule, open_module: OpenModule, clock: Clock
) -> None:
    server = await start_module(takes="address")
    module = open_module(server)
    assert (await module.answer()).serial_number == SERIAL
    clock.move(10)
    await module.answer()
    # It was tried the usual way once.
    assert ["pwd" in question for question in server.questions] == [True] * 3
    server.takes = "body"
    clock.move(10)
    with pytest.raises(OtherDeviceError):
        await module.answer()
    assert len(server.questions) == 4


async def test_one_that_ignores_what_it_does_not_understand(
    start_module: StartModule, open_module: OpenModule, clock: Clock
) -> None:
    server = await start_module(takes="address")
    server.script.append(stays_silent)
    module = open_module(server, ways=("address", "body"))
    with pytest.raises(ModuleTimeoutError):
        await module.answer()
    server.takes = "body"
    clock.move(10)
    assert (await module.answer()).serial_number == SERIAL


async def test_pacing(
    start_module: StartModule, open_module: OpenModule, clock: Clock
) -> None:
    server = await start_module()
    module = open_module(server)
    first = await module.answer()
    clock.move(9.4)
    assert await module.answer() is first
    clock.move(0.2)
    assert await module.answer() is not first
    assert len(server.questions) == 2


async def test_a_failure_is_not_asked_for_again_at_once_either(
    start_module: StartModule, open_module: OpenModule, clock: Clock
) -> None:
    server = await start_module()
    server.script.append(says(saying(Data=[])))
    module = open_module(server)
    for _ in range(2):
        with pytest.raises(EmptyArrayError):
            await module.answer()
    assert len(server.questions) == 1
    clock.move(10)
    assert (await module.answer()).serial_number == SERIAL


async def test_one_request_at_a_time(
    start_module: StartModule, open_module: OpenModule
) -> None:
    server = await start_module(default=late(0.02, says(saying())))
    module = open_module(server, pacing=0)
    await asyncio.gather(*(module.answer() for _ in range(5)))
    assert len(server.questions) == 5
    assert server.overlaps == 0


async def test_a_cancelled_request_is_cancelled(
    start_module: StartModule, open_module: OpenModule
) -> None:
    server = await start_module()
    server.script.append(stays_silent)
    module = open_module(server, timeout=5)
    task = asyncio.create_task(module.answer())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await module.answer()).serial_number == SERIAL


async def test_windows(
    start_module: StartModule, open_module: OpenModule, profile: Profile
) -> None:
    server = await start_module()
    source = ModuleSource(open_module(server), profile)
    assert source.raw == {"module": {}}
    assert await source.read("identity") == {
        "serial_number": SERIAL,
        "model_type": ModelType.A1_HYB_G2,
    }
    assert await source.read("parallel_setting") == {
        "parallel_role": 1,
        "secondary_quantity": 3,
        "units_online": 4,
    }
    live = await source.read("live")
    assert live["ac_voltage"] == 241.0
    assert set(live) | {"parallel_role", "secondary_quantity", "units_online"} == set(
        source.registers
    )
    for window in profile.windows.keys() - {"identity", "parallel_setting", "live"}:
        with pytest.raises(RefusedError):
            await source.read(window)
    assert len(server.questions) == 1
    assert source.raw["module"] == dict(enumerate(saying()["Data"]))


async def test_a_module_can_be_told_nothing(
    start_module: StartModule, open_module: OpenModule, profile: Profile
) -> None:
    server = await start_module()
    source = ModuleSource(open_module(server), profile)
    with pytest.raises(ReadOnlyError):
        await source.write(0x0310, 1)
    assert server.questions == []


async def test_another_inverter_shows(
    start_module: StartModule, open_module: OpenModule, profile: Profile, clock: Clock
) -> None:
    server = await start_module()
    source = ModuleSource(open_module(server), profile)
    await source.read("identity")
    renewed = [source.renewed]
    server.default = says(saying(Information=[7.6, 19, "H1A00000000009"]))
    clock.move(10)
    for window in ("live", "identity"):
        await source.read(window)
        renewed.append(source.renewed)
    assert renewed == [False, True, False]


async def test_a_short_array_is_half_an_answer(
    start_module: StartModule, open_module: OpenModule, profile: Profile
) -> None:
    server = await start_module(default=says(saying(Data=saying()["Data"][:93])))
    source = ModuleSource(open_module(server), profile)
    with pytest.raises(HalfAnswerError, match="93 words instead of 94"):
        await source.read("live")
