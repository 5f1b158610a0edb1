"""Each language says all that English says, with the same placeholders, and is really used."""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .conftest import StartGroup
from .groups import poll
from .repairs import only_issue
from .texts import INTEGRATION, TEXTS, placeholders

LANGUAGES = {"de", "es", "fr", "nl", "pl", "cs", "it", "pt-BR", "zh-Hans"}
FAULT = "parallel_rs485_fault"
MAY_BE_AS_IN_ENGLISH = 0.2
"""Share of texts that may be: product names, units, and words that both languages have."""


def texts_of(language: str) -> dict[str, str]:
    file = INTEGRATION / "translations" / f"{language}.json"
    return dict(flat(json.loads(file.read_text(encoding="utf-8"))))


def flat(texts: Mapping[str, Any], *path: str) -> Iterator[tuple[str, str]]:
    for key, value in texts.items():
        if isinstance(value, str):
            yield ".".join((*path, key)), value
        else:
            yield from flat(value, *path, key)


ENGLISH = dict(flat(TEXTS))


def test_all_languages_are_there() -> None:
    files = {file.stem for file in (INTEGRATION / "translations").iterdir()}
    assert files == LANGUAGES | {"en"}


def test_the_card_speaks_them_too() -> None:
    card = (INTEGRATION / "frontend" / "solax-parallel-card.js").read_text("utf-8")
    (table,) = re.findall(
        r"^const TEXTS = \{\n(.*?)^\};", card, re.MULTILINE | re.DOTALL
    )
    lines = dict(
        line.strip().replace('"', "", 2 if line.strip()[0] == '"' else 0).split(": ", 1)
        for line in table.splitlines()
    )
    assert set(lines) == LANGUAGES | {"en"}
    words = {
        language: re.findall(r"(\w+): \"", line) for language, line in lines.items()
    }
    assert all(each == words["en"] for each in words.values())


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_complete(language: str) -> None:
    texts = texts_of(language)
    assert list(texts) == list(ENGLISH)
    assert not [
        path for path, text in texts.items() if text != text.strip() or not text
    ]
    assert not [
        path
        for path, text in texts.items()
        if placeholders(text) != placeholders(ENGLISH[path])
    ]
    same = [path for path, text in texts.items() if text == ENGLISH[path]]
    assert len(same) < MAY_BE_AS_IN_ENGLISH * len(ENGLISH)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_markup_is_kept(language: str) -> None:
    texts = texts_of(language)
    assert not [
        (path, mark)
        for path, text in texts.items()
        for mark in ("**", "`", "\n", "](")
        if text.count(mark) != ENGLISH[path].count(mark)
    ]


@pytest.mark.parametrize("language", sorted(LANGUAGES | {"en"}))
def test_no_placeholder_is_taken_for_quoted(language: str) -> None:
    """The front end reads texts as ICU messages, where '{name}' is no placeholder."""
    assert not [path for path, text in texts_of(language).items() if "'{" in text]


@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_an_owner_reads_a_fault_in_the_language_of_the_house(
    hass: HomeAssistant, start_group: StartGroup, language: str
) -> None:
    hass.config.language = language
    texts = texts_of(language)
    wire = await start_group(units=2)
    assert await wire.set_up()
    wire.group.inject(wire.group.serial_numbers[1], FAULT)
    for _ in range(2):
        await poll(hass)
    said = only_issue(hass).translation_placeholders
    assert said is not None
    assert said["meaning"] == texts[f"selector.fault_meaning.options.{FAULT}"]
    names = {
        entity.original_name
        for entity in er.async_get(hass).entities.values()
        if entity.translation_key == FAULT
    }
    assert names == {texts[f"entity.binary_sensor.{FAULT}.name"]}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_an_owner_reads_a_mistake_in_the_language_of_the_house(
    hass: HomeAssistant, start_group: StartGroup, owners_file: Path, language: str
) -> None:
    hass.config.language = language
    texts = texts_of(language)
    owners_file.write_text("registers:\n  ac_power: {address: yes}\n")
    assert not await (await start_group(units=1)).set_up()
    said = only_issue(hass).translation_placeholders
    assert said is not None
    line = texts["selector.register_map_place.options.line"].format(line=2)
    reason = texts["selector.register_map_mistake.options.not_whole"]
    assert said["error"] == (
        f"a1_ess_g2.yaml, {line}, registers.ac_power.address: {reason}"
    )
