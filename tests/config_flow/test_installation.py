"""What only the owner knows: asked where it applies, and never twice."""

from collections.abc import Mapping
from typing import Any

import pytest

from custom_components.solax_parallel.const import CONF_UNITS
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from tests.config_flow.conftest import Serve, make_group
from tests.config_flow.walk import Walk
from tests.groups import Pokes, entity_id, is_loaded, state

READINGS, MODEL_TYPE, BACKUP_INTERFACE = 4, 0x0300, 0x0307
NOT_SERVED: Pokes = {(1, READINGS, MODEL_TYPE): 99}
"""The primary's extension can't be believed, so it tells of no backup interface."""

POLLING = {"scan_interval": 10, "message_spacing": 0, "timeout": 1}
POLLED = {
    **POLLING,
    "allow_control": False,
    "minimum_switch_time": 60,
    "require_complete": False,
}
KEPT = {"combiner_box": "yes", "termination": "no"}


def told(kind: int) -> Pokes:
    """Let the primary tell of a backup interface: 0 none, 1 BI, 2 BI PRO."""
    return {(1, READINGS, BACKUP_INTERFACE): kind}


def fields(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return each field of a form with what it is filled with; a section's are in it."""
    return {
        str(key): (
            fields({"data_schema": field.schema})
            if isinstance(field, section)
            else (key.description or {}).get("suggested_value")
        )
        for key, field in result["data_schema"].schema.items()
    }


async def found(hass: HomeAssistant, serve: Serve, units: int, pokes: Pokes) -> Walk:
    """Walk to where the group is shown."""
    server = await serve(make_group(units), pokes=pokes)
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=server.port)
    assert walk.step == "confirm"
    return walk


async def added(
    hass: HomeAssistant, serve: Serve, units: int, pokes: Pokes, **answers: str
) -> ConfigEntry:
    """Add a group whose owner answers."""
    walk = await found(hass, serve, units, pokes)
    await walk.submit(**answers)
    await hass.async_block_till_done()
    entry: ConfigEntry = walk.entry
    return entry


@pytest.mark.parametrize(
    ("units", "pokes", "asked"),
    [
        (1, told(2), set()),
        (1, NOT_SERVED, {"backup_interface"}),
        (2, told(1), {"termination"}),
        (2, NOT_SERVED, {"backup_interface", "termination"}),
        (3, told(0), {"termination"}),
        (3, told(1), {"combiner_box", "termination"}),
        (4, told(2), {"combiner_box", "termination"}),
        # Whether there may be a box depends on an answer.
        (4, NOT_SERVED, {"backup_interface", "termination"}),
    ],
)
async def test_only_what_applies_and_nobody_tells_is_asked(
    hass: HomeAssistant, serve: Serve, units: int, pokes: Pokes, asked: set[str]
) -> None:
    walk = await found(hass, serve, units, pokes)
    assert fields(walk.result) == dict.fromkeys(asked)
    await walk.submit()
    assert len(walk.entry.data[CONF_UNITS]) == units
    assert walk.entry.options == {}


async def test_answers_are_remembered_and_count(
    hass: HomeAssistant, serve: Serve
) -> None:
    entry = await added(hass, serve, 3, told(2), combiner_box="no", termination="yes")
    assert entry.options == {"combiner_box": "no", "termination": "yes"}
    group = f"{entry.unique_id}_group"
    assert state(hass, f"{group}_check_combiner_box").state == "on"
    assert state(hass, f"{group}_check_termination").state == "off"
    assert state(hass, f"{group}_readiness").state == "warnings"


async def test_one_answer_leads_to_another_question(
    hass: HomeAssistant, serve: Serve
) -> None:
    walk = await found(hass, serve, 3, NOT_SERVED)
    await walk.submit(backup_interface="bi", termination="no")
    assert walk.step == "confirm"
    assert fields(walk.result) == {
        "backup_interface": "bi",
        "combiner_box": None,
        "termination": "no",
    }
    assert "| 120 ohm plug in the last secondary | **Failed** |" in walk.texts["checks"]
    await walk.submit(backup_interface="bi", combiner_box="yes", termination="no")
    assert walk.entry.options == {
        "backup_interface": "bi",
        "combiner_box": "yes",
        "termination": "no",
    }


