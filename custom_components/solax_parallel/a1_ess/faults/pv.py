"""The faults about the PV strings (grade sister)."""

from functools import partial

from .fault import Family, Fault

_fault = partial(Fault, family=Family.PV)

PV_FAULTS = (
    _fault(
        key="pv_voltage",
        name="PV voltage",
        meaning="The voltage of the PV strings is outside of what the inverter accepts.",
        steps=("note_display", "electrician_pv", "after_sales"),
    ),
    _fault(
        key="pv_reversed",
        name="PV reversed",
        meaning="Plus and minus of a PV string seem to be swapped.",
        steps=("do_not_touch", "electrician_pv", "after_sales"),
    ),
    _fault(
        key="isolation",
        name="Isolation",
        meaning=(
            "The insulation against earth seems to be too weak, for example because of moisture or a "
            "damaged cable. Metal parts may be live."
        ),
        steps=("do_not_touch", "electrician_leak", "after_sales"),
    ),
)
"""The faults of the PV's family."""
