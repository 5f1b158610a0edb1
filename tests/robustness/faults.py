"""What can be wrong with a wire, as data."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.a1_ess.wire import (
    READ_INPUT,
    Behaviour,
    Exchange,
    after_noise,
    answer,
    closed_after,
    flipped,
    from_another_unit,
    late,
    noise,
    refused,
    reset,
    silence,
    stalled_after,
    twice,
    unnumbered,
    with_another_function,
    with_another_transaction,
    with_unknown_function,
)

from .site import TIMEOUT, Layout

TCP = (Layout.ONE_LINK, Layout.LINK_EACH)
RTU = (Layout.RTU_OVER_TCP, Layout.SERIAL)
EVERYWHERE = (*TCP, *RTU)

_WHOLE = 260
"""The most bytes that a reply has."""


@dataclass(frozen=True)
class Fault:
    """One way in which a wire fails.

    ``behaviour`` is what becomes of each request to the inverters that are hit: one secondary, or
    with ``whole_link`` all that share its link. None stops the server instead. ``pace`` is in how many
    seconds the other inverters of the link answer meanwhile. ``timeouts`` is what a poll of one inverter
    that is hit may cost the others. What is ``intermittent`` comes and goes by itself.
    """

    name: str
    behaviour: Behaviour | None
    layouts: tuple[Layout, ...] = EVERYWHERE
    whole_link: bool = False
    pace: float = 0
    timeouts: float = 1
    intermittent: bool = False


def _registers(change: Callable[[list[int]], list[int]]) -> Behaviour:
    """Answer in a sound frame with other registers than there are."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(exchange.reply(change(exchange.words)))

    return behave


def _one_window(first: int, behaviour: Behaviour) -> Behaviour:
    """Misbehave for the readings from one address on, and answer for the others."""

    async def behave(exchange: Exchange) -> None:
        request = exchange.request
        hit = request.function == READ_INPUT and request.address == first
        await (behaviour if hit else answer)(exchange)

    return behave


def _zeros(words: list[int]) -> list[int]:
    return [0] * len(words)


def _at_random(*behaviours: Behaviour) -> Behaviour:
    random = Random(7)  # noqa: S311

    async def behave(exchange: Exchange) -> None:
        await random.choice(behaviours)(exchange)

    return behave


def _one_after_the_other(*behaviours: Behaviour) -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        for behaviour in behaviours:
            await behaviour(exchange)

    return behave


def _flip_somewhere() -> Behaviour:
    random = Random(7)  # noqa: S311

    async def behave(exchange: Exchange) -> None:
        bits = 8 * (len(exchange.pdu(exchange.words)))
        await flipped(random.randrange(bits))(exchange)

    return behave


def _wrong_checksum(exchange: Exchange) -> Any:
    frame = bytearray(exchange.reply())
    frame[-1] ^= 0x40
    return exchange.send(bytes(frame))


async def _short_reply_of_another(exchange: Exchange) -> None:
    """Deliver what another master on the same line was answered."""
    words = [0x0101] * (exchange.request.count % 7 + 1)
    await exchange.send(exchange.frame(exchange.pdu(words), transaction=0x1234))


def _busy_gateway(code: int) -> Behaviour:
    async def behave(exchange: Exchange) -> None:
        await asyncio.sleep(TIMEOUT / 3)
        await refused(code)(exchange)

    return behave


FAULTS = (
    Fault("silence", silence),
    Fault("the whole link silent", silence, whole_link=True),
    Fault("refused", None, whole_link=True),
    Fault("reset at every request", reset, whole_link=True),
    Fault("closed before every reply", closed_after(0), whole_link=True),
    Fault("closed in the middle of every reply", closed_after(20), whole_link=True),
    Fault("closed when one inverter is asked", closed_after(0)),
    Fault(
        "closed after every reply",
        closed_after(_WHOLE),
        # There is no gateway at a serial port that could close anything.
        (*TCP, Layout.RTU_OVER_TCP),
        whole_link=True,
    ),
    Fault("half a reply, then nothing", stalled_after(20)),
    Fault("one register too few", _registers(lambda words: words[:-1])),
    Fault("one register too many", _registers(lambda words: [*words, 0])),
    Fault("no registers", _registers(lambda words: [])),
    Fault("wrong transaction id", with_another_transaction, TCP),
    Fault("transaction id 0", unnumbered, TCP),
    Fault("wrong function", with_another_function),
    Fault("unknown function", with_unknown_function),
    Fault("wrong unit id", from_another_unit),
    Fault("late, in time for the next request", late(TIMEOUT * 1.1), pace=TIMEOUT / 5),
    Fault("twice at once", twice(0)),
    Fault("twice, in time for the next request", twice(TIMEOUT / 10), pace=TIMEOUT / 5),
    Fault("garbage", noise(bytes(range(250, 5, -3)))),
    Fault("zeros for bytes", noise(bytes(90))),
    Fault("garbage before every reply", after_noise(b"\x00\xff\x7f"), RTU),
    Fault("wrong checksum", _wrong_checksum, RTU),
    Fault("one bit flipped in every frame", _flip_somewhere(), RTU),
    *(Fault(f"exception {code}", refused(code)) for code in (1, 2, 3, 4, 5, 6)),
    *(
        Fault(f"exception {code}, from a gateway that waits", _busy_gateway(code))
        for code in (6, 10, 11)
    ),
    Fault(
        "between 0 and 5 s for every reply",
        _at_random(*(late(TIMEOUT * tenth / 6) for tenth in range(11))),
        timeouts=9,
        intermittent=True,
    ),
    Fault(
        "every third request lost",
        _at_random(answer, answer, silence),
        intermittent=True,
    ),
    Fault(
        "a second master that throws us out",
        _at_random(answer, answer, answer, closed_after(0)),
        whole_link=True,
        intermittent=True,
    ),
    Fault(
        "a second master whose replies we get",
        _one_after_the_other(_short_reply_of_another, answer),
        whole_link=True,
    ),
    Fault("zeros in every register", _registers(_zeros)),
    Fault(
        "ones in every register",
        _registers(lambda words: [0xFFFF] * len(words)),
    ),
    Fault(
        "zeros in the live readings",
        _one_window(0, _registers(_zeros)),
    ),
    Fault(
        "zeros in the legs",
        _one_window(0x6A, _registers(_zeros)),
    ),
    Fault(
        "zeros in the extension",
        _one_window(0x300, _registers(_zeros)),
    ),
    Fault("the legs silent", _one_window(0x6A, silence)),
    Fault("the legs busy, told late", _one_window(0x6A, _busy_gateway(6))),
    Fault("the extension refused", _one_window(0x300, refused(2))),
)
