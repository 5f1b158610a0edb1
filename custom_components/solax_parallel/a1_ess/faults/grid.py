"""The faults about the grid and its meter (grade sister)."""

from functools import partial

from .fault import Family, Fault

_fault = partial(Fault, family=Family.GRID)

GRID_FAULTS = (
    _fault(
        key="grid_lost",
        name="Grid lost",
        off_grid_consequence=True,
        meaning=(
            "The inverter sees no grid. While it runs off-grid that is expected, and not shown as a "
            "problem."
        ),
        steps=("outage", "breakers", "electrician_ac", "after_sales"),
    ),
    _fault(
        key="grid_voltage",
        name="Grid voltage",
        off_grid_consequence=True,
        meaning="The voltage of the grid is outside of what the inverter accepts.",
        steps=("wait", "grid_operator", "electrician_ac", "after_sales"),
    ),
    _fault(
        key="grid_frequency",
        name="Grid frequency",
        off_grid_consequence=True,
        meaning="The frequency of the grid is outside of what the inverter accepts.",
        steps=("wait", "grid_operator", "after_sales"),
    ),
    _fault(
        key="ac_10min_voltage",
        name="AC 10-minute voltage",
        meaning=(
            "The voltage of the grid, taken over ten minutes, is outside of what the inverter "
            "accepts."
        ),
        steps=("wait", "grid_operator", "electrician_ac", "after_sales"),
    ),
    _fault(
        key="grid_relay",
        name="Grid relay",
        meaning=(
            "The relay that joins the inverter to the grid does not seem to switch as it should."
        ),
        steps=("note_display", "restart", "after_sales"),
    ),
    _fault(
        key="missed_ct",
        name="CT or meter missing",
        meaning=(
            "The inverter does not find its current transformer (CT) or meter, so it may not know "
            "what flows to and from the grid."
        ),
        steps=("meter_display", "electrician_meter", "after_sales"),
    ),
    _fault(
        key="meter",
        name="Meter",
        meaning=(
            "Something is wrong with the meter or with hearing it, so the inverter may not know what "
            "flows to and from the grid."
        ),
        steps=("meter_display", "electrician_meter", "after_sales"),
    ),
)
"""The faults of the grid's family."""
