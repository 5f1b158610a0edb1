"""What a dead inverter costs those that share its link, measured on the wire."""

from itertools import pairwise

import pytest

from custom_components.solax_parallel.a1_ess.inverter import REST
from custom_components.solax_parallel.a1_ess.inverter_state import Presence
from custom_components.solax_parallel.const import (
    DEFAULT_SCAN_INTERVAL,
    DEFAULT_TIMEOUT,
)
from tests.a1_ess.wire import (
    READ_HOLDING,
    READ_INPUT,
    Behaviour,
    Exchange,
    Request,
    answer,
    silence,
)

from .conftest import BuildSite
from .site import Layout, Site

DEAD = 2
"""The unit id of the one that dies."""

SLACK = 2.0
"""Seconds that this machine may add to a poll."""

shared_links = pytest.mark.parametrize(
    "layout", [Layout.ONE_LINK, Layout.RTU_OVER_TCP, Layout.SERIAL]
)


def unless_dead(behaviour: Behaviour) -> Behaviour:
    """Answer for all but one inverter."""

    async def behave(exchange: Exchange) -> None:
        dead = exchange.request.unit_id == DEAD
        await (behaviour if dead else answer)(exchange)

    return behave


async def polled(site: Site) -> tuple[float, list[Request]]:
    """Poll once; return how many seconds it took, and what the dead inverter was asked."""
    (server,) = site.servers
    server.requests.clear()
    took = await site.poll()
    return took, [each for each in server.requests if each.unit_id == DEAD]


def is_probe(request: Request) -> bool:
    """Return whether a request asks for the serial number."""
    return (request.function, request.address) == (READ_HOLDING, 0)


@pytest.mark.timed
@shared_links
async def test_a_dead_inverter_costs_the_others_one_timeout_a_minute(
    build_site: BuildSite, layout: Layout
) -> None:
    site = await build_site(layout)
    assert await site.set_up()
    usual = max([(await polled(site))[0] for _ in range(3)])
    site.servers[0].default = unless_dead(silence)

    begun = site.time()
    polls = []
    while site.time() - begun < 4 * REST:
        at = site.time() - begun
        took, asked = await polled(site)
        polls.append((at, took, asked))
        others = [state for state in site.states.values() if state.serial_number]
        assert [state.heard for state in others] == [True, False, True, True]
        assert not any(state.failures for state in others if state.heard)

    # Noticed with the first request, and confirmed with two more.
    assert [
        [(each.function, each.address) for each in asked] for _, _, asked in polls[:3]
    ] == [[(READ_INPUT, 0)], [(READ_HOLDING, 0)], [(READ_HOLDING, 0)]]
    # Then it is left alone but for one question a minute: who are you?
    probes = [at for at, _, asked in polls[3:] if asked]
    assert all(len(asked) <= 1 for _, _, asked in polls)
    assert all(is_probe(each) for _, _, asked in polls[3:] for each in asked)
    assert len(probes) == 3
    assert all(later - earlier >= REST for earlier, later in pairwise(probes))
    # And the others feel no more of it than the timeout of that question.
    for _, took, asked in polls:
        assert took < usual + SLACK + (DEFAULT_TIMEOUT if asked else 0)


@pytest.mark.timed
@shared_links
async def test_only_the_inverter_itself_brings_it_back(
    build_site: BuildSite, layout: Layout
) -> None:
    site = await build_site(layout)
    assert await site.set_up()
    serial = site.group.serial_numbers[DEAD - 1]
    (server,) = site.servers

    async def stranger(exchange: Exchange) -> None:
        words = exchange.words
        if is_probe(exchange.request):
            words[0] ^= 0x0001
        await exchange.send(exchange.reply(words))

    for behaviour, presence in (
        (silence, Presence.RESTING),
        (stranger, Presence.OTHER_SERIAL),
        (answer, Presence.HEARD),
    ):
        server.default = unless_dead(behaviour)
        for _ in range(2 + int(REST / DEFAULT_SCAN_INTERVAL)):
            _, asked = await polled(site)
            if presence is Presence.OTHER_SERIAL:
                assert all(map(is_probe, asked)), "nothing else is asked of a stranger"
        assert site.states[serial].presence is presence
        assert bool(site.states[serial].readings) is (presence is Presence.HEARD)


@pytest.mark.timed
async def test_with_one_that_comes_back_the_others_on_its_link_are_tried_too(
    build_site: BuildSite,
) -> None:
    site = await build_site(Layout.ONE_LINK)
    assert await site.set_up()
    (server,) = site.servers
    server.default = silence
    for _ in range(5):
        await site.poll()
    assert {state.presence for state in site.states.values()} == {Presence.RESTING}

    server.default = answer
    back = []
    for _ in range(8):
        await site.poll()
        back.append(sum(state.heard for state in site.states.values()))
    # The first is asked when its minute is over, the others at the latest in the poll after.
    first = next(polls for polls, heard in enumerate(back) if heard)
    assert back[first + 1 :] == [4] * (7 - first)
