"""Fix flows for what only a person can settle."""

from collections.abc import Mapping, Sequence

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .a1_ess.faults import GUIDE
from .a1_ess.standing import Place, still_stands
from .const import DOMAIN
from .coordinator import SolaxConfigEntry, SolaxCoordinator
from .entry_data import known_serial_numbers, serial_numbers_of
from .guidance import steps_in_words
from .replace import async_replace_unit
from .words import Words


class UnitReplacedFlow(RepairsFlow):
    """Asks whether an inverter was replaced, and hands its place to the new one."""

    def __init__(self, issue_id: str, entry_id: str, old: str, new: str) -> None:
        """Offer to put ``new`` in the place of ``old``, for as long as the issue stands."""
        self._issue_id = issue_id
        self._entry_id = entry_id
        self._old = old
        self._new = new

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Start with the only question there is."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, and do it."""
        texts = {"old": self._old, "new": self._new}
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            return self.async_abort(reason="group_removed")
        if (reason := self._why_not(entry)) is not None:
            return self.async_abort(reason=reason, description_placeholders=texts)
        if user_input is not None:
            await async_replace_unit(self.hass, entry, self._old, self._new)
            return self.async_create_entry(data={})
        return self.async_show_form(step_id="confirm", description_placeholders=texts)

    def _why_not(self, entry: SolaxConfigEntry) -> str | None:
        """Return why the question is no longer the right one; None if it is."""
        if self._old not in serial_numbers_of(entry):
            return "unit_removed"
        if self._new in known_serial_numbers(self.hass):
            return "new_one_is_set_up"
        if (
            entry.state is ConfigEntryState.LOADED
            and entry.runtime_data.data.members[self._old].heard
        ):
            return "known_one_is_back"
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self._issue_id)
        if issue is None or issue.data is None or issue.data["new"] != self._new:
            return "no_longer_known"
        return None


class FaultFlow(RepairsFlow):
    """Leads through what to do about a fault, and looks whether it is gone."""

    def __init__(
        self,
        entry_id: str,
        place: Place,
        texts: Mapping[str, str],
        steps: Sequence[str],
    ) -> None:
        """Take the ``steps`` about the fault at ``place``, which ``texts`` tell of."""
        self._entry_id = entry_id
        self._place = place
        self._texts = texts
        self._steps = steps
        self._number = 1

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Start with all there is to say."""
        return await self.async_step_overview()

    async def async_step_overview(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Say what the fault means and what to do about it."""
        if user_input is not None:
            return await self.async_step_instruction()
        return self.async_show_form(
            step_id="overview", description_placeholders=self._texts, last_step=False
        )

    async def async_step_instruction(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show one step after the other."""
        if user_input is not None:
            self._number += 1
        if self._number > len(self._steps):
            return await self.async_step_read_again()
        return self.async_show_form(
            step_id="instruction",
            description_placeholders={
                **self._texts,
                "number": str(self._number),
                "count": str(len(self._steps)),
                "instruction": self._steps[self._number - 1],
            },
            last_step=False,
        )

    async def async_step_read_again(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Poll the group, and say what has become of the fault."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            return self.async_abort(reason="group_removed")
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="group_not_loaded")
        coordinator: SolaxCoordinator = entry.runtime_data
        if self._place[0] not in coordinator.data.members:
            return self.async_abort(reason="unit_removed")
        before = coordinator.data
        await coordinator.async_look_again()
        state = coordinator.data
        stands = None if state is before else still_stands(self._place, state.members)
        if stands is False:
            return self.async_create_entry(
                data={}, description_placeholders=self._texts
            )
        if stands:
            return await self.async_step_still_there()
        return await self.async_step_cannot_tell()

    async def async_step_still_there(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Say that it did not help."""
        return self.async_show_menu(
            step_id="still_there",
            menu_options=["again", "leave_open"],
            description_placeholders=self._texts,
        )

    async def async_step_cannot_tell(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Say that nobody told whether it helped."""
        return self.async_show_menu(
            step_id="cannot_tell",
            menu_options=["read_again", "leave_open"],
            description_placeholders=self._texts,
        )

    async def async_step_again(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Go through the steps once more."""
        self._number = 1
        return await self.async_step_instruction()

    async def async_step_leave_open(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """End without an answer; the issue closes by itself when the fault is gone."""
        return self.async_abort(reason="left_open")


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> RepairsFlow:
    """Return the flow that settles an issue of ours."""
    assert data is not None
    entry_id = str(data["entry_id"])
    if "fault" not in data:
        return UnitReplacedFlow(
            issue_id, entry_id, str(data["serial_number"]), str(data["new"])
        )
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    key = str(data["fault"])
    return FaultFlow(
        entry_id,
        (str(data["serial_number"]), key),
        issue.translation_placeholders,
        steps_in_words(GUIDE[key], await Words.async_load(hass)),
    )
