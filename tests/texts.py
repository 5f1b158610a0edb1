"""Whether what a dialog or a repair shows has its text, and the text its placeholders."""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
from string import Formatter
from typing import Any

from custom_components import solax_parallel
from custom_components.solax_parallel.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.selector import SelectSelector

INTEGRATION = Path(solax_parallel.__file__).parent
TEXTS: dict[str, Any] = json.loads(
    (INTEGRATION / "translations" / "en.json").read_text(encoding="utf-8")
)
TRANSLATED_BY_HOME_ASSISTANT = {
    "already_in_progress",
    "reauth_successful",
    "reconfigure_successful",
}


def text(*path: str) -> Any:
    """Return a text or a branch of texts; None where there is none."""
    found: Any = TEXTS
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def placeholders(*texts: str | None) -> set[str]:
    """Return the placeholders in ``texts``."""
    return {
        name
        for each in texts
        for _, name, _, _ in Formatter().parse(each or "")
        if name is not None
    }


def faults_of(base: tuple[str, ...], result: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the texts for a result of a flow.

    ``base`` is where in the file the texts of its kind of flow stand.
    """
    used: list[str | None] = []

    def need(*path: str) -> Iterator[str]:
        found = text(*base, *path)
        if isinstance(found, str):
            used.append(found)
        else:
            yield f"{'.'.join((*base, *path))} has no text"

    match result["type"]:
        case FlowResultType.FORM:
            step = ("step", result["step_id"])
            yield from need(*step, "title")
            used.append(text(*base, *step, "description"))
            yield from _faults_of_fields(need, step, result["data_schema"])
            for error in (result["errors"] or {}).values():
                yield from need("error", error)
        case FlowResultType.MENU:
            step = ("step", result["step_id"])
            yield from need(*step, "title")
            used.append(text(*base, *step, "description"))
            for option in result["menu_options"]:
                yield from need(*step, "menu_options", option)
        case FlowResultType.SHOW_PROGRESS:
            yield from need("progress", result["progress_action"])
        case FlowResultType.ABORT:
            if result["reason"] not in TRANSLATED_BY_HOME_ASSISTANT:
                yield from need("abort", result["reason"])
        case FlowResultType.CREATE_ENTRY:
            used.append(text(*base, "create_entry", "default"))
        case _:
            return
    if missing := placeholders(*used) - set(result["description_placeholders"] or {}):
        yield f"{'.'.join(base)}: nothing is given for {missing}"


def _faults_of_fields(need: Any, step: tuple[str, ...], schema: Any) -> Iterator[str]:
    for field, validator in (schema.schema if schema is not None else {}).items():
        name = str(field.schema)
        if isinstance(validator, section):
            yield from need(*step, "sections", name, "name")
            inner = (*step, "sections", name)
            yield from _faults_of_fields(need, inner, validator.schema)
            continue
        yield from need(*step, "data", name)
        yield from need(*step, "data_description", name)
        if isinstance(validator, SelectSelector):
            key = validator.config.get("translation_key")
            for option in validator.config["options"]:
                if isinstance(option, str) and not isinstance(
                    text("selector", str(key), "options", option), str
                ):
                    yield f"selector {key} has no text for {option}"


def faults_of_issues(hass: HomeAssistant) -> Iterator[str]:
    """Yield what is wrong with the texts of the issues that stand."""
    for (domain, _), issue in ir.async_get(hass).issues.items():
        if domain != DOMAIN:
            continue
        texts = text("issues", str(issue.translation_key))
        if not isinstance(texts, dict) or "title" not in texts:
            yield f"issue {issue.translation_key} has no title"
            continue
        missing = placeholders(texts["title"], texts.get("description")) - set(
            issue.translation_placeholders or {}
        )
        if missing:
            yield f"issue {issue.translation_key} lacks {missing}"
        if issue.is_fixable is not ("fix_flow" in texts):
            yield f"issue {issue.translation_key} is fixable: {issue.is_fixable}"
