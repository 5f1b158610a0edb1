"""The faults about the PV strings (grade sister)."""

from functools import partial

from .fault import Family, Fault

_fault = partial(Fault, Family.PV)

PV_FAULTS = (
    _fault("pv_voltage", ("note_display", "electrician_pv")),
    _fault("pv_reversed", ("do_not_touch", "electrician_pv")),
    _fault("isolation", ("do_not_touch", "electrician_leak")),
)
"""The faults of the PV's family."""
