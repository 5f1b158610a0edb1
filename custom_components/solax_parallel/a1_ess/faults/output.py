"""The faults about what the inverter delivers (grade sister)."""

from functools import partial

from .fault import Family, Fault, Severity

_fault = partial(Fault, Family.OUTPUT)

OUTPUT_FAULTS = (
    _fault("dci_overcurrent", ("wait", "restart")),
    _fault("software_overcurrent", ("note_display", "less_load", "electrician_load")),
    _fault("rc_overcurrent", ("do_not_touch", "electrician_leak")),
    _fault("rcd", ("do_not_touch", "electrician_leak")),
    _fault("overload", ("less_load", "wait", "electrician_load")),
    _fault("off_grid_overload", ("less_load", "wait", "electrician_load")),
    _fault("off_grid_relay", ("note_display", "restart")),
    _fault("bypass_relay", ("note_display", "restart")),
    _fault(
        "port_overcurrent",
        ("note_display", "less_load", "electrician_load"),
        severity=Severity.WARNING,
    ),
)
"""The faults of the output's family."""
