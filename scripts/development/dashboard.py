"""The ready dashboard of the docs, in the Home Assistant that is started here."""

from pathlib import Path

import yaml

from .api import Api

PATH = "solax-parallel"
"""Where the dashboard is found."""

_CONTENT = Path(__file__).parents[2] / "docs" / "dashboard.yaml"


async def set_up_dashboard(api: Api) -> None:
    """Add the dashboard unless it is there; what a developer made of it stays."""
    dashboards = await api.command("lovelace/dashboards/list")
    if any(dashboard["url_path"] == PATH for dashboard in dashboards):
        return
    await api.command(
        "lovelace/dashboards/create",
        url_path=PATH,
        title="SolaX Parallel",
        icon="mdi:solar-power-variant",
        mode="storage",
    )
    await api.command(
        "lovelace/config/save",
        url_path=PATH,
        config=yaml.safe_load(_CONTENT.read_text(encoding="utf-8")),
    )
