"""Buttons: have everything about the group checked now, or its transfer tested."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .a1_ess.codes import BackupInterfaceType
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entity import GroupEntity
from .entity_set import async_add_as_known

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class GroupButtonDescription(ButtonEntityDescription):
    """A button of the group."""

    press_fn: Callable[[SolaxCoordinator], Awaitable[None]]


CHECK_NOW = GroupButtonDescription(
    key="check_now",
    entity_category=EntityCategory.DIAGNOSTIC,
    press_fn=SolaxCoordinator.async_check_now,
)

START_TRANSFER_TEST = GroupButtonDescription(
    key="start_transfer_test",
    entity_category=EntityCategory.DIAGNOSTIC,
    press_fn=SolaxCoordinator.async_start_transfer_test,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: SolaxConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the buttons of an entry."""
    async_add_as_known(entry, async_add_entities, _buttons)


def _buttons(coordinator: SolaxCoordinator) -> Iterator[GroupButton]:
    yield GroupButton(coordinator, CHECK_NOW)
    # With the non-BI layout the vendor forbids the test.
    if coordinator.data.backup_interface_type in (
        BackupInterfaceType.BI,
        BackupInterfaceType.BI_PRO,
    ):
        yield GroupButton(coordinator, START_TRANSFER_TEST)


class GroupButton(GroupEntity, ButtonEntity):
    """Does something about the group, or says why it can't."""

    entity_description: GroupButtonDescription

    @property
    @override
    def available(self) -> bool:
        """While anybody is asked: whoever presses it while nobody answers is told so."""
        return self.coordinator.polling

    @override
    async def async_press(self) -> None:
        """Do it."""
        await self.entity_description.press_fn(self.coordinator)
