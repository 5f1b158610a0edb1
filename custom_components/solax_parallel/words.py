"""Words in the language of the house, for texts that the front end does not put together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from homeassistant.core import HomeAssistant
from homeassistant.helpers import translation

from .const import DOMAIN

UNKNOWN = "?"


@dataclass(frozen=True)
class Words:
    """Translated words, by selector and option."""

    _translations: Mapping[str, str]

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Self:
        """Load the words in the language of Home Assistant."""
        return cls(
            await translation.async_get_translations(
                hass, hass.config.language, "selector", {DOMAIN}
            )
        )

    def __call__(self, selector: str, option: str) -> str:
        """Return the name of ``option``; itself where there is none."""
        key = f"component.{DOMAIN}.selector.{selector}.options.{option}"
        return self._translations.get(key, option)