@pytest.mark.parametrize("answer", ["none", "bi", None])
async def test_second_thoughts(
    hass: HomeAssistant, serve: Serve, answer: str | None
) -> None:
    walk = await found(hass, serve, 3, NOT_SERVED)
    await walk.submit(backup_interface="bi_pro")
    typed = {} if answer is None else {"backup_interface": answer}
    await walk.submit(**typed)
    assert walk.entry.options == typed


async def test_no_box_is_asked_for_without_a_backup_interface(
    hass: HomeAssistant, serve: Serve
) -> None:
    entry = await added(hass, serve, 3, NOT_SERVED, backup_interface="none")
    assert entry.options == {"backup_interface": "none"}
    group = f"{entry.unique_id}_group"
    assert state(hass, f"{group}_check_combiner_box").state == "off"


async def test_reconfiguring_asks_again_and_keeps_the_rest(
    hass: HomeAssistant, serve: Serve
) -> None:
    entry = await added(hass, serve, 3, told(2), **KEPT)
    order = ["secondary_2", "secondary_1"]
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, **POLLED, "wiring_order": order}
    )
    server = await serve(make_group(3))
    walk = await Walk.reconfigure(hass, entry.entry_id, "tcp")
    await walk.submit(host="127.0.0.1", port=server.port)
    assert fields(walk.result) == KEPT
    assert "| 120 ohm plug in the last secondary | **Failed** |" in walk.texts["checks"]
    await walk.submit(combiner_box="no")
    assert walk.result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.options == {**POLLED, "wiring_order": order, "combiner_box": "no"}


# --- the options ----------------------------------------------------------------------


async def opened(hass: HomeAssistant, entry: ConfigEntry) -> Any:
    """Open the options."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.FORM
    return result


async def submitted(hass: HomeAssistant, result: Any, **typed: Any) -> Any:
    """Fill in the options' form; what is not given is left open."""
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {**POLLING, **typed}
    )
    await hass.async_block_till_done()
    return result


def questions(result: Any) -> dict[str, Any]:
    """Return what the options ask beside the pace of polling and the smart loads."""
    beside = {*POLLED, "smart_loads"}
    return {key: value for key, value in fields(result).items() if key not in beside}


NOWHERE = {"first": None, "second": None}


@pytest.mark.parametrize(
    ("units", "pokes", "asked"),
    [
        (1, told(2), {}),
        (2, told(2), {"termination": None}),
        (3, told(0), {"termination": None, "wiring_order": NOWHERE}),
        (
            4,
            NOT_SERVED,
            {
                "backup_interface": None,
                "termination": None,
                "wiring_order": {**NOWHERE, "third": None},
            },
        ),
    ],
)
async def test_the_options_ask_what_applies(
    hass: HomeAssistant,
    serve: Serve,
    units: int,
    pokes: Pokes,
    asked: dict[str, Any],
) -> None:
    entry = await added(hass, serve, units, pokes)
    result = await opened(hass, entry)
    assert questions(result) == asked
    await submitted(hass, result)
    assert entry.options == POLLED
    assert is_loaded(entry)


async def test_answers_can_be_changed_and_taken_back(
    hass: HomeAssistant, serve: Serve
) -> None:
    entry = await added(hass, serve, 3, told(2), **KEPT)
    order = {"first": "secondary_2", "second": "secondary_1"}
    result = await opened(hass, entry)
    assert questions(result) == {**KEPT, "wiring_order": NOWHERE}
    await submitted(hass, result, combiner_box="no", wiring_order=order)
    assert entry.options == {
        **POLLED,
        "combiner_box": "no",
        "wiring_order": ["secondary_2", "secondary_1"],
    }
    result = await opened(hass, entry)
    assert questions(result) == {
        "combiner_box": "no",
        "termination": None,
        "wiring_order": order,
    }
    await submitted(hass, result, wiring_order={})
    assert entry.options == POLLED


