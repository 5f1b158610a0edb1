"""The faults about how the inverters of a group work together."""

from collections.abc import Mapping
from functools import partial

from ..grade import Grade
from .fault import Family, Fault, Severity

_fault = partial(Fault, Family.PARALLEL)

PINS: Mapping[int, str] = {
    1: "SYSR_L",
    2: "SYSR_H",
    3: "CAN_L",
    4: "CAN_H",
    5: "RS485_BI_A",
    6: "RS485_BI_B",
    7: "+12 V",
    8: "GND",
}
"""The pins of the COMM chain as the vendor names them (grade vendor)."""

SYSTEM_FAULT = _fault(
    "parallel_system_fault",
    ("primary_first",),
    vendor_code="ParallSystem Fault",
    grade=Grade.VENDOR,
)

PARALLEL_FAULTS = (
    SYSTEM_FAULT,
    _fault(
        "eps_sync_lost",
        ("parallel_line",),
        vendor_code="EPSSyncLost",
        pins=(1, 2),
        grade=Grade.VENDOR,
    ),
    _fault(
        "parallel_config_fault",
        ("same_configuration", "primary_setting", "secondary_settings"),
        vendor_code="Parallel CfgFault",
        grade=Grade.VENDOR,
    ),
    _fault(
        "parallel_can_warning",
        ("primary_setting", "secondary_settings"),
        severity=Severity.WARNING,
        vendor_code="ParalCan CommsWarn",
        grade=Grade.VENDOR,
    ),
    _fault(
        "parallel_can_fault",
        ("parallel_line",),
        vendor_code="ParallelCAN ComFault",
        pins=(3, 4),
        grade=Grade.VENDOR,
    ),
    _fault(
        "parallel_rs485_fault",
        ("rs485_line", "primary_setting"),
        vendor_code="ParallelRS485 ComFault",
        pins=(5, 6),
        grade=Grade.VENDOR,
    ),
)
"""The six paralleling faults of the vendor's parallel instruction (grade vendor)."""

GENERIC_FAULT = _fault(
    "parallel_fault",
    ("note_display", "parallel_line", "primary_setting", "secondary_settings"),
)
"""The bit that stands for any trouble with paralleling (grade sister)."""

PRIMARY_SILENT = _fault(
    "primary_silent",
    ("primary_display", "breakers", "primary_link"),
    grade=Grade.ASSUMED,
)
"""What no inverter reports, but silence and a secondary's report together mean."""
