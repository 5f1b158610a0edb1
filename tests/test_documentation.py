"""The pages that are made of the integration's own tables."""

from collections.abc import Iterator, Mapping
import re
from typing import Any

import pytest

from custom_components.solax_parallel.a1_ess.faults import GUIDE, Fault
from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.a1_ess.register import Command, Register
from custom_components.solax_parallel.a1_ess.totals import TOTALS
from custom_components.solax_parallel.const import MODBUS, MODULE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from scripts.documentation import FOLDER, PAGES
from scripts.documentation.entities import MEANINGS, meaning_of
from scripts.documentation.messages import MORE

from .conftest import AddSimulated
from .contract import Entity, entities_of
from .groups import CONTROLLED, QUICK, set_up
from .texts import TEXTS

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
    names, meanings, steps = (
        TEXTS["selector"][selector]["options"]
        for selector in ("fault", "fault_meaning", "fault_step")
    )
    assert section.startswith(f"{names[fault.key]}\n\n{meanings[fault.key]}\n")
    assert f"- Known from: {fault.grade}" in section
    assert f"- Severity: {fault.severity}" in section
    assert (f": `{fault.vendor_code}`" in section) is (fault.vendor_code is not None)
    assert (OURS in section) is bool(fault.pins)
    for number, step in enumerate(fault.steps, start=1):
        assert f"\n{number}. {steps[step]}\n" in section


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


# --- entities --------------------------------------------------------------------------------------


def entity_rows() -> dict[str, list[str]]:
    """Return the cells of each row on the page about entities, by entity id."""
    page = (FOLDER / "entities.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith("|") and "`" in line
    ]
    return {row[1].strip("`"): row for row in rows}


async def test_entity_ids_are_those_of_a_new_group(
    hass: HomeAssistant, add_simulated: AddSimulated
) -> None:
    found: set[str] = set()
    for options, interface in (
        (QUICK, MODBUS),
        (CONTROLLED, MODBUS),
        (QUICK, MODULE),
    ):
        entry = add_simulated(units=2, options=options, interface=interface)
        assert await set_up(hass, entry)
        found |= {
            entity.entity_id
            for entity in er.async_entries_for_config_entry(
                er.async_get(hass), entry.entry_id
            )
        }
        assert await hass.config_entries.async_remove(entry.entry_id)
    page = entity_rows()
    assert page.keys() <= found
    others = re.compile(r"\w+\.(secondary_inverter_1|bi_pro_smart_load_[2-6])_")
    assert {each for each in found if not others.match(each)} == page.keys()


def test_every_named_entity_is_on_the_page() -> None:
    names = {
        (platform, texts["name"])
        for platform, entities in TEXTS["entity"].items()
        for texts in entities.values()
    }
    assert {
        (entity_id.partition(".")[0], row[0])
        for entity_id, row in entity_rows().items()
    } == names


def contract() -> dict[str, Entity]:
    groups = [
        entities_of(("P", "S"), simulated=True, through_modules=through_modules)
        for through_modules in (False, True)
    ]
    return {
        unique_id.removeprefix(f"{device}_"): entity
        for group in groups
        for device, entities in group.items()
        for unique_id, entity in entities.items()
    }


def test_what_a_name_and_a_unit_do_not_say_is_explained() -> None:
    assert [
        key
        for key, entity in contract().items()
        if entity.unit is None and not meaning_of(key, of_group=False)
    ] == []


def test_nothing_is_explained_that_is_not_there() -> None:
    assert {key.removeprefix("group_") for key in MEANINGS} - contract().keys() == set()


# --- messages --------------------------------------------------------------------------------------


def texts_in(branch: Mapping[str, Any]) -> Iterator[str]:
    """Yield every text of a branch of the translations."""
    for value in branch.values():
        if isinstance(value, str):
            yield value
        else:
            yield from texts_in(value)


def test_every_message_is_on_the_page() -> None:
    page = (FOLDER / "messages.md").read_text(encoding="utf-8")
    plain = page.replace("*[", "{").replace("]*", "}")
    messages = [
        *TEXTS["config"]["error"].values(),
        *TEXTS["config"]["abort"].values(),
        *TEXTS["options"]["error"].values(),
        *(each["message"] for each in TEXTS["exceptions"].values()),
        *texts_in(TEXTS["issues"]),
        *(
            text
            for selector in ("transfer_test", "transfer_failure", "register_problem")
            for text in texts_in(TEXTS["selector"][selector])
        ),
    ]
    lines = [line for message in messages for line in message.splitlines()]
    assert [line for line in lines if line not in plain] == []


def test_nothing_is_added_to_a_message_that_is_not_there() -> None:
    keys = {*TEXTS["config"]["error"], *TEXTS["config"]["abort"], *TEXTS["exceptions"]}
    assert MORE.keys() <= keys


@pytest.mark.parametrize("key", TOTALS)
def test_a_total_is_told_in_full(key: str) -> None:
    page = (FOLDER / "totals.md").read_text(encoding="utf-8")
    (row,) = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith(f"| `{key}` |")
    ]
    _, unit, rule, sources, reason = row
    total = TOTALS[key]
    assert (unit, rule, reason) == (total.unit, total.rule, total.reason)
    assert sources.replace("`", "").split(", ") == list(total.sources)
    assert f"\n- *{total.rule}*: " in page
