"""Which inverters answer on a link."""

from collections.abc import Mapping

from modbus_connection import ModbusConnectionError, ServerDeviceBusyError
import pytest

from custom_components.solax_parallel.a1_ess.codes import (
    ModelType,
    ParallelSetting,
    Role,
)
from custom_components.solax_parallel.a1_ess.inverter import Member
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.registers import RegisterSource
from custom_components.solax_parallel.a1_ess.scan import (
    Answer,
    FoundInverter,
    NoInverter,
    Scan,
    identify,
    scan,
)

from .conftest import MakeDevice, OpenLink, StartServer
from .device import SERIALS, Device, played_by
from .wire import WireServer

ROLES = (Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)


def asked_ids(server: WireServer) -> list[int]:
    """Return the ids that were asked anything, in order."""
    return list(dict.fromkeys(request.unit_id for request in server.requests))


def roles(found: Scan) -> dict[int, Role | NoInverter]:
    """Return what was found behind each id."""
    return {
        unit_id: answer.role if isinstance(answer, FoundInverter) else answer
        for unit_id, answer in found.answers.items()
    }


@pytest.fixture
def devices(make_device: MakeDevice) -> dict[int, Device]:
    """A group of four, by Modbus id."""
    return {n: make_device(role) for n, role in enumerate(ROLES, start=1)}


@pytest.fixture
async def server(start_server: StartServer, devices: dict[int, Device]) -> WireServer:
    """The one line that the group is on."""
    server = await start_server()
    server.default = played_by(devices)
    return server


# --- when it ends ---------------------------------------------------------------------


async def test_it_ends_with_the_last_member(
    server: WireServer, open_link: OpenLink, profile: Profile
) -> None:
    steps: list[Scan] = []

    found = await scan([open_link(server)], profile, progress=steps.append)

    assert roles(found) == dict(enumerate(ROLES, start=1))
    assert found.settled == 0
    assert asked_ids(server) == [1, 2, 3, 4]
    assert [list(step.answers) for step in steps] == [
        [1],
        [1, 2],
        [1, 2, 3],
        [1, 2, 3, 4],
    ]
    assert steps[-1] == found


async def test_it_ends_whatever_the_order_of_the_ids(
    server: WireServer,
    devices: dict[int, Device],
    make_device: MakeDevice,
    open_link: OpenLink,
    profile: Profile,
) -> None:
    devices.clear()
    devices[1] = make_device(Role.SECONDARY_1)
    devices[2] = make_device(Role.PRIMARY, quantity=2)

    found = await scan([open_link(server)], profile)

    assert roles(found) == {1: Role.SECONDARY_1, 2: Role.PRIMARY}
    assert asked_ids(server) == [1, 2]


@pytest.mark.parametrize(
    ("role", "quantity"), [(Role.PRIMARY, 1), (Role.STANDALONE, 4)]
)
async def test_it_ends_with_an_inverter_that_is_alone(
    server: WireServer,
    devices: dict[int, Device],
    make_device: MakeDevice,
    open_link: OpenLink,
    profile: Profile,
    role: Role,
    quantity: int,
) -> None:
    devices[1] = make_device(role, quantity=quantity)

    found = await scan([open_link(server)], profile)

    assert roles(found) == {1: role}
    assert found.inverters[0].unit_quantity == 1


async def test_secondaries_alone_never_are_enough(
    server: WireServer,
    devices: dict[int, Device],
    make_device: MakeDevice,
    open_link: OpenLink,
    profile: Profile,
) -> None:
    devices.clear()
    devices |= {
        n: make_device(Role.SECONDARY_1, serial_number=f"H1000000000{n:03}")
        for n in range(1, 9)
    }

    found = await scan([open_link(server)], profile)

    assert roles(found) == dict.fromkeys(range(1, 9), Role.SECONDARY_1)
    assert {inverter.unit_quantity for inverter in found.inverters} == {None}


async def test_a_quantity_that_is_not_set_never_is_reached(
    server: WireServer,
    devices: dict[int, Device],
    open_link: OpenLink,
    profile: Profile,
) -> None:
    devices[1].say(unit_quantity=0)

    found = await scan([open_link(server)], profile, unit_ids=range(1, 5))

    assert len(found.answers) == 4
    assert found.inverters[0].unit_quantity == 0


