"""What an owner can do about a fault, step by step.

No step asks to open a cover, to unplug a power cable or to measure: such work is an electrician's
or the after-sales service's. The steps of the paralleling faults say in other words what the
vendor's parallel instruction asks to check (grade vendor), all others are this project's.
"""

from collections.abc import Mapping

STEPS: Mapping[str, str] = {
    # The paralleling faults
    "primary_first": (
        "Look at the primary inverter first: a fault of its own, shown in Home Assistant, on its "
        "display or in the SolaX app, is the one to solve."
    ),
    "parallel_line": (
        "Look at the COMM cables between the inverters, and to the BI or BI PRO if there is one: "
        "every plug is fully in, no cable is torn or squeezed, and the 120 ohm plug is in COMM "
        "IN of the last secondary. Only look: if a cover is in the way, leave it to an electrician."
    ),
    "rs485_line": (
        "Look at the RS485 line, which runs in the COMM cables between the inverters and to the BI "
        "or BI PRO if there is one: every plug and terminal is firm, and no cable is torn or "
        "squeezed. Only look: if a cover is in the way, leave it to an electrician."
    ),
    "primary_setting": (
        "In the SolaX app, open Menu > Setting > Advance Setting > Parallel Setting of the primary: "
        "its role is primary, and the number of units is the number of inverters in the group, the "
        "primary included."
    ),
    "secondary_settings": (
        "In the SolaX app, open Menu > Setting > Advance Setting > Parallel Setting of each "
        "secondary: every one has a secondary role, and no role is there twice."
    ),
    "same_configuration": (
        "Compare the inverters in the SolaX app and on their type labels: safety code, model and "
        "rated power are the same on all of them. If they are not, your installer has to put that "
        "right."
    ),
    "primary_display": (
        "Go to the primary inverter and look at its operation LED and display. If the LED flashes "
        "red, note the fault that is shown: that is the one to solve."
    ),
    "primary_link": (
        "Check that the module or gateway through which the primary is read has power and is "
        "connected to your network."
    ),
    # What is seen from outside
    "wait": "Wait a few minutes and look again: it may pass by itself.",
    "note_display": (
        "Note what the inverter's display or the SolaX app shows for it, word for word: after-sales "
        "service will ask for that."
    ),
    "note_battery": (
        "Look at the lamps or the display of the battery, and note what they show."
    ),
    "battery_on": (
        "Check that every battery is switched on in the way its manual says. If a breaker has "
        "tripped, leave it off and call an electrician."
    ),
    "breakers": (
        "Check that the main breaker and the inverter's breaker are on. If one has tripped, leave "
        "it off and call an electrician."
    ),
    "outage": (
        "Find out whether there is a power cut: ask a neighbour or the grid operator."
    ),
    "less_load": (
        "Switch off large consumers, such as heaters, pumps or a car charger, and see whether the "
        "fault goes."
    ),
    "charge": (
        "Let the battery charge: use little until the sun or the grid has filled it up a bit."
    ),
    "fresh_air": (
        "Check that nothing covers the inverter or blocks its air openings, and that the sun does "
        "not shine on it. Do not reach into the openings."
    ),
    "inverter_climate": (
        "Compare the temperature where the inverter hangs with the range in its manual, and wait "
        "until it is within that range."
    ),
    "battery_climate": (
        "Compare the temperature where the battery stands with the range in its manual, and wait "
        "until it is within that range."
    ),
    "meter_display": (
        "Look whether the meter is on, as far as that can be seen without opening anything."
    ),
    "other_devices": (
        "Look at the other devices of the system, such as batteries, meter, BI or generator: one of "
        "them may show a fault of its own."
    ),
    "restart": (
        "Restart the inverter once, exactly as its manual says. If you are not sure how, leave it "
        "to your installer."
    ),
    # What is dangerous
    "keep_away": (
        "If there is smoke, heat, a strange smell or a leak at the battery, keep away from it, "
        "leave the building and call the emergency services."
    ),
    "do_not_touch": (
        "Do not touch PV modules, their frames, cables or other metal parts of the system until an "
        "electrician has found the cause."
    ),
    # What others have to do
    "grid_operator": (
        "If it comes again, tell your grid operator or an electrician, who can measure the grid."
    ),
    "electrician_ac": (
        "Have an electrician check the AC connection and the earthing of the inverter."
    ),
    "electrician_load": (
        "If it comes again, have an electrician compare what is connected with what the inverters "
        "can deliver, and look for a short circuit."
    ),
    "electrician_meter": (
        "Have an electrician check the meter or current transformer and its cable."
    ),
    "electrician_pv": (
        "Have an electrician check the PV strings. Their cables carry a dangerous DC voltage "
        "whenever there is light: unplug and measure nothing yourself."
    ),
    "electrician_leak": (
        "Have an electrician find the place where current leaks to earth. PV and battery cables "
        "carry a dangerous DC voltage: unplug and measure nothing yourself."
    ),
    "electrician_battery": (
        "Have an electrician or your installer check the battery and its cables. They carry a "
        "dangerous DC voltage: open, unplug and measure nothing yourself."
    ),
    "installer_match": (
        "Ask your installer whether all batteries are of a kind, maker and software version that "
        "the inverter and the other batteries can work with, and whether they are set up for that."
    ),
    "installer_update": (
        "Ask your installer or after-sales service whether a firmware update helps. All inverters "
        "of a parallel group need the same firmware."
    ),
    "after_sales": (
        "If the fault still stands, contact after-sales service. Have ready: the serial number, the "
        "name of the fault, and the time at which it came."
    ),
}
"""Every step by its key, in plain English."""
