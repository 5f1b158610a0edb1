"""The faults about what the inverter delivers (grade sister)."""

from functools import partial

from .fault import Family, Fault, Severity

_fault = partial(Fault, family=Family.OUTPUT)

OUTPUT_FAULTS = (
    _fault(
        key="dci_overcurrent",
        name="DC injection overcurrent",
        meaning="There seems to be too much direct current in what the inverter delivers as AC.",
        steps=("wait", "restart", "after_sales"),
    ),
    _fault(
        key="software_overcurrent",
        name="Software overcurrent",
        meaning="The inverter's software has found a current that is too high.",
        steps=("note_display", "less_load", "electrician_load", "after_sales"),
    ),
    _fault(
        key="rc_overcurrent",
        name="Residual current",
        meaning=(
            "Too much current seems to leak to earth, for example through moisture or a damaged "
            "cable. Metal parts may be live."
        ),
        steps=("do_not_touch", "electrician_leak", "after_sales"),
    ),
    _fault(
        key="rcd",
        name="Residual current device",
        meaning=(
            "The device that watches for current leaking to earth reports a fault: there may be such "
            "a current, or the device itself may not work."
        ),
        steps=("do_not_touch", "electrician_leak", "after_sales"),
    ),
    _fault(
        key="overload",
        name="Overload",
        meaning="More power is drawn than the inverter can deliver.",
        steps=("less_load", "wait", "electrician_load", "after_sales"),
    ),
    _fault(
        key="off_grid_overload",
        name="Off-grid overload",
        meaning="Without the grid, more power is drawn than the inverter can deliver.",
        steps=("less_load", "wait", "electrician_load", "after_sales"),
    ),
    _fault(
        key="off_grid_relay",
        name="Off-grid relay",
        meaning=(
            "The relay for the operation without the grid does not seem to switch as it should."
        ),
        steps=("note_display", "restart", "after_sales"),
    ),
    _fault(
        key="bypass_relay",
        name="Bypass relay",
        meaning="The bypass relay does not seem to switch as it should.",
        steps=("note_display", "restart", "after_sales"),
    ),
    _fault(
        key="port_overcurrent",
        name="Port overcurrent (warning)",
        severity=Severity.WARNING,
        meaning=(
            "The current at a port of the inverter is too high. Its name does not say which port is "
            "meant."
        ),
        steps=("note_display", "less_load", "electrician_load", "after_sales"),
    ),
)
"""The faults of the output's family."""
