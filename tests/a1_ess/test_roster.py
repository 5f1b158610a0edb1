"""From inverters that answered to the members of one group."""

import pytest

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.identity import Identity
from custom_components.solax_parallel.a1_ess.roster import (
    Placed,
    Refusal,
    Roster,
    RosterError,
)
from custom_components.solax_parallel.a1_ess.scan import FoundInverter

HERE, THERE = "here", "there"


def inverter(
    role: Role, serial: str | None = None, unit_id: int = 1, quantity: int | None = None
) -> FoundInverter:
    """Return what was found; its serial number is made from its role if none is given."""
    return FoundInverter(
        unit_id=unit_id,
        identity=Identity(serial_number=serial or role.upper(), factory_name="Solax"),
        role=role,
        system_units=quantity,
    )


PRIMARY = inverter(Role.PRIMARY, quantity=4)
FIRST, SECOND, THIRD = (
    inverter(role, unit_id=n)
    for n, role in enumerate(
        (Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3), start=2
    )
)


def test_units_come_in_the_order_of_their_roles() -> None:
    roster: Roster[str] = Roster()

    roster.add([THIRD, FIRST], THERE)
    roster.add([PRIMARY], HERE)

    assert roster.units == [
        Placed(PRIMARY, HERE),
        Placed(FIRST, THERE),
        Placed(THIRD, THERE),
    ]
    assert roster.primary == Placed(PRIMARY, HERE)
    assert roster.unit_quantity == 4
    assert roster.missing == (Role.SECONDARY_2,)


@pytest.mark.parametrize(
    ("found", "quantity", "missing"),
    [
        ([], 1, ()),
        ([], 2, (Role.SECONDARY_1,)),
        ([], 4, (Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3)),
        ([SECOND], 2, ()),
        ([SECOND], 3, (Role.SECONDARY_1,)),
        ([FIRST, SECOND, THIRD], 4, ()),
        ([FIRST, SECOND], 2, ()),
        # Without a number it may be any of them.
        ([inverter(Role.SECONDARY)], 3, (Role.SECONDARY_1,)),
        ([], None, ()),
    ],
)
def test_the_secondaries_that_were_not_found_are_missing(
    found: list[FoundInverter], quantity: int | None, missing: tuple[Role, ...]
) -> None:
    roster: Roster[str] = Roster()
    roster.add([inverter(Role.PRIMARY, quantity=quantity), *found], HERE)

    assert roster.missing == missing
    assert roster.size == max(len(found) + 1, quantity or 0)
    assert roster.backup_interface is None, "nobody told"


def test_an_inverter_found_again_in_its_place_is_taken_anew() -> None:
    roster: Roster[str] = Roster()
    roster.add([PRIMARY, FIRST], HERE)
    changed = inverter(Role.PRIMARY, quantity=2)

    roster.add([changed], HERE)

    assert roster.units == [Placed(changed, HERE), Placed(FIRST, HERE)]


@pytest.mark.parametrize(
    ("found", "link", "refusal"),
    [
        ([FIRST], THERE, Refusal.SAME_SERIAL),
        (
            [inverter(Role.SECONDARY_1, unit_id=9)],
            HERE,
            Refusal.SAME_SERIAL,
        ),
        ([inverter(Role.PRIMARY, "OTHER")], THERE, Refusal.TWO_PRIMARIES),
        ([inverter(Role.STANDALONE, "OTHER")], THERE, Refusal.TWO_PRIMARIES),
        (
            [SECOND, THIRD, inverter(Role.SECONDARY, "OTHER")],
            THERE,
            Refusal.TOO_MANY_UNITS,
        ),
    ],
)
def test_what_is_refused_changes_nothing(
    found: list[FoundInverter], link: str, refusal: Refusal
) -> None:
    roster: Roster[str] = Roster()
    roster.add([PRIMARY, FIRST], HERE)

    with pytest.raises(RosterError) as caught:
        roster.add(found, link)

    assert caught.value.refusal is refusal
    assert roster.units == [Placed(PRIMARY, HERE), Placed(FIRST, HERE)]


def test_what_was_found_earlier_gives_way() -> None:
    roster: Roster[str] = Roster()
    roster.add([PRIMARY, FIRST], HERE)

    roster.keep([Placed(FIRST, THERE), Placed(SECOND, THERE)])
    kept = [Placed(PRIMARY, HERE), Placed(FIRST, HERE), Placed(SECOND, THERE)]
    assert roster.units == kept

    roster.keep([Placed(THIRD, THERE), Placed(inverter(Role.SECONDARY), THERE)])
    assert roster.units == kept


def test_a_whole_group_keeps_nobody_besides() -> None:
    roster: Roster[str] = Roster()
    whole = [inverter(Role.PRIMARY, quantity=2), FIRST]
    roster.add(whole, HERE)
    roster.keep([Placed(inverter(Role.SECONDARY_1, "OTHER"), THERE)])
    assert [unit.found for unit in roster.units] == whole


def test_a_group_needs_a_primary_with_a_quantity() -> None:
    roster: Roster[str] = Roster()
    roster.add([FIRST], HERE)
    with pytest.raises(RosterError) as caught:
        _ = roster.primary
    assert caught.value.refusal is Refusal.NO_PRIMARY

    roster.add([inverter(Role.PRIMARY, quantity=0)], HERE)
    with pytest.raises(RosterError) as caught:
        _ = roster.missing
    assert caught.value.refusal is Refusal.QUANTITY_ZERO


def test_an_inverter_that_is_alone_is_whole() -> None:
    roster: Roster[str] = Roster()
    roster.add([inverter(Role.STANDALONE)], HERE)

    assert roster.unit_quantity == 1
    assert roster.missing == ()
