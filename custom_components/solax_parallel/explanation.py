"""The root cause of a trouble in one sentence, in the language of the house."""

from collections.abc import Collection, Iterable

from .a1_ess.codes import Role
from .a1_ess.inverter_state import InverterState
from .a1_ess.root_cause import RootCause
from .words import Words


def explain(cause: RootCause, members: Collection[InverterState], words: Words) -> str:
    """Return the cause with the units, faults, cable and failed checks that it is about.

    ``members`` are the inverters that it was found among.
    """
    parts = {
        "units": _roles(cause.units, words),
        "reports": ", ".join(_report(fault, members, words) for fault in cause.faults),
        "checks": ", ".join(words("check", check) for check in cause.checks),
    }
    key = f"inferred_{cause.cause}" if cause.inferred else str(cause.cause)
    if cause.segment is not None:
        key += "_segment"
        parts["start"], parts["end"] = (words("role", role) for role in cause.segment)
    elif cause.ruled_out:
        key += "_ruled_out"
    parts["cause"] = words("cause", key).format(**parts)
    evidence = "checks" if cause.checks else "reports" if cause.faults else "alone"
    sentence = words("explanation", evidence).format(**parts)
    if not cause.untold:
        return sentence
    untold = words("explanation", "untold").format(units=_roles(cause.untold, words))
    return f"{sentence} {untold}"


def _report(fault: str, members: Iterable[InverterState], words: Words) -> str:
    """Return a fault and the units that report it."""
    units = [
        member.shown_role
        for member in members
        if fault in (member.problems or ()) or fault in (member.parallel_faults or ())
    ]
    return words("explanation", "report").format(
        fault=words("fault", fault), units=_roles(units, words)
    )


def _roles(roles: Iterable[Role], words: Words) -> str:
    return ", ".join(words("role", role) for role in roles)
