"""Repairs, gone through as the front end does it."""

from typing import Any, Self

from aiohttp.test_utils import TestClient
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.solax_parallel.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

_FIX = "/api/repairs/issues/fix"


def issues(hass: HomeAssistant) -> list[ir.IssueEntry]:
    """Return the issues of ours that stand."""
    return [
        issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.active
    ]


def only_issue(hass: HomeAssistant) -> ir.IssueEntry:
    """Return the only issue of ours."""
    (issue,) = issues(hass)
    return issue


class Dialog:
    """The dialog of a repair; ``result`` is what it shows."""

    def __init__(self, client: TestClient[Any, Any], result: dict[str, Any]) -> None:
        self._client = client
        self.result = result

    @classmethod
    async def open(
        cls,
        hass: HomeAssistant,
        hass_client: ClientSessionGenerator,
        issue: ir.IssueEntry,
    ) -> Self:
        """Click on an issue."""
        assert await async_setup_component(hass, "repairs", {})
        await hass.async_block_till_done()
        client = await hass_client()
        response = await client.post(
            _FIX, json={"handler": DOMAIN, "issue_id": issue.issue_id}
        )
        assert response.status == 200
        return cls(client, await response.json())

    async def answer(self, **answer: Any) -> dict[str, Any]:
        """Submit what is shown, and return what is shown then."""
        response = await self._client.post(
            f"{_FIX}/{self.result['flow_id']}", json=answer
        )
        assert response.status == 200
        self.result = await response.json()
        return self.result

    async def choose(self, option: str) -> dict[str, Any]:
        """Choose from a menu, and return what is shown then."""
        assert option in self.result["menu_options"]
        return await self.answer(next_step_id=option)