@pytest.mark.parametrize(
    "places",
    [
        {"first": "secondary_1"},
        {"second": "secondary_1"},
        {"first": "secondary_2", "second": "secondary_2"},
    ],
)
async def test_an_order_that_is_none(
    hass: HomeAssistant, serve: Serve, places: dict[str, str]
) -> None:
    entry = await added(hass, serve, 3, told(2))
    result = await opened(hass, entry)
    result = await submitted(hass, result, termination="yes", wiring_order=places)
    assert result["errors"] == {"base": "wiring_order"}
    # Nothing that was entered is lost.
    assert questions(result) == {
        "combiner_box": None,
        "termination": "yes",
        "wiring_order": NOWHERE | places,
    }
    places = {"first": "secondary_2", "second": "secondary_1"}
    await submitted(hass, result, termination="yes", wiring_order=places)
    assert entry.options == {
        **POLLED,
        "termination": "yes",
        "wiring_order": ["secondary_2", "secondary_1"],
    }


async def test_an_order_is_taken_by_its_places(
    hass: HomeAssistant, serve: Serve
) -> None:
    entry = await added(hass, serve, 3, told(2))
    # Fields arrive in the order in which they were filled in.
    order = {"second": "secondary_1", "first": "secondary_2"}
    await submitted(hass, await opened(hass, entry), wiring_order=order)
    assert entry.options["wiring_order"] == ["secondary_2", "secondary_1"]


async def test_one_option_leads_to_another_question(
    hass: HomeAssistant, serve: Serve
) -> None:
    entry = await added(hass, serve, 3, NOT_SERVED)
    result = await opened(hass, entry)
    result = await submitted(hass, result, backup_interface="bi")
    assert questions(result) == {
        "backup_interface": "bi",
        "combiner_box": None,
        "termination": None,
        # The secondaries' own extension tells their numbers.
        "wiring_order": NOWHERE,
    }
    await submitted(hass, result, backup_interface="bi", combiner_box="yes")
    assert entry.options == {
        **POLLED,
        "backup_interface": "bi",
        "combiner_box": "yes",
    }
    group = entry.runtime_data.data
    assert group.backup_interface_type == "bi"
    assert group.backup_interface is None


async def test_answers_outlive_that_nobody_answers(
    hass: HomeAssistant, serve: Serve
) -> None:
    group = make_group(3)
    server = await serve(group)
    walk = await Walk.begin(hass, "tcp")
    await walk.submit(host="127.0.0.1", port=server.port)
    await walk.submit(**KEPT)
    await hass.async_block_till_done()
    entry = walk.entry
    assert await hass.config_entries.async_unload(entry.entry_id)
    result = await opened(hass, entry)
    # Whether there is a BI that would need a box is not known now.
    assert questions(result) == {
        "backup_interface": None,
        "termination": "no",
        "wiring_order": NOWHERE,
    }
    await submitted(hass, result, termination="no")
    assert entry.options == {**POLLED, **KEPT}


async def test_no_order_of_secondaries_without_a_number(
    hass: HomeAssistant, serve: Serve
) -> None:
    # Nobody tells which of the two is which.
    pokes = {(unit_id, READINGS, MODEL_TYPE): 99 for unit_id in (1, 2, 3)}
    entry = await added(hass, serve, 3, pokes)
    assert "wiring_order" not in questions(await opened(hass, entry))


async def test_a_simulated_group_knows_its_wiring(hass: HomeAssistant) -> None:
    walk = await Walk.begin(hass, "simulated")
    await walk.submit(units=3)
    await hass.async_block_till_done()
    entry = walk.entry
    result = await opened(hass, entry)
    assert questions(result) == {
        "wiring_order": {"first": "secondary_1", "second": "secondary_2"}
    }
    order = {"first": "secondary_2", "second": "secondary_1"}
    await submitted(hass, result, wiring_order=order)
    assert entry.options["wiring_order"] == ["secondary_2", "secondary_1"]
    last = entry.data[CONF_UNITS][1]["serial_number"]
    await hass.services.async_call(
        "select",
        "select_option",
        {
            "entity_id": entity_id(hass, f"{last}_injected_fault"),
            "option": "parallel_can_fault",
        },
        blocking=True,
    )
    cause = state(hass, f"{entry.unique_id}_group_root_cause")
    assert cause.attributes["segment"] == ["secondary_2", "secondary_1"]
