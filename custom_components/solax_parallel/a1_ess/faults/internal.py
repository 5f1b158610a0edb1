"""The faults about the inverter itself (grade sister)."""

from functools import partial

from .fault import Family, Fault

_fault = partial(Fault, family=Family.INTERNAL)

INTERNAL_FAULTS = (
    _fault(
        key="tz_protect",
        name="Overcurrent trip (TZ protect)",
        meaning=(
            "A protection seems to have stopped the inverter because of a current that was far too "
            "high."
        ),
        steps=("note_display", "less_load", "electrician_load", "after_sales"),
    ),
    _fault(
        key="bus_voltage",
        name="Bus voltage",
        meaning="A voltage inside the inverter, that of its bus, is not what it should be.",
        steps=("wait", "restart", "after_sales"),
    ),
    _fault(
        key="over_temperature",
        name="Over-temperature",
        meaning="The inverter is too hot.",
        steps=("fresh_air", "less_load", "inverter_climate", "after_sales"),
    ),
    _fault(
        key="low_temperature",
        name="Low temperature",
        meaning="The inverter is too cold.",
        steps=("inverter_climate", "after_sales"),
    ),
    _fault(
        key="internal_communication",
        name="Internal communication",
        meaning="Parts of the inverter can't communicate with each other.",
        steps=("restart", "installer_update", "after_sales"),
    ),
    _fault(
        key="fan",
        name="Fan",
        meaning="A fan of the inverter does not seem to run as it should.",
        steps=("fresh_air", "after_sales"),
    ),
    _fault(
        key="fan_2",
        name="Fan 2",
        meaning="The second fan of the inverter does not seem to run as it should.",
        steps=("fresh_air", "after_sales"),
    ),
    _fault(
        key="earth_relay",
        name="Earth relay",
        meaning=(
            "The relay that has to do with the earthing does not seem to switch as it should. "
            "Protection against electric shock may depend on it."
        ),
        steps=("do_not_touch", "electrician_ac", "after_sales"),
    ),
    _fault(
        key="inverter_eeprom",
        name="Inverter EEPROM",
        meaning="The memory in which the inverter keeps its settings reports an error.",
        steps=("restart", "after_sales"),
    ),
    _fault(
        key="manager_eeprom",
        name="Manager EEPROM",
        meaning=(
            "The memory in which the inverter's manager keeps its settings reports an error."
        ),
        steps=("restart", "after_sales"),
    ),
    _fault(
        key="ntc_invalid",
        name="Temperature sensor (NTC) invalid",
        meaning="A temperature sensor gives no value that can be used.",
        steps=("note_display", "restart", "after_sales"),
    ),
    _fault(
        key="power_type",
        name="Power type",
        meaning=(
            "The parts of the inverter do not seem to agree on its type or its rated power."
        ),
        steps=("note_display", "installer_update", "after_sales"),
    ),
    _fault(
        key="other_device",
        name="Other device",
        meaning="Another device of the system has a fault. The name does not say which.",
        steps=("note_display", "other_devices", "after_sales"),
    ),
)
"""The faults of the inverter's own family."""
