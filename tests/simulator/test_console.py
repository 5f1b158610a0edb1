"""What can be typed to a group."""

import pytest

from custom_components.solax_parallel.simulator.console import obey

from .conftest import GroupFactory


def test_commands_do_what_they_say(build: GroupFactory) -> None:
    """Each changes the group and answers with what it changed."""
    group = build(3)
    assert obey(group, "fault 2 parallel_rs485_fault\n") == (
        "unit 2 (secondary_1): parallel_rs485_fault"
    )
    assert obey(group, "  offline   3 ") == "unit 3 (secondary_2): offline"
    assert [group.injected(serial) for serial in group.serial_numbers] == [
        "none",
        "parallel_rs485_fault",
        "offline",
    ]
    assert obey(group, "clear 2") == "unit 2 (secondary_1): none"
    assert group.injected(group.serial_numbers[1]) == "none"
    assert obey(group, "grid open") == "main breaker: open"
    assert not group.grid_closed
    assert obey(group, "grid close") == "main breaker: closed"
    assert group.grid_closed


@pytest.mark.parametrize("line", ["help", "", "\n"])
def test_help_names_every_command_and_fault(build: GroupFactory, line: str) -> None:
    """So does an empty line."""
    group = build(3)
    answer = obey(group, line)
    for word in (
        "fault UNIT FAULT",
        "offline UNIT",
        "clear UNIT",
        "grid open|close",
        "1-3",
    ):
        assert word in answer
    for fault in group.injectable[1:-1]:
        assert fault in answer


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("reboot", "unknown command 'reboot'; commands: fault"),
        ("fault 2", "usage: fault UNIT FAULT"),
        ("fault 2 fan fan", "usage: fault UNIT FAULT"),
        ("fault 2 bad_mood", "'bad_mood' can't be injected"),
        ("fault 4 fan", "no unit '4'; units: 1-3"),
        ("offline", "usage: offline UNIT"),
        ("clear two", "no unit 'two'; units: 1-3"),
        ("grid", "usage: grid open"),
        ("grid ajar", "usage: grid open"),
    ],
)
def test_nonsense_is_refused(build: GroupFactory, line: str, reason: str) -> None:
    """With a sentence that helps, and without effect."""
    group = build(3)
    with pytest.raises(ValueError, match=reason.replace("|", r"\|")):
        obey(group, line)
    assert {group.injected(serial) for serial in group.serial_numbers} == {"none"}
    assert group.grid_closed
