"""Every text that is needed is there, every text that is there is needed; icons likewise."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
import importlib.util
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol
import yaml

from custom_components.solax_parallel.a1_ess import control, transfer_test
from custom_components.solax_parallel.a1_ess.checks import Check
from custom_components.solax_parallel.a1_ess.codes import (
    BackupInterfaceType,
    LedSource,
    OnOff,
    Role,
    SmartLoadMode,
)
from custom_components.solax_parallel.a1_ess.family import SMART_LOADS
from custom_components.solax_parallel.a1_ess.faults import (
    FAULTS,
    GUIDE,
    PRIMARY_SILENT,
    Family,
)
from custom_components.solax_parallel.a1_ess.mistake import Reason
from custom_components.solax_parallel.a1_ess.roster import SECONDARIES, Refusal
from custom_components.solax_parallel.a1_ess.totals import Weighting
from custom_components.solax_parallel.a1_ess.trial import Problem
from custom_components.solax_parallel.config_flow import SolaxConfigFlow
from custom_components.solax_parallel.const import DOMAIN, NO, YES
from custom_components.solax_parallel.coordinator import Obstacle
from custom_components.solax_parallel.forms import password_field
from custom_components.solax_parallel.guidance import fault_in_words
from custom_components.solax_parallel.options_flow import SolaxOptionsFlow
from custom_components.solax_parallel.repairs import FaultFlow, UnitReplacedFlow
from custom_components.solax_parallel.smart_loads import name_field
from custom_components.solax_parallel.words import Words
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict

from .conftest import AddSimulated
from .groups import QUICK, set_up
from .texts import INTEGRATION, TEXTS, placeholders

ICONS: Mapping[str, Any] = json.loads(
    (INTEGRATION / "icons.json").read_text(encoding="utf-8")
)
OF_HOME_ASSISTANT = {
    "device_class",
    "friendly_name",
    "icon",
    "options",
    "state_class",
    "unit_of_measurement",
}
"""Attributes that Home Assistant adds and translates itself."""

SPEAKING = (
    "acceptance.py",
    "commands.py",
    "config_flow.py",
    "explanation.py",
    "forms.py",
    "guidance.py",
    "register_map.py",
    "report.py",
    "tables.py",
    "trial.py",
)

SHOWN_IF_NEEDED = {"counted_before", "ac_power", "pv_power", "battery_power"}
"""Attributes that entities have only at times: see test_totals.py."""

"""Files that take words from the selectors' texts."""

type Shown = dict[tuple[str, str], dict[str, Any]]


def leaves(branch: Mapping[str, Any], *path: str) -> Iterator[tuple[str, str]]:
    """Yield every text with its place."""
    for key, value in branch.items():
        if isinstance(value, dict):
            yield from leaves(value, *path, key)
        else:
            yield ".".join((*path, key)), value


def sources(*names: str) -> Iterator[ast.Module]:
    """Yield the source of the integration, or of some of its files."""
    for file in sorted(INTEGRATION.rglob("*.py")):
        if not names or file.name in names:
            yield ast.parse(file.read_text(encoding="utf-8"))


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call in the integration with the name of what is called."""
    for source in sources(*names):
        for node in ast.walk(source):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func).rpartition(".")[2], node


def strings(node: ast.AST | None) -> set[str]:
    """Return every text that stands in a piece of source."""
    return {
        each.value
        for each in ast.walk(node or ast.Module([]))
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def argument(call: ast.Call, name: str) -> ast.expr | None:
    """Return a keyword argument of a call."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def keys_of(node: ast.expr | None) -> set[str]:
    """Return the keys of a dict that is written out."""
    assert isinstance(node, ast.Dict | None)
    return strings(ast.List([key for key in node.keys if key])) if node else set()


@pytest.fixture
async def shown(
    hass: HomeAssistant, simulated_entry: MockConfigEntry, add_simulated: AddSimulated
) -> Shown:
    """Return, for each platform and key, what entities show that needs a text.

    A simulated group of four with a BI PRO, one whose loads can only be looked at and one that
    is read through modules have every entity that there is.
    """
    entries = [
        simulated_entry,
        add_simulated(units=1, prefix="WATCHED", options=QUICK),
        add_simulated(prefix="SIMHB", interface="module"),
    ]
    registry = er.async_get(hass)
    for entry in entries:
        assert await set_up(hass, entry)
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
            registry.async_update_entity(entity.entity_id, disabled_by=None)
        await hass.config_entries.async_unload(entry.entry_id)
        assert await set_up(hass, entry)
    found: Shown = defaultdict(lambda: {"attributes": set()})
    for entity in (
        entity
        for entry in entries
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
    ):
        assert entity.translation_key is not None
        shows = found[entity.domain, entity.translation_key]
        shows["device_class"] = entity.original_device_class
        shows["events"] = set((entity.capabilities or {}).get("event_types") or ())
        shows["options"] = set((entity.capabilities or {}).get("options") or ())
        if (state := hass.states.get(entity.entity_id)) is not None:
            shows["attributes"] |= state.attributes.keys() - OF_HOME_ASSISTANT
    return dict(found)


