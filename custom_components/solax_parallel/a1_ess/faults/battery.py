"""The faults about the battery (grade sister)."""

from functools import partial

from .fault import Family, Fault

_fault = partial(Fault, Family.BATTERY)

BATTERY_FAULTS = (
    _fault("battery_voltage", ("battery_on", "note_battery", "electrician_battery")),
    _fault("battery_reversed", ("keep_away", "electrician_battery")),
    _fault("battery_power_low", ("charge", "battery_on", "note_battery")),
    _fault("charger_relay", ("note_display", "restart")),
    _fault("bms_lost", ("battery_on", "note_battery", "electrician_battery")),
    _fault("battery_temperature_low", ("battery_climate", "note_battery")),
    _fault(
        "battery_temperature_high",
        ("keep_away", "less_load", "battery_climate", "note_battery"),
    ),
    _fault("battery_external", ("note_battery", "electrician_battery")),
    _fault("battery_internal", ("keep_away", "note_battery")),
    _fault("battery_overvoltage", ("keep_away", "note_battery")),
    _fault("battery_undervoltage", ("charge", "note_battery")),
    _fault("battery_charge_overcurrent", ("wait", "note_battery")),
    _fault("battery_discharge_overcurrent", ("less_load", "wait", "note_battery")),
    _fault("battery_cell_imbalance", ("note_battery",)),
    _fault("battery_hardware_protect", ("keep_away", "note_battery")),
    _fault("battery_circuit", ("keep_away", "note_battery", "electrician_battery")),
    _fault("battery_isolation", ("do_not_touch", "electrician_leak")),
    _fault("battery_voltage_sensor", ("note_battery",)),
    _fault("battery_temperature_sensor", ("note_battery",)),
    _fault("battery_current_sensor", ("note_battery",)),
    _fault("battery_relay", ("note_battery",)),
    _fault("battery_type_mismatch", ("installer_match",)),
    _fault("battery_version_mismatch", ("installer_match",)),
    _fault("battery_manufacturer_mismatch", ("installer_match",)),
    _fault("battery_software_mismatch", ("installer_match",)),
    _fault("battery_master_slave_mismatch", ("installer_match",)),
    _fault("battery_charge_request_no_response", ("charge", "note_battery")),
    _fault("battery_software_protect", ("wait", "note_battery")),
    _fault("battery_self_check", ("note_battery",)),
    _fault(
        "battery_temperature_difference",
        ("keep_away", "battery_climate", "note_battery"),
    ),
    _fault("battery_break", ("keep_away", "electrician_battery")),
    _fault("battery_flash", ("note_battery",)),
    _fault("battery_precharge", ("note_battery", "electrician_battery")),
    _fault("battery_air_switch", ("battery_on", "electrician_battery")),
)
"""The faults of the battery's family."""