async def test_one_inverter_that_answers_for_every_id_counts_once(
    server: WireServer,
    devices: dict[int, Device],
    make_device: MakeDevice,
    open_link: OpenLink,
    profile: Profile,
) -> None:
    """Some monitoring modules take no notice of the id."""
    only = make_device(Role.PRIMARY, quantity=2)
    devices |= dict.fromkeys(range(1, 9), only)

    found = await scan([open_link(server)], profile)

    assert len(found.answers) == 8
    assert [inverter.unit_id for inverter in found.inverters] == [1]


async def test_the_caller_may_have_enough_earlier(
    server: WireServer, open_link: OpenLink, profile: Profile
) -> None:
    found = await scan(
        [open_link(server)],
        profile,
        unit_ids=[3, 2, 1],
        enough=lambda scan: len(scan.inverters) == 2,
    )

    assert roles(found) == {3: Role.SECONDARY_2, 2: Role.SECONDARY_1}


# --- what answers ---------------------------------------------------------------------


async def test_silence_and_other_devices_are_told_apart(
    server: WireServer,
    devices: dict[int, Device],
    make_device: MakeDevice,
    open_link: OpenLink,
    profile: Profile,
) -> None:
    devices.clear()
    devices[2] = make_device()
    devices[2].refuse("identity")
    devices[3] = make_device(serial_number="not an invert")
    devices[5] = make_device(quantity=1)

    found = await scan([open_link(server, timeout=0.2)], profile)

    assert roles(found) == {
        1: NoInverter.SILENT,
        2: NoInverter.OTHER_DEVICE,
        3: NoInverter.OTHER_DEVICE,
        4: NoInverter.SILENT,
        5: Role.PRIMARY,
    }
    # One timeout for a silent id.
    assert [request.unit_id for request in server.requests].count(1) == 1


async def test_nobody_answers(
    server: WireServer,
    devices: dict[int, Device],
    open_link: OpenLink,
    profile: Profile,
) -> None:
    devices.clear()

    found = await scan([open_link(server, timeout=0.2)], profile, unit_ids=[1, 2])

    assert roles(found) == {1: NoInverter.SILENT, 2: NoInverter.SILENT}
    assert found.inverters == ()
    assert found.settled is None


NO_SERIALS = [
    "H1000",
    "h10000000000aa",
    "H1000 000000",
    "H1000000000-AA",
    "\x01\x02\x03",
]


@pytest.mark.parametrize("serial_number", NO_SERIALS)
async def test_a_garbled_serial_number_is_no_inverters(
    make_device: MakeDevice, profile: Profile, serial_number: str
) -> None:
    device = make_device(serial_number=serial_number)

    answer = await identify(1, RegisterSource(device.unit, profile), profile)

    assert answer is NoInverter.OTHER_DEVICE


@pytest.mark.parametrize(
    "serial_number", ["H100000000", "H10000000000AA", "12345678901234"]
)
async def test_a_serial_number_has_ten_to_fourteen_letters_and_digits(
    make_device: MakeDevice, profile: Profile, serial_number: str
) -> None:
    device = make_device(serial_number=serial_number)

    answer = await identify(1, RegisterSource(device.unit, profile), profile)

    assert isinstance(answer, FoundInverter)
    assert answer.identity.serial_number == serial_number


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("rating", [5001]),
        ("rating", [0]),
        ("rating", [0xFFFF]),
        ("parallel_setting", [3]),
    ],
)
async def test_what_says_odd_things_of_itself_is_no_inverter(
    make_device: MakeDevice, profile: Profile, window: str, words: list[int]
) -> None:
    device = make_device()
    device.put("rated_power" if window == "rating" else window, *words)

    answer = await identify(1, RegisterSource(device.unit, profile), profile)

    assert answer is NoInverter.OTHER_DEVICE


@pytest.mark.parametrize("window", ["rating", "parallel_setting"])
async def test_what_refuses_to_say_what_it_is_is_no_inverter(
    make_device: MakeDevice, profile: Profile, window: str
) -> None:
    device = make_device()
    device.refuse(window)

    answer = await identify(1, RegisterSource(device.unit, profile), profile)

    assert answer is NoInverter.OTHER_DEVICE


