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
        for section in page.partition("\n## Commands\n")[0].split("\n### Window ")
        if section.startswith(f"`{register.window}`\n")
    ]
    (row,) = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in window.splitlines()
        if line.startswith(f"| `{register.key}` |")
    ]
    _, address, kind, meaning, grade, source = row
    assert int(address, 16) == register.address
    assert kind.startswith(register.type)
    assert grade == f"`{register.grade}`"
    assert f"- {source} {register.source}\n" in page
    if register.unit is not None:
        assert meaning == f"{register.scale:g} {register.unit}"
    for name in {**(register.values or {}), **(register.bits or {})}.values():
        assert f" {name}" in meaning


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
