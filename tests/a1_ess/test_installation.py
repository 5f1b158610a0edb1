"""What follows from how a group is installed."""

from collections.abc import Iterator
from itertools import combinations, permutations

import pytest

from custom_components.solax_parallel.a1_ess.codes import BackupInterfaceType, Role
from custom_components.solax_parallel.a1_ess.installation import (
    broken_segment,
    comm_chain,
    is_wiring_order,
    needs_combiner_box,
    needs_termination,
)

P, S1, S2, S3 = Role.PRIMARY, Role.SECONDARY_1, Role.SECONDARY_2, Role.SECONDARY_3
NONE, BI, BI_PRO = BackupInterfaceType


@pytest.mark.parametrize(
    ("units", "needed"),
    [
        (1, {None: False, NONE: False, BI: False, BI_PRO: False}),
        (2, {None: False, NONE: False, BI: False, BI_PRO: False}),
        (3, {None: None, NONE: False, BI: True, BI_PRO: True}),
        (4, {None: None, NONE: False, BI: True, BI_PRO: True}),
    ],
)
def test_who_needs_a_combiner_box(
    units: int, needed: dict[BackupInterfaceType | None, bool | None]
) -> None:
    assert {kind: needs_combiner_box(units, kind) for kind in needed} == needed


def test_who_needs_a_plug() -> None:
    assert [needs_termination(units) for units in (1, 2, 3, 4)] == [
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("order", "fits"),
    [
        ((S1, S2, S3), True),
        ((S3, S1, S2), True),
        ((S1, S2), False),
        ((S1, S2, S2), False),
        ((S1, S2, P), False),
        ((), False),
    ],
)
def test_an_order_names_each_secondary_once(
    order: tuple[Role, ...], fits: bool
) -> None:
    assert is_wiring_order(order, [S1, S2, S3]) is fits


@pytest.mark.parametrize(
    ("roles", "order", "chain"),
    [
        # Two hang on one cable, in whatever order.
        ([P, S1], None, (P, S1)),
        ([S2, P], None, (P, S2)),
        ([P, Role.SECONDARY], None, (P, Role.SECONDARY)),
        ([P, S1, S2], None, None),
        *(
            ([P, S1, S2, S3], order, (P, *order))
            for order in permutations((S1, S2, S3))
        ),
        ([S2, P, S1], (S2, S1), (P, S2, S1)),
        # An order of other inverters is none of these.
        ([P, S1, S2], (S1, S2, S3), None),
        ([P, S1, S3], (S1, S2), None),
        ([P, S1, S1], (S1, S2), None),
        ([P, S1, Role.SECONDARY], (S1, S2), None),
        # No chain, or none that starts at the one primary.
        ([P], None, None),
        ([Role.STANDALONE], None, None),
        ([S1, S2], (S1, S2), None),
        ([P, P, S1], (S1,), None),
    ],
)
def test_the_order_of_the_chain(
    roles: list[Role],
    order: tuple[Role, ...] | None,
    chain: tuple[Role, ...] | None,
) -> None:
    assert comm_chain(roles, order) == chain


SEGMENTS: dict[tuple[Role, ...], dict[frozenset[Role], tuple[Role, Role]]] = {
    (P, S1): {
        frozenset({S1}): (P, S1),
        # There is only the one cable.
        frozenset({P, S1}): (P, S1),
    },
    (P, S2, S1): {
        frozenset({S1}): (S2, S1),
        frozenset({P, S1}): (S2, S1),
        frozenset({S1, S2}): (P, S2),
    },
    (P, S3, S1, S2): {
        frozenset({S2}): (S1, S2),
        frozenset({P, S2}): (S1, S2),
        frozenset({S1, S2}): (S3, S1),
        frozenset({P, S1, S2}): (S3, S1),
        frozenset({S1, S2, S3}): (P, S3),
    },
}
"""Every pattern of faults that points to one cable."""


def patterns() -> Iterator[tuple[tuple[Role, ...], frozenset[Role]]]:
    """Yield every pattern of faulty inverters on each chain."""
    for chain in SEGMENTS:
        for count in range(len(chain) + 1):
            for faulty in combinations(chain, count):
                yield chain, frozenset(faulty)


@pytest.mark.parametrize(("chain", "faulty"), patterns())
def test_the_cable_between_the_last_sound_and_the_first_faulty_inverter(
    chain: tuple[Role, ...], faulty: frozenset[Role]
) -> None:
    assert broken_segment(chain, faulty) == SEGMENTS[chain].get(faulty)
