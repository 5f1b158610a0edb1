"""The page about faults."""

from collections.abc import Iterator

from custom_components.solax_parallel.a1_ess.faults import (
    GUIDE,
    PINS,
    PRIMARY_SILENT,
    Family,
    Fault,
    Severity,
)
from custom_components.solax_parallel.a1_ess.grade import Grade

from .texts import option

_INTRODUCTION = """\
# Faults

<!-- Written by scripts/docs from custom_components/solax_parallel/a1_ess/faults and
custom_components/solax_parallel/translations/en.json: change those. -->

What the inverters of a parallel group can report, what it means, and what you can do about it. Home
Assistant shows the same under *Settings > System > Repairs* when a fault has stood for two polls,
leads through the steps, and then reads the inverters again.

**How well is this known?** Each fault says so:

- *vendor*: SolaX prints the fault in its instruction for A1-ESS-G2 parallel groups; meaning and
  steps follow it, in other words.
- *sister*: a SolaX document for a sister family names the fault. No document for this family
  explains it: meaning and steps are ours, read out of the name.
- *assumed*: this integration concludes it; no inverter reports it.

Pins are those of the COMM chain. Which of them a fault is about is always **our inference, not the
vendor's word**. That the operation LED flashes red for a fault is the vendor's word; that it stays
as it is for a warning is ours.

Never open an inverter, a battery or a BI, and never unplug or measure power cables: PV and battery
carry a dangerous DC voltage even when everything is switched off."""

_FAMILIES = {
    Family.PARALLEL: "Parallel operation",
    Family.GRID: "Grid and meter",
    Family.PV: "PV",
    Family.BATTERY: "Battery",
    Family.OUTPUT: "Output",
    Family.INTERNAL: "Inverter",
}
_OF_GROUP = "how the group is joined or configured"
_OF_UNIT = "one inverter and what is connected to it"
_LEDS = {
    Severity.FAULT: "flashes red",
    Severity.WARNING: "stays as it is",
}
_GRADES = {
    Grade.VENDOR: "vendor",
    Grade.SISTER: "sister: the name only",
    Grade.ASSUMED: "assumed",
}


def fault_page() -> str:
    """Return the page in Markdown."""
    return "\n\n".join([_INTRODUCTION, *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    for family, title in _FAMILIES.items():
        yield f"## {title}"
        for fault in GUIDE.values():
            if fault.family is family:
                yield f"### {option('fault', fault.key)}"
                yield option("fault_meaning", fault.key)
                yield "\n".join(f"- {fact}" for fact in _facts(fault))
                yield "\n".join(
                    f"{number}. {option('fault_step', step)}"
                    for number, step in enumerate(fault.steps, start=1)
                )


def _facts(fault: Fault) -> Iterator[str]:
    yield f"Key: `{fault.key}`"
    if fault.vendor_code is not None:
        yield f"Code shown by the inverter: `{fault.vendor_code}`"
    yield f"Severity: {fault.severity}"
    of_group = fault.family is Family.PARALLEL
    yield f"It is about: {_OF_GROUP if of_group else _OF_UNIT}"
    if fault is not PRIMARY_SILENT:
        yield f"Operation LED: {_LEDS[fault.severity]}"
    if fault.pins:
        pins = ", ".join(f"{pin} {PINS[pin]}" for pin in fault.pins)
        yield f"Pins: {pins} (our inference, not the vendor's word)"
    if fault.off_grid_consequence:
        yield "While running off-grid: expected, and not shown as a problem"
    yield f"Known from: {_GRADES[fault.grade]}"
