"""Which entities a group has: some come once they are known, some go when nobody can feed them."""

from collections.abc import Callable, Iterable, Mapping

from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import (
    AddConfigEntryEntitiesCallback,
    async_get_current_platform,
)

from .const import DOMAIN
from .coordinator import SolaxConfigEntry, SolaxCoordinator


@callback
def async_add_as_known(
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    create: Callable[[SolaxCoordinator], Iterable[Entity]],
) -> None:
    """Add the entities of what is known now, and later those of what becomes known.

    A BI PRO whose primary sleeps at start-up is only known once the primary answers. ``create``
    returns all entities for the present state; which there are depends on nothing but the parts
    of the group.
    """
    coordinator = entry.runtime_data
    domain = async_get_current_platform().domain
    added: set[str] = set()
    parts: object = None

    @callback
    def async_update() -> None:
        nonlocal parts
        if coordinator.parts == parts:
            return
        parts = coordinator.parts
        new = [
            entity
            for entity in create(coordinator)
            if entity.unique_id is not None and entity.unique_id not in added
        ]
        if not new:
            return
        unique_ids = {entity.unique_id for entity in new if entity.unique_id}
        added.update(unique_ids)
        _async_remove_from_other_platforms(entry, domain, unique_ids)
        async_add_entities(new)

    async_update()
    entry.async_on_unload(coordinator.async_add_listener(async_update))


@callback
def _async_remove_from_other_platforms(
    entry: SolaxConfigEntry, domain: str, unique_ids: set[str]
) -> None:
    """Remove what the registry still has of entities that are on platform ``domain`` now.

    What was a switch is a binary sensor when it may only be looked at, and the other way round.
    """
    registry = er.async_get(entry.runtime_data.hass)
    for former in er.async_entries_for_config_entry(registry, entry.entry_id):
        if former.unique_id in unique_ids and former.domain != domain:
            registry.async_remove(former.entity_id)


@callback
def async_remove_untold(entry: SolaxConfigEntry, needs: Mapping[str, str]) -> None:
    """Remove what the registry still has of entities that an inverter can no longer feed.

    It is read in another way now. ``needs`` is the register that each key is made of.
    """
    coordinator = entry.runtime_data
    registry = er.async_get(coordinator.hass)
    domain = async_get_current_platform().domain
    for serial_number, inverter in coordinator.wiring.group.inverters.items():
        for key, register in needs.items():
            former = registry.async_get_entity_id(
                domain, DOMAIN, f"{serial_number}_{key}"
            )
            if former is not None and not inverter.can_tell(register):
                registry.async_remove(former)
