"""The groups of this integration in a running Home Assistant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .api import Api, ApiError

DOMAIN = "solax_parallel"

_GROUP_MARK = "_group_status"
_INVERTER_MARK = "_role"


@dataclass(frozen=True)
class Reading:
    """The state of an entity."""

    state: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class GroupView:
    """A config entry and its entities; ``group_id`` is None where it never came up.

    Entities are known by domain and unique id: an owner may have renamed them.
    """

    title: str
    problem: str | None
    group_id: str | None
    serial_numbers: Sequence[str]
    entity_ids: Mapping[tuple[str, str], str]
    readings: Mapping[tuple[str, str], Reading]

    def of_group(self, domain: str, key: str) -> Reading | None:
        """Return the reading of an entity of the group."""
        return self.readings.get((domain, f"{self.group_id}_group_{key}"))

    def of_inverter(self, serial_number: str, domain: str, key: str) -> Reading | None:
        """Return the reading of an entity of an inverter."""
        return self.readings.get((domain, f"{serial_number}_{key}"))

    @property
    def complete(self) -> bool:
        """Whether every inverter of the group is heard."""
        complete = self.of_group("binary_sensor", "complete")
        online = self.of_group("sensor", "units_online")
        return (
            complete is not None
            and online is not None
            and complete.state == "on"
            and online.state == str(len(self.serial_numbers))
        )


async def read_groups(api: Api) -> list[GroupView]:
    """Return all groups of the integration."""
    entries = await api.command("config_entries/get", domain=DOMAIN)
    registry = await api.command("config/entity_registry/list")
    states = {
        state["entity_id"]: Reading(state["state"], state["attributes"])
        for state in await api.command("get_states")
    }
    return [
        _view(
            entry,
            {
                (entity["entity_id"].partition(".")[0], entity["unique_id"]): entity[
                    "entity_id"
                ]
                for entity in registry
                if entity["config_entry_id"] == entry["entry_id"]
            },
            states,
        )
        for entry in entries
    ]


def _view(
    entry: Mapping[str, Any],
    entity_ids: Mapping[tuple[str, str], str],
    states: Mapping[str, Reading],
) -> GroupView:
    sensors = [unique_id for domain, unique_id in entity_ids if domain == "sensor"]
    return GroupView(
        title=entry["title"],
        problem=(
            None
            if entry["state"] == "loaded"
            else f"{entry['state'].replace('_', ' ')}: {entry['reason'] or 'see the log'}"
        ),
        group_id=next(iter(_stems(sensors, _GROUP_MARK)), None),
        serial_numbers=_stems(sensors, _INVERTER_MARK),
        entity_ids=entity_ids,
        readings={
            key: states[entity_id]
            for key, entity_id in entity_ids.items()
            if entity_id in states
        },
    )


def _stems(unique_ids: Iterable[str], mark: str) -> list[str]:
    return [text.removesuffix(mark) for text in unique_ids if text.endswith(mark)]


async def add_simulated_group(api: Api, *, interface: str = "modbus") -> None:
    """Add four simulated inverters with a BI PRO, the way an owner would.

    ``interface`` is what they are read through: ``modbus`` or ``module``.
    """
    flow = await api.post("/api/config/config_entries/flow", {"handler": DOMAIN})
    path = f"/api/config/config_entries/flow/{flow['flow_id']}"
    await api.post(path, {"next_step_id": "simulated"})
    result = await api.post(
        path, {"units": 4, "backup_interface": "bi_pro", "interface": interface}
    )
    if result["type"] != "create_entry":
        raise ApiError(f"the simulated group could not be added: {result}")