def test_texts_of_entities(shown: Shown) -> None:
    entities = {
        (platform, key): texts
        for platform, keys in TEXTS["entity"].items()
        for key, texts in keys.items()
    }
    assert entities.keys() == shown.keys()
    for (platform, key), shows in shown.items():
        texts = entities[platform, key]
        assert texts["name"], key
        states = set(texts.get("state", {}))
        if platform == "event":
            attributes = texts["state_attributes"]
            assert set(attributes["event_type"]["state"]) == shows["events"], key
            of_fault = {"vendor_code"} if key == "fault" else set()
            assert set(attributes) == {"event_type", "role", "unit", *of_fault}
            continue
        if platform == "binary_sensor":
            assert states in (set(), {STATE_ON, STATE_OFF}), key
        else:
            assert states == shows["options"], key
        assert (
            set(texts.get("state_attributes", {})) - SHOWN_IF_NEEDED
            == shows["attributes"]
        ), key


def test_texts_of_attributes() -> None:
    words = {
        "source": set(LedSource),
        "complete": {"true", "false"},
        "inferred": {"true", "false"},
        "role": set(Role),
        "segment": set(Role),
        "checks": set(Check),
        "failure": set(transfer_test.Failure),
        "weighting": set(Weighting),
        "read_only": set(control.ReadOnly),
    }
    for platform, keys in TEXTS["entity"].items():
        for key, texts in keys.items():
            for name, attribute in texts.get("state_attributes", {}).items():
                if name == "event_type":
                    continue
                if (key, name) == ("transfer_test", "units"):
                    assert "state" not in attribute, "a list of what each unit did"
                    continue
                if (key, name) == ("root_cause", "faults"):
                    assert set(attribute["state"]) == set(FAULTS)
                    continue
                if (key, name) in (("root_cause", "units"), ("root_cause", "untold")):
                    assert set(attribute["state"]) == set(Role)
                    continue
                expected = (
                    {
                        fault.key
                        for fault in FAULTS.values()
                        if fault.family == Family(key) and fault.vendor_code is None
                    }
                    if name == "faults"
                    else words.get(name, set())
                )
                assert set(attribute.get("state", {})) == expected, (platform, key)
                assert attribute["name"]


def test_icons_of_entities(shown: Shown) -> None:
    assert set(ICONS) == {"entity", "services", "triggers", "conditions"}
    icons = {
        (platform, key): icon
        for platform, keys in ICONS["entity"].items()
        for key, icon in keys.items()
    }
    assert icons.keys() <= shown.keys(), "icons of nothing"
    without = {
        key
        for key, shows in shown.items()
        if shows["device_class"] in (None, "enum") and key not in icons
    }
    assert without == set(), "no icon, and none that goes with a device class"
    for key, icon in icons.items():
        states = shown[key]["options"] or {STATE_ON, STATE_OFF}
        assert set(icon.get("state", {})) <= states, key
        assert icon["default"] not in icon.get("state", {}).values(), key


def test_icons_exist() -> None:
    frontend = importlib.util.find_spec("hass_frontend")
    if frontend is None or frontend.origin is None:
        pytest.skip("the frontend, which has the icons, is not installed")
    listed = json.loads(
        (Path(frontend.origin).parent / "static" / "mdi" / "iconList.json").read_text()
    )
    known = {f"mdi:{icon['name']}" for icon in listed}
    assert {icon for _, icon in leaves(ICONS)} - known == set()


def test_actions() -> None:
    fields = yaml.safe_load((INTEGRATION / "services.yaml").read_text(encoding="utf-8"))
    assert set(TEXTS["services"]) == set(fields) == set(ICONS["services"])
    for action, described in fields.items():
        texts = TEXTS["services"][action]
        assert texts["name"]
        assert texts["description"]
        assert set(texts["fields"]) == set(described["fields"]), action
        for field in texts["fields"].values():
            assert field["name"]
            assert field["description"]


