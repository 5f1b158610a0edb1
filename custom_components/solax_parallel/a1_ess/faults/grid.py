"""The faults about the grid and its meter (grade sister)."""

from functools import partial

from .fault import Family, Fault

_fault = partial(Fault, Family.GRID)

GRID_FAULTS = (
    _fault(
        "grid_lost", ("outage", "breakers", "electrician_ac"), off_grid_consequence=True
    ),
    _fault(
        "grid_voltage",
        ("wait", "grid_operator", "electrician_ac"),
        off_grid_consequence=True,
    ),
    _fault("grid_frequency", ("wait", "grid_operator"), off_grid_consequence=True),
    _fault("ac_10min_voltage", ("wait", "grid_operator", "electrician_ac")),
    _fault("grid_relay", ("note_display", "restart")),
    _fault("missed_ct", ("meter_display", "electrician_meter")),
    _fault("meter", ("meter_display", "electrician_meter")),
)
"""The faults of the grid's family."""
