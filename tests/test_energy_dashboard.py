"""The energy dashboard of a group: what Home Assistant says to it, and the past that it shows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from time import time
from typing import Any

from aiohttp import ClientSession
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from sqlalchemy import delete, select, update

from custom_components.solax_parallel.a1_ess.profile import load_profile
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import (
    RecorderRuns,
    Statistics,
    StatisticsShortTerm,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import session_scope
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from scripts.development import simulated_past
from scripts.development.api import Api, ApiError
from scripts.development.energy import energy_preferences, set_up_energy_dashboard
from scripts.development.folder import prepare
from scripts.development.group import GroupView, read_groups
from scripts.development.simulated_past import HOURS
from scripts.development.simulated_past.rows import PERIOD
from scripts.development.simulated_past.shown import shown

from .conftest import AddSimulated, StartGroup
from .groups import NOON, poll, set_up, state

type Row = dict[str, Any]
type History = dict[str, list[Row]]

GUIDE = Path(__file__).parents[1] / "docs" / "energy-dashboard.md"
SOURCES = ("grid", "solar", "battery")
COUNTERS = (
    "pv_energy_total",
    "grid_import_total",
    "grid_export_total",
    "battery_charged_total",
    "battery_discharged_total",
)
CONNECTED_SMART_LOADS = 5
LONGEST_TEST = 30
"""Seconds."""


@pytest.fixture
async def api(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_access_token: str,
) -> AsyncIterator[Api]:
    """Return a visit to the Home Assistant of the test, as ``scripts/develop`` makes one."""
    for component in ("websocket_api", "config", "energy"):
        assert await async_setup_component(hass, component, {})
    assert await simulated_past.async_setup(hass, {})
    url = str((await hass_client()).make_url("")).rstrip("/")
    async with ClientSession() as http:
        visit = Api(http, url)
        await visit.open(hass_access_token)
        yield visit
        await visit._socket.close()


@pytest.fixture
async def group(
    hass: HomeAssistant, api: Api, simulated_entry: MockConfigEntry
) -> GroupView:
    assert await set_up(hass, simulated_entry)
    (group,) = await read_groups(api)
    return group


@pytest.fixture
async def within_a_period(hass: HomeAssistant, group: GroupView) -> None:
    """Let statistics be made for one and the same five minutes, and the latest poll lie in them."""
    left = PERIOD.total_seconds() - time() % PERIOD.total_seconds()
    if left < LONGEST_TEST:
        await asyncio.sleep(left)
    await poll(hass)


async def issues(api: Api) -> dict[str, list[set[str]]]:
    """Return what Home Assistant finds wrong with each source and each device."""
    found = await api.command("energy/validate")
    return {
        kind: [{issue["type"] for issue in issues} for issues in items]
        for kind, items in found.items()
    }


async def fill(hass: HomeAssistant, api: Api) -> None:
    await api.command("simulated_past/fill")
    await async_wait_recording_done(hass)


async def history(api: Api, period: str, *entity_ids: str) -> History:
    """Return all statistics of ``entity_ids``."""
    found: History = await api.command(
        "recorder/statistics_during_period",
        start_time=(dt_util.utcnow() - timedelta(days=5)).isoformat(),
        statistic_ids=list(entity_ids),
        period=period,
        types=["state", "sum", "change", "mean", "min", "max"],
    )
    return {
        entity: [
            {key: value and round(value, 6) for key, value in row.items()}
            for row in rows
        ]
        for entity, rows in found.items()
    }


def entity_id(group: GroupView, key: str) -> str:
    return group.entity_ids["sensor", f"{group.group_id}_group_{key}"]


async def test_home_assistant_finds_nothing_wrong(
    hass: HomeAssistant, api: Api, group: GroupView
) -> None:
    await set_up_energy_dashboard(api, [group])
    await fill(hass, api)
    assert await issues(api) == {
        "energy_sources": [set()] * len(SOURCES),
        "device_consumption": [set()] * CONNECTED_SMART_LOADS,
        "device_consumption_water": [],
    }


async def test_what_shows_nothing_has_no_past(
    hass: HomeAssistant, api: Api, group: GroupView, simulated_entry: MockConfigEntry
) -> None:
    """As after a restart with polling off: ``scripts/develop`` must come up all the same."""
    await simulated_entry.runtime_data.async_set_polling(on=False)
    counter, power = entity_id(group, "pv_energy_total"), entity_id(group, "pv_power")
    await fill(hass, api)
    assert set(await history(api, "hour", counter, power)) == {counter}


async def test_home_assistant_would_find_it(
    hass: HomeAssistant, api: Api, group: GroupView
) -> None:
    """Wrong sensors at the same places: the check above can fail."""
    preferences = energy_preferences([group])
    grid, solar, battery = preferences["energy_sources"]
    charge = entity_id(group, "battery_soc")
    grid["power_config"] = {"stat_rate": grid["stat_energy_from"]}
    solar["stat_energy_from"] = battery["stat_energy_from"] = charge
    await api.command("energy/save_prefs", **preferences)
    await fill(hass, api)
    wrong_grid, wrong_solar, wrong_battery = (await issues(api))["energy_sources"]
    assert wrong_grid == {
        "entity_unexpected_device_class",
        "entity_unexpected_state_class",
    }
    assert "entity_unexpected_device_class" in wrong_solar & wrong_battery


@pytest.mark.parametrize(
    ("hour", "imports", "discharges"),
    [(5, True, False), (9, False, False), (12, False, False), (19, False, True)],
)
async def test_powers_have_the_signs_of_the_dashboard(
    hass: HomeAssistant,
    api: Api,
    start_group: StartGroup,
    hour: int,
    imports: bool,
    discharges: bool,
) -> None:
    """Of import and of discharging, which it counts as +."""
    wire = await start_group()
    wire.clock.move(hours=24 - NOON.hour + hour)
    assert await wire.set_up()
    await set_up_energy_dashboard(api, await read_groups(api))
    await hass.async_block_till_done()
    shown_powers = {
        state["entity_id"]: state["state"] for state in await api.command("get_states")
    }
    rates = {
        source["type"]: float(shown_powers[source["stat_rate"]])
        for source in (await api.command("energy/get_prefs"))["energy_sources"]
    }
    powers = wire.group.powers
    discharging = -sum(share.battery for share in powers.shares)
    assert rates == {
        "grid": pytest.approx(-powers.meter, abs=2),
        "solar": pytest.approx(sum(share.pv for share in powers.shares), abs=8),
        "battery": pytest.approx(discharging, abs=2),
    }
    assert (-powers.meter > 500) is imports
    assert (discharging > 500) is discharges


async def test_guide_names_the_same_sensors(
    hass: HomeAssistant, group: GroupView
) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    table = text.split("\n| --- |")[1].split("\n\n")[0].splitlines()[1:]
    guided = [row.strip("| ").split(" | ")[-1] for row in table]
    of_smart_loads = guided[-2:]
    assert all("smart load" in name for name in of_smart_loads)
    chosen = {
        str(sensor)
        for source in energy_preferences([group])["energy_sources"]
        for sensor in [*source.values(), *source.get("power_config", {}).values()]
    }
    assert sorted(f"Parallel group {name}" for name in guided[:-2]) == sorted(
        state.name for state in hass.states.async_all() if state.entity_id in chosen
    )


async def test_what_modules_do_not_tell_is_no_source(
    hass: HomeAssistant, api: Api, add_simulated: AddSimulated
) -> None:
    assert await set_up(hass, add_simulated(interface="module"))
    (group,) = await read_groups(api)
    await set_up_energy_dashboard(api, [group])
    preferences = await api.command("energy/get_prefs")
    (grid,) = preferences["energy_sources"]
    assert grid["stat_energy_from"] == entity_id(group, "grid_import_total")
    assert grid["stat_energy_to"] is None
    assert grid["stat_rate"] == entity_id(group, "grid_power")
    assert not preferences["device_consumption"]


async def test_what_was_set_up_is_left_alone(api: Api, group: GroupView) -> None:
    own = energy_preferences([group])
    del own["energy_sources"][1:]
    await api.command("energy/save_prefs", **own)
    before = await api.command("energy/get_prefs")
    await set_up_energy_dashboard(api, [group])
    assert await api.command("energy/get_prefs") == before


async def test_group_that_never_came_up_has_to_wait(api: Api, group: GroupView) -> None:
    absent = replace(group, group_id=None, entity_ids={}, readings={})
    await set_up_energy_dashboard(api, [absent])
    with pytest.raises(ApiError, match="not_found"):
        await api.command("energy/get_prefs")
    await set_up_energy_dashboard(api, [absent, group])
    preferences = await api.command("energy/get_prefs")
    assert len(preferences["energy_sources"]) == len(SOURCES)


@pytest.mark.parametrize("hour", [0, 5, 8, 10, 13, 18, 21])
async def test_past_is_what_the_integration_would_have_shown(
    hass: HomeAssistant, start_group: StartGroup, hour: int
) -> None:
    wire = await start_group()
    wire.clock.move(hours=24 - NOON.hour + hour)
    assert await wire.set_up()
    day_before = wire.clock.time - timedelta(days=1)
    past = shown(wire.group, load_profile(), [day_before, wire.clock.time])
    sensors = {key: state(hass, f"{wire.primary}_{key}").state for key in past}
    assert {key: values[-1] for key, values in past.items()} == {
        key: pytest.approx(float(sensor), abs=0.06 if "soc" in key else 0)
        for key, sensor in sensors.items()
    }


@pytest.mark.usefixtures("within_a_period")
async def test_live_statistics_go_on_from_the_past(
    hass: HomeAssistant, api: Api, group: GroupView
) -> None:
    """Even where Home Assistant made a row of its own before the past was there."""
    period = dt_util.utcnow()
    period = period.replace(minute=period.minute // 5 * 5, second=0, microsecond=0)
    do_adhoc_statistics(hass, start=period - PERIOD)
    await fill(hass, api)
    do_adhoc_statistics(hass, start=period)
    await async_wait_recording_done(hass)
    counters = [entity_id(group, key) for key in COUNTERS]
    for entity, rows in (await history(api, "5minute", *counters)).items():
        assert len(rows) > HOURS * 12
        assert dt_util.utc_from_timestamp(rows[-1]["start"] / 1000) == period
        live = hass.states.get(entity)
        assert live is not None
        assert rows[-1]["state"] == float(live.state)
        for earlier, later in pairwise(rows):
            counted = later["state"] - earlier["state"]
            assert later["start"] - earlier["start"] == PERIOD.total_seconds() * 1000
            assert later["sum"] - earlier["sum"] == pytest.approx(counted)
            assert 0 <= counted < 4 * 8 / 12


@pytest.mark.usefixtures("within_a_period")
async def test_hours_are_those_that_are_over(
    hass: HomeAssistant, api: Api, group: GroupView
) -> None:
    await set_up_energy_dashboard(api, [group])
    await fill(hass, api)
    power, energy = entity_id(group, "pv_power"), entity_id(group, "pv_energy_total")
    found = await history(api, "hour", power, energy)
    hours = [dt_util.utc_from_timestamp(row["start"] / 1000) for row in found[power]]
    this_hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    assert hours == [this_hour - timedelta(hours=back) for back in range(HOURS, 0, -1)]
    for measured, counted in zip(found[power], found[energy], strict=True):
        assert measured["mean"] / 1000 == pytest.approx(counted["change"], abs=1)
        assert measured["min"] <= measured["mean"] <= measured["max"]
    assert sum(row["change"] for row in found[energy]) > 100


@pytest.mark.usefixtures("within_a_period")
async def test_what_was_recorded_before_is_gone_on_from(
    hass: HomeAssistant, api: Api, group: GroupView
) -> None:
    """Home Assistant has no rows of the time when it did not run, or rows without a change."""
    entity = entity_id(group, "pv_energy_total")
    await fill(hass, api)
    whole = [await history(api, period, entity) for period in ("5minute", "hour")]
    ended = dt_util.utcnow() - timedelta(hours=5)
    with session_scope(session=get_instance(hass).get_session()) as session:
        session.add(RecorderRuns(start=ended - timedelta(hours=1), end=ended))
        for table, count in ((StatisticsShortTerm, 30), (Statistics, 2)):
            later = table.start_ts > ended.timestamp()
            session.execute(update(table).where(later).values(sum=0, state=0))
            latest = select(table.id).order_by(table.start_ts.desc()).limit(count)
            session.execute(delete(table).where(later, table.id.in_(latest)))
    broken = [await history(api, period, entity) for period in ("5minute", "hour")]
    await fill(hass, api)
    filled = [await history(api, period, entity) for period in ("5minute", "hour")]
    assert filled == whole != broken


@pytest.mark.usefixtures("within_a_period")
async def test_what_earlier_starts_recorded_is_kept(
    hass: HomeAssistant, api: Api, group: GroupView
) -> None:
    entity = entity_id(group, "pv_power")
    await fill(hass, api)
    ended = dt_util.utcnow() - timedelta(hours=5)
    with session_scope(session=get_instance(hass).get_session()) as session:
        session.add(RecorderRuns(start=ended - timedelta(hours=1), end=ended))
        session.execute(update(StatisticsShortTerm).values(mean=-1))
    await fill(hass, api)
    for row in (await history(api, "5minute", entity))[entity]:
        assert (row["mean"] == -1) is (row["start"] < ended.timestamp() * 1000)


async def test_real_inverters_have_no_past(
    hass: HomeAssistant, api: Api, start_group: StartGroup
) -> None:
    wire = await start_group(units=2)
    assert await wire.set_up()
    (group,) = await read_groups(api)
    await fill(hass, api)
    assert await history(api, "5minute", *group.entity_ids.values()) == {}


@pytest.mark.parametrize("before", [None, "my_own:", "my_own:\n"])
def test_past_is_loaded_by_every_configuration(
    tmp_path: Path, before: str | None
) -> None:
    configuration = tmp_path / "configuration.yaml"
    if before is not None:
        configuration.write_text(before, encoding="utf-8")
    for _ in range(2):
        prepare(tmp_path, 8123)
    lines = configuration.read_text(encoding="utf-8").splitlines()
    assert lines.count("simulated_past:") == 1
    assert before is None or lines[0] == before.strip()
    assert (tmp_path / "custom_components" / simulated_past.DOMAIN).is_dir()
