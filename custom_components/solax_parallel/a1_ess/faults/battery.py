"""The faults about the battery (grade sister)."""

from functools import partial

from .fault import Family, Fault

_fault = partial(Fault, family=Family.BATTERY)

BATTERY_FAULTS = (
    _fault(
        key="battery_voltage",
        name="Battery voltage",
        meaning="The inverter finds a battery voltage outside of what it accepts.",
        steps=("battery_on", "note_battery", "electrician_battery", "after_sales"),
    ),
    _fault(
        key="battery_reversed",
        name="Battery reversed",
        meaning="Plus and minus of the battery seem to be swapped.",
        steps=("keep_away", "electrician_battery", "after_sales"),
    ),
    _fault(
        key="battery_power_low",
        name="Battery power low",
        meaning="The battery seems to hold too little to go on.",
        steps=("charge", "battery_on", "note_battery", "after_sales"),
    ),
    _fault(
        key="charger_relay",
        name="Charger relay",
        meaning="The relay between inverter and battery does not seem to switch as it should.",
        steps=("note_display", "restart", "after_sales"),
    ),
    _fault(
        key="bms_lost",
        name="BMS lost",
        meaning=(
            "The inverter does not hear the battery's management system (BMS), which watches over "
            "the cells."
        ),
        steps=("battery_on", "note_battery", "electrician_battery", "after_sales"),
    ),
    _fault(
        key="battery_temperature_low",
        name="Battery temperature low",
        meaning="The battery is too cold.",
        steps=("battery_climate", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_temperature_high",
        name="Battery temperature high",
        meaning="The battery is too hot.",
        steps=(
            "keep_away",
            "less_load",
            "battery_climate",
            "note_battery",
            "after_sales",
        ),
    ),
    _fault(
        key="battery_external",
        name="Battery external",
        meaning="The battery reports a fault that is outside of it. The name does not say where.",
        steps=("note_battery", "electrician_battery", "after_sales"),
    ),
    _fault(
        key="battery_internal",
        name="Battery internal",
        meaning="The battery reports a fault inside of it.",
        steps=("keep_away", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_overvoltage",
        name="Battery overvoltage",
        meaning="The voltage of the battery, or of a part of it, is too high.",
        steps=("keep_away", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_undervoltage",
        name="Battery undervoltage",
        meaning="The voltage of the battery, or of a part of it, is too low. It may be empty.",
        steps=("charge", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_charge_overcurrent",
        name="Battery charge overcurrent",
        meaning="The battery was charged with too high a current.",
        steps=("wait", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_discharge_overcurrent",
        name="Battery discharge overcurrent",
        meaning="More current was drawn from the battery than it can deliver.",
        steps=("less_load", "wait", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_cell_imbalance",
        name="Battery cell imbalance",
        meaning="The cells of the battery differ too much from each other.",
        steps=("note_battery", "after_sales"),
    ),
    _fault(
        key="battery_hardware_protect",
        name="Battery hardware protect",
        meaning="A protection in the battery's hardware has responded. The name does not say why.",
        steps=("keep_away", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_circuit",
        name="Battery circuit",
        meaning="The battery reports a fault of one of its circuits.",
        steps=("keep_away", "note_battery", "electrician_battery", "after_sales"),
    ),
    _fault(
        key="battery_isolation",
        name="Battery isolation",
        meaning=(
            "The insulation of the battery against earth seems to be too weak. Metal parts may be "
            "live."
        ),
        steps=("do_not_touch", "electrician_leak", "after_sales"),
    ),
    _fault(
        key="battery_voltage_sensor",
        name="Battery voltage sensor",
        meaning="The battery can't measure a voltage as it should.",
        steps=("note_battery", "after_sales"),
    ),
    _fault(
        key="battery_temperature_sensor",
        name="Battery temperature sensor",
        meaning="The battery can't measure a temperature as it should.",
        steps=("note_battery", "after_sales"),
    ),
    _fault(
        key="battery_current_sensor",
        name="Battery current sensor",
        meaning="The battery can't measure its current as it should.",
        steps=("note_battery", "after_sales"),
    ),
    _fault(
        key="battery_relay",
        name="Battery relay",
        meaning="A relay of the battery does not seem to switch as it should.",
        steps=("note_battery", "after_sales"),
    ),
    _fault(
        key="battery_type_mismatch",
        name="Battery type mismatch",
        meaning="The type of the battery does not fit the other batteries or the inverter.",
        steps=("installer_match", "after_sales"),
    ),
    _fault(
        key="battery_version_mismatch",
        name="Battery version mismatch",
        meaning="The version of the battery does not fit the other batteries or the inverter.",
        steps=("installer_match", "after_sales"),
    ),
    _fault(
        key="battery_manufacturer_mismatch",
        name="Battery manufacturer mismatch",
        meaning="The maker of the battery does not fit the other batteries or the inverter.",
        steps=("installer_match", "after_sales"),
    ),
    _fault(
        key="battery_software_mismatch",
        name="Battery software mismatch",
        meaning="The software of the battery does not fit the other batteries or the inverter.",
        steps=("installer_match", "after_sales"),
    ),
    _fault(
        key="battery_master_slave_mismatch",
        name="Battery master/slave mismatch",
        meaning="The master and slave parts of the battery do not fit each other.",
        steps=("installer_match", "after_sales"),
    ),
    _fault(
        key="battery_charge_request_no_response",
        name="Battery charge request no response",
        meaning="The battery has asked to be charged, and nothing happened.",
        steps=("charge", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_software_protect",
        name="Battery software protect",
        meaning="A protection in the battery's software has responded. The name does not say why.",
        steps=("wait", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_self_check",
        name="Battery self check",
        meaning="The battery has failed its own check.",
        steps=("note_battery", "after_sales"),
    ),
    _fault(
        key="battery_temperature_difference",
        name="Battery temperature difference",
        meaning="Parts of the battery differ too much in temperature.",
        steps=("keep_away", "battery_climate", "note_battery", "after_sales"),
    ),
    _fault(
        key="battery_break",
        name="Battery break",
        meaning="A connection in or to the battery seems to be broken.",
        steps=("keep_away", "electrician_battery", "after_sales"),
    ),
    _fault(
        key="battery_flash",
        name="Battery flash",
        meaning="The memory in which the battery keeps its program or settings reports an error.",
        steps=("note_battery", "after_sales"),
    ),
    _fault(
        key="battery_precharge",
        name="Battery precharge",
        meaning="The battery could not prepare to be connected (precharge).",
        steps=("note_battery", "electrician_battery", "after_sales"),
    ),
    _fault(
        key="battery_air_switch",
        name="Battery air switch",
        meaning="The breaker of the battery (air switch) is off, has tripped, or does not work.",
        steps=("battery_on", "electrician_battery", "after_sales"),
    ),
)
"""The faults of the battery's family."""
