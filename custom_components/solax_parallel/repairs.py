"""Fix flows for what only a person can settle."""

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .replace import async_replace_unit


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
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            return self.async_abort(reason="group_removed")
        if ir.async_get(self.hass).async_get_issue(DOMAIN, self._issue_id) is None:
            return self.async_abort(reason="known_one_is_back")
        if user_input is not None:
            await async_replace_unit(self.hass, entry, self._old, self._new)
            return self.async_create_entry(data={})
        return self.async_show_form(
            step_id="confirm",
            description_placeholders={"old": self._old, "new": self._new},
        )


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, str | int | float | None] | None,
) -> UnitReplacedFlow:
    """Return the flow that settles an issue of ours."""
    assert data is not None
    return UnitReplacedFlow(
        issue_id, str(data["entry_id"]), str(data["old"]), str(data["new"])
    )
