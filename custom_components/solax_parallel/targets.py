"""Which entities a trigger or condition means, of all those that its target holds."""

from collections.abc import Collection, Iterable, Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .const import DOMAIN

type Keys = Mapping[str, Collection[str]]
"""Keys of entities, for each entity domain."""


@callback
def own_entities(
    hass: HomeAssistant, entity_ids: Iterable[str], keys: Keys
) -> set[str]:
    """Return those of ``entity_ids`` that are entities of ours with one of ``keys``."""
    registry = er.async_get(hass)
    return {
        entity_id
        for entity_id in entity_ids
        if (entity := registry.async_get(entity_id)) is not None
        and entity.platform == DOMAIN
        and entity.translation_key in keys.get(entity.domain, ())
    }