async def test_nothing_but_zeros_is_another_device(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device()
    device.clear("identity")

    answer = await identify(1, RegisterSource(device.unit, profile), profile)

    assert answer is NoInverter.OTHER_DEVICE


# --- what is known of an inverter -----------------------------------------------------


async def found_behind(device: Device, profile: Profile) -> FoundInverter:
    answer: Answer = await identify(7, RegisterSource(device.unit, profile), profile)
    assert isinstance(answer, FoundInverter)
    return answer


async def test_an_inverter_with_the_extension_is_a_whole_member(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device(Role.SECONDARY_2, model_type="a1_smt_g2", rated_power=5000)

    found = await found_behind(device, profile)

    assert found.unit_id == 7
    assert found.role is Role.SECONDARY_2
    assert found.identity.parallel_setting is ParallelSetting.SLAVE
    assert found.extension is not None
    assert found.system_units is None
    assert found.unit_quantity is None
    assert found.member == Member(
        serial_number=SERIALS[Role.SECONDARY_2],
        unit_id=7,
        role=Role.SECONDARY_2,
        rated_power=5000,
        model_type=ModelType.A1_SMT_G2,
    )


@pytest.mark.parametrize(
    ("role", "documented"),
    [
        (Role.PRIMARY, Role.PRIMARY),
        (Role.SECONDARY_2, Role.SECONDARY),
        (Role.STANDALONE, Role.STANDALONE),
    ],
)
async def test_without_the_extension_the_setting_tells_the_role(
    make_device: MakeDevice, profile: Profile, role: Role, documented: Role
) -> None:
    device = make_device(role)
    device.refuse("extension")

    found = await found_behind(device, profile)

    assert found.role is documented
    assert found.extension is None
    assert found.member.role is documented
    assert found.member.model_type is None


@pytest.mark.parametrize(
    ("words", "quantity"),
    [([1], 1), ([3], 3), ([4], 4), ([5], None), ([0xFFFF], None), ([], None)],
)
async def test_without_the_extension_the_primarys_block_tells_the_quantity(
    make_device: MakeDevice, profile: Profile, words: list[int], quantity: int | None
) -> None:
    device = make_device()
    device.refuse("primary_extension")
    device.say(system_l1_power=100)
    device.put("system_units", *words)

    found = await found_behind(device, profile)

    assert found.unit_quantity == found.system_units == quantity


async def test_nobody_tells_the_quantity(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device()
    device.refuse("primary_extension")
    device.fail("system", ServerDeviceBusyError())

    assert (await found_behind(device, profile)).unit_quantity is None


async def test_an_extension_that_does_not_fit_is_not_believed(
    make_device: MakeDevice, profile: Profile
) -> None:
    device = make_device(Role.SECONDARY_1)
    device.say(role="primary")

    found = await found_behind(device, profile)

    assert found.role is Role.SECONDARY
    assert found.extension is None


# --- several ways to the same place ---------------------------------------------------


async def test_the_line_settings_that_work_are_kept(
    start_server: StartServer,
    devices: dict[int, Device],
    open_link: OpenLink,
    profile: Profile,
) -> None:
    server = await start_server("rtu")
    server.default = played_by(devices)
    wrong = open_link(WireServer("socket", server.port), timeout=0.2)
    right = open_link(server, timeout=1)

    found = await scan([wrong, right], profile)

    assert found.settled == 1
    assert roles(found) == dict(enumerate(ROLES, start=1))
    # The one that did not work was closed before the next was tried, and not tried again.
    assert server.connections == 2
    assert not wrong.connected
    assert right.connected


async def test_a_link_that_cannot_be_opened_is_an_error(
    server: WireServer, open_link: OpenLink, profile: Profile
) -> None:
    await server.stop()

    with pytest.raises(ModbusConnectionError):
        await scan([open_link(server)], profile)
    await server.start()


def test_a_scan_that_has_not_begun_found_nothing() -> None:
    nothing: Mapping[int, Answer] = {}

    assert Scan().answers == nothing
    assert Scan().inverters == ()
