"""What the owner says of the installation: from forms to options, and from options to the group."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry

from .a1_ess.codes import BackupInterfaceType, Role
from .a1_ess.installation import Installation
from .const import (
    CONF_BACKUP_INTERFACE,
    CONF_COMBINER_BOX,
    CONF_ROLE,
    CONF_SIMULATED,
    CONF_SMART_LOADS,
    CONF_TERMINATION,
    CONF_UNITS,
    CONF_WIRING_ORDER,
    NO,
    YES,
)
from .forms import PLACES

_ANSWERS = {YES: True, NO: False, None: None}


def installation_from(options: Mapping[str, Any]) -> Installation:
    """Return what the owner answered, from options or from a form that becomes options."""
    backup_interface = options.get(CONF_BACKUP_INTERFACE)
    order = options.get(CONF_WIRING_ORDER)
    return Installation(
        combiner_box=_ANSWERS[options.get(CONF_COMBINER_BOX)],
        termination=_ANSWERS[options.get(CONF_TERMINATION)],
        backup_interface=(
            None if backup_interface is None else BackupInterfaceType(backup_interface)
        ),
        wiring_order=None if order is None else tuple(map(Role, order)),
    )


def installation_of(entry: ConfigEntry) -> Installation:
    """Return what is known of the installation of an entry's group.

    A simulated one has what it needs, and hangs in the order of its roles unless its owner
    wants another.
    """
    answered = installation_from(entry.options)
    if CONF_SIMULATED not in entry.data:
        return answered
    roles = [Role(unit[CONF_ROLE]) for unit in entry.data[CONF_UNITS]]
    return replace(
        answered,
        combiner_box=True,
        termination=True,
        wiring_order=answered.wiring_order or tuple(roles[1:]),
    )


def with_answers(
    options: Mapping[str, Any], asked: Iterable[object], form: Mapping[str, Any]
) -> dict[str, Any]:
    """Return options with what a form says to the questions that were ``asked``.

    What was left open is not known; what was not asked stays as it was, and so do the smart
    loads where the form says nothing of them.
    """
    questions = {str(question) for question in asked}
    if CONF_SMART_LOADS not in form:
        questions.discard(CONF_SMART_LOADS)
    answers = {key: value for key, value in form.items() if key in questions}
    if CONF_WIRING_ORDER in answers:
        places = answers[CONF_WIRING_ORDER]
        answers[CONF_WIRING_ORDER] = [
            places[place] for place in PLACES if place in places
        ]
    return {
        **{key: value for key, value in options.items() if key not in questions},
        **{key: value for key, value in answers.items() if value != []},
    }
