"""Faults in words, in the language of the house: what they mean and what to do."""

from collections.abc import Iterator

from .a1_ess.faults import PINS, Fault
from .words import Words


def fault_in_words(fault: Fault, words: Words) -> dict[str, str]:
    """Return what fills in the texts about any fault, by placeholder."""
    return {
        "fault": words("fault", fault.key),
        "meaning": words("fault_meaning", fault.key),
        "details": "\n".join(f"- {detail}" for detail in _details(fault, words)),
        "steps": "\n".join(
            f"{number}. {step}"
            for number, step in enumerate(steps_in_words(fault, words), start=1)
        ),
        "origin": words("fault_origin", fault.grade),
    }


def steps_in_words(fault: Fault, words: Words) -> list[str]:
    """Return what to do about a fault, one instruction each."""
    return [words("fault_step", step) for step in fault.steps]


def _details(fault: Fault, words: Words) -> Iterator[str]:
    if fault.vendor_code is not None:
        yield f"{words('fault_detail', 'vendor_code')}: {fault.vendor_code}"
    if fault.pins:
        pins = ", ".join(f"{pin} {PINS[pin]}" for pin in fault.pins)
        yield f"{words('fault_detail', 'pins')}: {pins}"
