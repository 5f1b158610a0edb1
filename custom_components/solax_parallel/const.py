"""Names shared by the Home Assistant side."""

from enum import StrEnum
from typing import Final

from .a1_ess.counters import BELIEVED_AT_ONCE

DOMAIN: Final = "solax_parallel"
MANUFACTURER: Final = "SolaX Power"

CONF_ALLOW_CONTROL: Final = "allow_control"
CONF_ADVANCED: Final = "advanced"
CONF_BAUDRATE: Final = "baudrate"
CONF_BACKUP_INTERFACE: Final = "backup_interface"
CONF_COMBINER_BOX: Final = "combiner_box"
CONF_FRAMER: Final = "framer"
CONF_INTERFACE: Final = "interface"
CONF_LINK: Final = "link"
CONF_HIDDEN: Final = "hidden"
CONF_MESSAGE_SPACING: Final = "message_spacing"
CONF_MINIMUM_SWITCH_TIME: Final = "minimum_switch_time"
CONF_MODEL_TYPE: Final = "model_type"
CONF_POLLING: Final = "polling"
CONF_RATED_POWER: Final = "rated_power"
CONF_REQUIRE_COMPLETE: Final = "require_complete"
CONF_ROLE: Final = "role"
CONF_SERIAL_NUMBER: Final = "serial_number"
CONF_SIMULATED: Final = "simulated"
CONF_SMART_LOADS: Final = "smart_loads"
CONF_TERMINATION: Final = "termination"
CONF_UNIT_ID: Final = "unit_id"
CONF_UNITS: Final = "units"
CONF_WIRING_ORDER: Final = "wiring_order"

DENIED: Final = "denied"
"""The serial numbers of inverters whose modules want another password."""

MODBUS: Final = "modbus"
MODULE: Final = "module"
"""How the inverters of a simulated group are read."""

DEFAULT_PORT: Final = 502
DEFAULT_BAUDRATE: Final = 19200
"""The rate that the inverters are delivered with (grade sister)."""
DEFAULT_SCAN_INTERVAL: Final = 10
"""Seconds between two polls."""
SHORTEST_SCAN_INTERVAL: Final = 5
LONGEST_SCAN_INTERVAL: Final = BELIEVED_AT_ONCE
"""What an owner can choose instead, in seconds."""
DEFAULT_MESSAGE_SPACING: Final = 100
"""Milliseconds of silence between two requests."""
DEFAULT_TIMEOUT: Final = 3
"""Seconds that one request may take."""
DEFAULT_MINIMUM_SWITCH_TIME: Final = 60
"""Seconds that a smart load stays on or off at least: relays wear."""

FAULT_EVENT: Final = "fault"
"""The key of the event entity that tells of an inverter's faults."""
FAULT_WORD: Final = "inverter_faults"
"""The register without which an inverter tells no faults."""
CLEARED: Final = "_cleared"
"""How the type of an event ends that tells of the end of a fault."""
GROUP_EVENT: Final = "event"
"""The key of the event entity that tells what happens to the group."""


class GroupEventType(StrEnum):
    """What the event of the group fires."""

    OFF_GRID = "off_grid"
    ON_GRID = "on_grid"
    UNIT_LOST = "unit_lost"
    UNIT_BACK = "unit_back"
    GROUP_INCOMPLETE = "group_incomplete"
    GROUP_COMPLETE = "group_complete"
    SPLIT = "split"
    SPLIT_OVER = "split_over"
    TRANSFER_TEST_STARTED = "transfer_test_started"
    TRANSFER_TEST_PASSED = "transfer_test_passed"
    TRANSFER_TEST_FAILED = "transfer_test_failed"
    TRANSFER_TEST_ABORTED = "transfer_test_aborted"


YES: Final = "yes"
NO: Final = "no"
"""The answers to what only the owner knows: a switch could not be left unanswered."""
