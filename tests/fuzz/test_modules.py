"""Whatever a monitoring module answers: nothing breaks, and only what counts is taken for readings."""

from http import HTTPStatus
import json
from random import Random
from typing import override
from unittest.mock import Mock

from aiohttp import ClientSession

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.inverter import Inverter, Member
from custom_components.solax_parallel.a1_ess.module import Module, ModuleAnswer, _read
from custom_components.solax_parallel.a1_ess.module_source import ModuleSource
from custom_components.solax_parallel.a1_ess.profile import load_profile
from tests.a1_ess.conftest import Clock
from tests.a1_ess.modules import PASSWORD, SERIAL, saying

from .mutation import mutated_bytes, mutated_content


class ToldModule(Module):
    """A module that has just answered."""

    status: int = HTTPStatus.OK
    content = b""

    @override
    async def answer(self) -> ModuleAnswer:
        return _read(self.status, self.content)


async def test_no_answer_of_a_module_breaks_a_poll(random: Random, inputs: int) -> None:
    profile, clock = load_profile(), Clock()
    module = ToldModule(Mock(ClientSession), "127.0.0.1", 80, PASSWORD, pacing=0)
    member = Member(serial_number=SERIAL, unit_id=None, role=Role.STANDALONE)
    inverter = Inverter(member, profile, ModuleSource(module, profile), clock=clock)
    sound = {"code": 0, **saying({80: 0, 81: 0, 82: 1})}
    heard = 0
    for number in range(inputs):
        module.status = random.choice((200, 200, 200, 200, 404, 403, 204))
        if number % 2:
            envelope = {key: told for key, told in sound.items() if key != "Data"}
            said = mutated_content(random, envelope)
            if isinstance(said, dict):
                said["Data"] = sound["Data"]
            module.content = json.dumps(said).encode()
        else:
            module.content = mutated_bytes(random, json.dumps(sound).encode())
        clock.move(70)
        state = await inverter.poll()
        heard += state.heard
        assert state.other_serial is None or state.other_serial.isascii()
    assert 0 < heard < inputs
