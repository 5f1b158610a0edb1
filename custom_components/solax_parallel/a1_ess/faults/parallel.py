"""The faults about how the inverters of a group work together."""

from collections.abc import Mapping
from functools import partial

from ..grade import Grade
from .fault import Family, Fault, Scope, Severity

_fault = partial(Fault, family=Family.PARALLEL, scope=Scope.GROUP)

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
    key="parallel_system_fault",
    name="Parallel system fault",
    vendor_code="ParallSystem Fault",
    grade=Grade.VENDOR,
    meaning="The primary inverter has failed, and this inverter reports it.",
    steps=("primary_first", "after_sales"),
)

PARALLEL_FAULTS = (
    SYSTEM_FAULT,
    _fault(
        key="eps_sync_lost",
        name="EPS synchronisation lost",
        vendor_code="EPSSyncLost",
        pins=(1, 2),
        grade=Grade.VENDOR,
        meaning="The signal that keeps the inverters in step with each other is disturbed.",
        steps=("parallel_line", "after_sales"),
    ),
    _fault(
        key="parallel_config_fault",
        name="Parallel configuration fault",
        vendor_code="Parallel CfgFault",
        grade=Grade.VENDOR,
        meaning="The inverters of the group are not configured in a way that fits together.",
        steps=(
            "same_configuration",
            "primary_setting",
            "secondary_settings",
            "after_sales",
        ),
    ),
    _fault(
        key="parallel_can_warning",
        name="Parallel CAN warning",
        severity=Severity.WARNING,
        vendor_code="ParalCan CommsWarn",
        grade=Grade.VENDOR,
        meaning=(
            "A warning about the communication between the inverters (CAN). Roles or the number of "
            "units may be set wrongly."
        ),
        steps=("primary_setting", "secondary_settings", "after_sales"),
    ),
    _fault(
        key="parallel_can_fault",
        name="Parallel CAN fault",
        vendor_code="ParallelCAN ComFault",
        pins=(3, 4),
        grade=Grade.VENDOR,
        meaning="The communication between the inverters over CAN is disturbed.",
        steps=("parallel_line", "after_sales"),
    ),
    _fault(
        key="parallel_rs485_fault",
        name="Parallel RS485 fault",
        vendor_code="ParallelRS485 ComFault",
        pins=(5, 6),
        grade=Grade.VENDOR,
        meaning=(
            "The communication between primary and secondaries over RS485 is disturbed. If all "
            "inverters report it, the number of units set on the primary may be wrong."
        ),
        steps=("rs485_line", "primary_setting", "after_sales"),
    ),
)
"""The six paralleling faults of the vendor's parallel instruction (grade vendor)."""

GENERIC_FAULT = _fault(
    key="parallel_fault",
    name="Parallel fault",
    meaning=(
        "The inverter reports that something is wrong with the parallel operation, without saying "
        "what."
    ),
    steps=(
        "note_display",
        "parallel_line",
        "primary_setting",
        "secondary_settings",
        "after_sales",
    ),
)
"""The bit that stands for any trouble with paralleling (grade sister)."""

PRIMARY_SILENT = _fault(
    key="primary_silent",
    name="No answer, and the secondaries report its failure",
    grade=Grade.ASSUMED,
    meaning=(
        "The primary inverter does not answer any more, and at least one secondary reports that "
        "the primary has failed (ParallSystem Fault)."
    ),
    steps=("primary_display", "breakers", "primary_link", "after_sales"),
)
"""What no inverter reports, but silence and a secondary's report together mean."""