async def test_actions_are_those_that_are_described(
    hass: HomeAssistant, unloaded_afterwards: None
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    registered = hass.services.async_services_for_domain(DOMAIN)
    assert set(registered) == set(TEXTS["services"])
    for action, service in registered.items():
        assert isinstance(service.schema, vol.Schema)
        known = {str(key) for key in service.schema.schema}
        assert known == set(TEXTS["services"][action]["fields"]), action


@pytest.mark.parametrize("kind", ["trigger", "condition"])
def test_triggers_and_conditions(kind: str) -> None:
    described = {
        key: set(description.get("fields", ()))
        for key, description in load_yaml_dict(
            str(INTEGRATION / f"{kind}s.yaml")
        ).items()
        if not key.startswith(".")
    }
    texts = TEXTS[f"{kind}s"]
    fields = {key: text.get("fields", {}) for key, text in texts.items()}
    assert {key: set(of_one) for key, of_one in fields.items()} == described
    for key, text in texts.items():
        for shown in (text, *fields[key].values()):
            assert shown["name"], key
            assert shown["description"], key
    icons = {(key, *icon) for key, icon in ICONS[f"{kind}s"].items()}
    assert icons == {(key, kind) for key in described}


def test_texts_of_devices() -> None:
    assert set(TEXTS["device"]) == {"group", "smart_load", *Role}


def test_exceptions() -> None:
    used: dict[str, set[str]] = {}
    for name, call in calls():
        if name.endswith(("Error", "Failed", "NotReady")):
            for key in strings(argument(call, "translation_key")):
                given = argument(call, "translation_placeholders")
                used[key] = keys_of(given)
    used |= {reason: set() for reason in (*transfer_test.Refusal, *Obstacle)}
    needed = {
        key: placeholders(texts["message"])
        for key, texts in TEXTS["exceptions"].items()
    }
    for reason in (*control.Refusal, *control.Failure):
        # All get the same, and few need all of it.
        wait = {"wait"} if reason in set(control.Refusal) else set()
        assert needed[reason] <= {"load", "wanted", "now"} | wait
        used[reason] = needed[reason]
    assert used == needed


def test_issues() -> None:
    used: dict[str, set[str]] = {}
    about_faults = set(fault_in_words(PRIMARY_SILENT, Words({})))
    for name, call in calls():
        if name == "async_create_issue":
            for key in strings(argument(call, "translation_key")):
                given = argument(call, "translation_placeholders")
                used[key] = keys_of(given) | (about_faults if key == "fault" else set())
    in_dialogs = {
        key
        for _, call in calls("repairs.py")
        if isinstance(given := argument(call, "description_placeholders"), ast.Dict)
        for key in keys_of(given)
    }
    for key, texts in TEXTS["issues"].items():
        said = placeholders(*(each for _, each in leaves(texts)))
        assert placeholders(texts["title"], texts.get("description")) <= used[key], key
        assert used[key] <= said <= used[key] | in_dialogs, key
    assert used.keys() == TEXTS["issues"].keys()


def test_texts_of_faults() -> None:
    def said(selector: str) -> set[str]:
        return set(TEXTS["selector"][selector]["options"])

    faults = GUIDE.values()
    assert said("fault") == said("fault_meaning") == set(GUIDE)
    assert said("fault_step") == {step for fault in faults for step in fault.steps}
    assert said("fault_origin") == {fault.grade for fault in faults}


def test_a_fault_is_called_the_same_everywhere() -> None:
    of_sensors = {
        f"binary_sensor.{fault.key}.name"
        for fault in FAULTS.values()
        if fault.vendor_code is not None
    }
    names = TEXTS["selector"]["fault"]["options"]
    found = 0
    for place, words in leaves(TEXTS["entity"]):
        key = place.rpartition(".")[2].removesuffix("_cleared")
        if place in of_sensors:
            key = place.split(".")[1]
        elif key not in FAULTS or ".state." not in place:
            continue
        found += 1
        assert words.removesuffix(": cleared") == names[key], place
    assert found > len(FAULTS)


@pytest.mark.parametrize(
    ("texts", "flow", "files"),
    [
        (
            TEXTS["config"],
            SolaxConfigFlow,
            (
                "config_flow.py",
                "addresses.py",
                "forms.py",
                "modules.py",
                "const.py",
                "codes.py",
            ),
        ),
        (TEXTS["options"], SolaxOptionsFlow, ("forms.py", "const.py")),
    ],
    ids=["config", "options"],
)
def test_no_text_of_a_dialog_is_left_over(
    texts: Mapping[str, Any], flow: type, files: tuple[str, ...]
) -> None:
    # What is missing shows when a test walks through the dialog: see texts_are_complete.
    spoken = set[str]().union(*map(strings, sources(*files))) | {
        "host",
        "password",
        "port",
        "device",
    }
    spoken |= {"scan_interval", "timeout", *Refusal}
    spoken |= {*map(password_field, SECONDARIES), *map(name_field, SMART_LOADS)}
    for step, shown in texts["step"].items():
        assert hasattr(flow, f"async_step_{step}"), step
        fields = shown.get("data", {})
        for section, inner in shown.get("sections", {}).items():
            assert section in spoken
            fields = {**fields, **inner["data"]}
        assert fields.keys() <= spoken, step
        assert shown.get("data_description", {}).keys() <= fields.keys(), step
        for option in shown.get("menu_options", {}):
            assert hasattr(flow, f"async_step_{option}"), option
    for action in texts.get("progress", {}):
        assert hasattr(flow, f"async_step_{action}"), action
    assert texts.get("error", {}).keys() <= spoken
    # These two are raised by helpers of Home Assistant.
    ended = spoken | {"already_configured"}
    assert texts.get("abort", {}).keys() <= ended


def test_selectors() -> None:
    used: dict[str, set[str]] = defaultdict(set)
    for name, call in calls(*SPEAKING):
        if name in ("words", "_words") and len(call.args) == 2:
            for selector in strings(call.args[0]):
                used[selector] |= strings(call.args[1])
    selectors = {
        key: set(selector["options"]) for key, selector in TEXTS["selector"].items()
    }
    asked = {
        "framer",
        "backup_interface",
        "fault",
        "interface",
        "smart_load",
        "yes_no",
    }
    assert selectors.keys() == used.keys() | asked
    for key, options in used.items():
        assert options <= selectors[key], key
    assert selectors["role"] == set(Role)
    assert selectors["check"] == set(Check)
    assert selectors["backup_interface"] == set(BackupInterfaceType)
    assert selectors["smart_load"] == set(map(str, SMART_LOADS))
    assert selectors["smart_load_says"] == {*OnOff, *SmartLoadMode, "nothing"}
    assert selectors["yes_no"] == {YES, NO}
    assert selectors["fault"] == set(GUIDE)
    assert selectors["register_map_mistake"] == set(Reason)
    assert selectors["register_problem"] == set(Problem)
    shown = TEXTS["entity"]["sensor"]["status"]["state"]
    assert TEXTS["selector"]["group_status"]["options"] == shown
    assert selectors["transfer_test"] == {"title", *transfer_test.Phase}
    assert selectors["transfer_failure"] == set(transfer_test.Failure)
    spoken = set[str]().union(*map(strings, sources(*SPEAKING, "scan.py")))
    for key in (
        "answer",
        "check_column",
        "check_result",
        "fault_detail",
        "heard",
        "left_open",
        "register_map_place",
        "report",
        "transfer_column",
        "unit_column",
    ):
        assert selectors[key] <= spoken, key


def test_texts_are_whole() -> None:
    for place, words in leaves(TEXTS):
        assert words == words.strip(), place
        assert "[%key:" not in words, (
            f"{place}: only Home Assistant's own texts can refer"
        )
        assert "://" not in words, f"{place}: an address belongs into a placeholder"


def test_fix_flows_end_in_words() -> None:
    for name, call in calls("repairs.py"):
        if name == "async_abort":
            for reason in strings(argument(call, "reason")):
                assert any(
                    reason in texts.get("fix_flow", {}).get("abort", {})
                    for texts in TEXTS["issues"].values()
                ), reason


@pytest.mark.parametrize(
    ("issue", "flow"), [("unit_replaced", UnitReplacedFlow), ("fault", FaultFlow)]
)
def test_no_text_of_a_repair_is_left_over(issue: str, flow: type) -> None:
    # What is missing shows when a test walks through the repair: see texts_are_complete.
    texts = TEXTS["issues"][issue]["fix_flow"]
    spoken = strings(ast.parse(inspect.getsource(flow)))
    for step, shown in texts["step"].items():
        assert hasattr(flow, f"async_step_{step}"), step
        assert shown.get("menu_options", {}).keys() <= spoken, step
    assert texts["abort"].keys() <= spoken
