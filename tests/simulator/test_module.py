"""The simulated modules: what they answer over HTTP, and to whom."""

import socket
from typing import Any

from aiohttp import ClientSession
import pytest

from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.simulator.group import OFFLINE
from custom_components.solax_parallel.simulator.loopback import HOST
from custom_components.solax_parallel.simulator.module import (
    SimulatedModule,
    module_serial,
)
from custom_components.solax_parallel.simulator.readings import module_readings

from .conftest import GroupFactory

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def served() -> Profile:
    return load_profile()


async def ask(module: SimulatedModule, **how: Any) -> tuple[int, Any]:
    """Return status and content of one answer."""
    async with (
        ClientSession() as session,
        session.post(f"http://{HOST}:{module.port}/", **how) as response,
    ):
        is_json = response.content_type == "application/json"
        return response.status, await (response.json() if is_json else response.text())


def question(password: str) -> dict[str, str]:
    return {"optType": "ReadRealTimeData", "pwd": password}


async def test_answers(build: GroupFactory, served: Profile) -> None:
    group = build(4)
    for unit in group.units:
        module = SimulatedModule(group, unit, served)
        await module.start()
        said = question(module_serial(unit))
        for how in ({"data": said}, {"params": said}):
            status, answer = await ask(module, **how)
            assert status == 200
            assert answer["Information"][2] == unit.serial_number
            assert answer["sn"] == module_serial(unit)
            assert answer["type"] == 19
            read = {
                key: place.field().decode(
                    answer["Data"][place.address : place.address + place.words]
                )
                for key, place in served.module.items()
            }
            told = module_readings(group, unit)
            for key, value in read.items():
                place = served.module[key]
                if place.values is not None:
                    assert place.code(value) == told[key]
                else:
                    expected = told.get(key, 0)
                    assert isinstance(expected, int | float)
                    assert value == pytest.approx(expected, abs=place.scale), key
        await module.stop()


async def test_a_wrong_password_and_another_question(
    build: GroupFactory, served: Profile
) -> None:
    group = build(1)
    module = SimulatedModule(group, group.units[0], served)
    await module.start()
    assert await ask(module, data=question("WRONG")) == (
        200,
        {"code": 403, "message": "failed"},
    )
    assert (await ask(module, data={"optType": "setReg"}))[0] == 404
    await module.stop()


async def test_a_dead_inverter_has_no_readings(
    build: GroupFactory, served: Profile
) -> None:
    group = build(2)
    module = SimulatedModule(group, group.units[1], served)
    await module.start()
    group.inject(group.serial_numbers[1], OFFLINE)
    _, answer = await ask(module, data=question(module.password))
    assert answer["Data"] == []
    assert answer["Information"][2] == group.serial_numbers[1]
    await module.stop()


async def test_it_ends_and_begins_again(build: GroupFactory, served: Profile) -> None:
    group = build(1)
    module = SimulatedModule(group, group.units[0], served)
    assert module.port == 0
    await module.stop()
    await module.start()
    port = module.port
    await module.stop()
    with socket.create_server((HOST, port)) as taken:
        assert taken.getsockname()[1] == port
        again = SimulatedModule(group, group.units[0], served, port)
        with pytest.raises(OSError, match=f"can't listen on 127.0.0.1:{port}"):
            await again.start()


def test_only_for_this_machine(build: GroupFactory, served: Profile) -> None:
    group = build(1)
    with pytest.raises(ValueError, match="not a loopback address"):
        SimulatedModule(group, group.units[0], served, host="0.0.0.0")  # noqa: S104
