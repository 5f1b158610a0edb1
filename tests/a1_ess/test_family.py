"""The register map, which is data of its own, is that of the same family."""

from custom_components.solax_parallel.a1_ess.codes import Role
from custom_components.solax_parallel.a1_ess.family import (
    MAX_UNITS,
    SMART_LOADS,
)
from custom_components.solax_parallel.a1_ess.module import MODEL_TYPES
from custom_components.solax_parallel.a1_ess.profile import Profile
from custom_components.solax_parallel.a1_ess.roster import SECONDARIES


def test_the_map_has_each_smart_load_and_no_other(profile: Profile) -> None:
    states = {key for key in profile.registers if key.startswith("smart_load_")}
    assert {int(key.split("_")[2]) for key in states} == set(SMART_LOADS)
    switches = {key for key in profile.commands if key.endswith("_switch")}
    assert switches == {f"smart_load_{number}_switch" for number in SMART_LOADS}


def test_the_map_has_as_many_inverters(profile: Profile) -> None:
    bounds = profile.registers["unit_quantity"].bounds
    assert bounds is not None
    assert (bounds.min, bounds.max) == (0, MAX_UNITS)
    assert len([Role.PRIMARY, *SECONDARIES]) == MAX_UNITS


def test_a_module_and_the_map_know_the_same_inverters(profile: Profile) -> None:
    assert profile.registers["model_type"].values == MODEL_TYPES
