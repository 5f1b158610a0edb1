"""The pages that are made of the integration's own tables."""

import pytest

from custom_components.solax_parallel.a1_ess.faults import GUIDE, STEPS, Fault
from custom_components.solax_parallel.a1_ess.profile import (
    Command,
    Register,
    load_profile,
)
from scripts.documentation import FOLDER, PAGES

OURS = "our inference, not the vendor's word"

_MODULE = "\n## Monitoring module\n"


@pytest.mark.parametrize("name", PAGES)
def test_committed_page_is_what_the_command_writes(name: str) -> None:
    page = (FOLDER / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), "run scripts/docs"


@pytest.mark.parametrize("fault", GUIDE.values(), ids=lambda fault: fault.key)
def test_a_fault_is_told_in_full(fault: Fault) -> None:
    page = (FOLDER / "faults.md").read_text(encoding="utf-8")
    (section,) = [
        section
        for section in page.split("\n### ")
        if f"\n- Key: `{fault.key}`\n" in section
    ]
    assert section.startswith(f"{fault.name}\n\n{fault.meaning}\n")
    assert f"- Known from: {fault.grade}" in section
    assert f"- Severity: {fault.severity}" in section
    assert (f": `{fault.vendor_code}`" in section) is (fault.vendor_code is not None)
    assert (OURS in section) is bool(fault.pins)
    for number, step in enumerate(fault.steps, start=1):
        assert f"\n{number}. {STEPS[step]}\n" in section


@pytest.mark.parametrize(
    "register", load_profile().registers.values(), ids=lambda register: register.key
)
def test_a_register_is_told_in_full(register: Register) -> None:
    page = (FOLDER / "register-evidence.md").read_text(encoding="utf-8")
    (window,) = [
        section
        for section in page.partition(_MODULE)[0].split("\n### Window ")
        if section.startswith(f"`{register.window}`\n")
    ]
    address = assert_told(page, window, register)
    assert int(address, 16) == register.address


@pytest.mark.parametrize(
    "place", load_profile().module.values(), ids=lambda place: place.key
)
def test_a_place_in_an_array_is_told_in_full(place: Register) -> None:
    page = (FOLDER / "register-evidence.md").read_text(encoding="utf-8")
    section = page.partition(_MODULE)[2].partition("\n## Commands\n")[0]
    assert assert_told(page, section, place) == str(place.address)


def assert_told(page: str, section: str, register: Register) -> str:
    """Check what a section of the page says of a register, and return where it stands."""
    (row,) = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in section.splitlines()
        if line.startswith(f"| `{register.key}` |")
    ]
    _, place, kind, meaning, grade, source = row
    assert kind.startswith(register.type)
    assert grade == f"`{register.grade}`"
    assert f"- {source} {register.source}\n" in page
    if register.unit is not None:
        assert meaning == f"{register.scale:g} {register.unit}"
    for name in {**(register.values or {}), **(register.bits or {})}.values():
        assert f" {name}" in meaning
    return place


@pytest.mark.parametrize(
    "command", load_profile().commands.values(), ids=lambda command: command.key
)
def test_a_command_is_told_in_full(command: Command) -> None:
    page = (FOLDER / "register-evidence.md").read_text(encoding="utf-8")
    _, _, commands = page.partition("\n## Commands\n")
    (row,) = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in commands.splitlines()
        if line.startswith(f"| `{command.key}` |")
    ]
    _, address, values, confirmed_by, grade, source = row
    assert int(address, 16) == command.address
    assert values == ", ".join(
        f"{code} {name}" for code, name in command.values.items()
    )
    assert confirmed_by == f"`{command.confirmed_by}`"
    assert grade == f"`{command.grade}`"
    assert f"- {source} {command.source}\n" in page
