"""The faults about the inverter itself (grade sister)."""

from functools import partial

from .fault import Family, Fault

_fault = partial(Fault, Family.INTERNAL)

INTERNAL_FAULTS = (
    _fault("tz_protect", ("note_display", "less_load", "electrician_load")),
    _fault("bus_voltage", ("wait", "restart")),
    _fault("over_temperature", ("fresh_air", "less_load", "inverter_climate")),
    _fault("low_temperature", ("inverter_climate",)),
    _fault("internal_communication", ("restart", "installer_update")),
    _fault("fan", ("fresh_air",)),
    _fault("fan_2", ("fresh_air",)),
    _fault("earth_relay", ("do_not_touch", "electrician_ac")),
    _fault("inverter_eeprom", ("restart",)),
    _fault("manager_eeprom", ("restart",)),
    _fault("ntc_invalid", ("note_display", "restart")),
    _fault("power_type", ("note_display", "installer_update")),
    _fault("other_device", ("note_display", "other_devices")),
)
"""The faults of the inverter's own family."""
