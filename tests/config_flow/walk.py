"""Walking through the dialog as a person does, and counting what it asks."""

from dataclasses import dataclass, field
import time
from typing import Any, Self

from custom_components.solax_parallel.const import DOMAIN
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

_WORKING = (FlowResultType.SHOW_PROGRESS, FlowResultType.SHOW_PROGRESS_DONE)


@dataclass
class Walk:
    """A dialog; ``forms`` are those that were filled in, ``typed`` the characters typed."""

    hass: HomeAssistant
    result: Any
    forms: list[str] = field(default_factory=list)
    typed: int = 0
    started: float = field(default_factory=time.monotonic)

    @classmethod
    async def begin(cls, hass: HomeAssistant, choice: str) -> Self:
        """Add the integration and choose from the first menu."""
        result = await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_USER}
        )
        assert result["type"] is FlowResultType.MENU
        return await cls(hass, result).choose(choice)

    @classmethod
    async def reconfigure(cls, hass: HomeAssistant, entry_id: str, choice: str) -> Self:
        """Reconfigure an entry and choose from the menu."""
        result = await hass.config_entries.flow.async_init(
            DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry_id}
        )
        assert result["type"] is FlowResultType.MENU
        return await cls(hass, result).choose(choice)

    async def choose(self, choice: str) -> Self:
        """Choose from a menu."""
        await self._configure({"next_step_id": choice})
        return self

    async def submit(self, **typed: Any) -> Self:
        """Fill in the form that is shown and wait for what comes after it."""
        self.forms.append(self.result["step_id"])
        self.typed += sum(len(str(value)) for value in typed.values())
        defaults = (
            {
                key: key.default()
                for key in self.result["data_schema"].schema
                if hasattr(key, "default") and callable(key.default)
            }
            if self.result["data_schema"] is not None
            else {}
        )
        await self._configure({**{str(k): v for k, v in defaults.items()}, **typed})
        return self

    async def _configure(self, user_input: dict[str, Any]) -> None:
        flows = self.hass.config_entries.flow
        self.result = await flows.async_configure(self.result["flow_id"], user_input)
        while self.result["type"] in _WORKING:
            await self.hass.async_block_till_done()
            self.result = await flows.async_configure(self.result["flow_id"])

    @property
    def step(self) -> str | None:
        """The form that is shown."""
        step_id: str | None = self.result.get("step_id")
        return step_id

    @property
    def errors(self) -> dict[str, str]:
        """What the form that is shown complains about."""
        errors: dict[str, str] = self.result.get("errors") or {}
        return errors

    @property
    def texts(self) -> dict[str, str]:
        """What the form that is shown fills into its text."""
        texts: dict[str, str] = self.result["description_placeholders"]
        return texts

    @property
    def entry(self) -> Any:
        """The entry that the dialog ended with."""
        assert self.result["type"] is FlowResultType.CREATE_ENTRY, self.result
        # Titles get into logs, and an address does not belong there.
        assert self.result["title"].startswith("SolaX Parallel")
        assert "127.0.0.1" not in self.result["title"]
        return self.result["result"]

    @property
    def suggested(self) -> dict[str, Any]:
        """What the form that is shown is filled with."""
        return {
            str(key): key.description["suggested_value"]
            for key in self.result["data_schema"].schema
            if key.description and "suggested_value" in key.description
        }
