"""Buttons: have everything about the group checked now."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entity import GroupEntity

PARALLEL_UPDATES = 1

CHECK_NOW = ButtonEntityDescription(
    key="check_now", entity_category=EntityCategory.DIAGNOSTIC
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the buttons of an entry."""
    async_add_entities([CheckNow(entry.runtime_data)])


class CheckNow(GroupEntity, ButtonEntity):
    """Asks every inverter anew who it is, how it is set and what it reports."""

    def __init__(self, coordinator: SolaxCoordinator) -> None:
        """Check the group of ``coordinator``."""
        super().__init__(coordinator, CHECK_NOW)

    @property
    @override
    def available(self) -> bool:
        """Always: it is most of use while nobody answers."""
        return True

    @override
    async def async_press(self) -> None:
        """Poll once, with everything that is otherwise asked only once."""
        self.coordinator.wiring.group.renew()
        await self.coordinator.async_refresh()
        if not self.coordinator.last_update_success:
            raise HomeAssistantError(
                translation_domain=DOMAIN, translation_key="nobody_answered"
            )
