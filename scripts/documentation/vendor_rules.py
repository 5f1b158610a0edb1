"""The page about the rules of the vendor's parallel instruction: where each is shown and proven."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .texts import TEXTS


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the vendor, in our words; its number is its place in ``RULES``.

    ``shown_by`` are paths in the translations, of everything that a person sees of it;
    ``proven_by`` are the tests of that, by their node ids. ``not_shown`` says what of the rule is
    not shown, and why.
    """

    rule: str
    shown_by: tuple[str, ...] = ()
    proven_by: tuple[str, ...] = ()
    not_shown: str | None = None


def _binary(*keys: str) -> tuple[str, ...]:
    return tuple(f"entity.binary_sensor.{key}" for key in keys)


def _sensor(*keys: str) -> tuple[str, ...]:
    return tuple(f"entity.sensor.{key}" for key in keys)


def _steps(*keys: str) -> tuple[str, ...]:
    return tuple(f"selector.fault_step.options.{key}" for key in keys)


def _causes(*keys: str) -> tuple[str, ...]:
    return tuple(f"selector.cause.options.{key}" for key in keys)


def _fault(key: str, *steps: str) -> tuple[str, ...]:
    """Return where a paralleling fault is shown, with the steps about it."""
    return (
        *_binary(key),
        f"entity.event.fault.state_attributes.event_type.state.{key}",
        "issues.fault",
        *_steps(*steps),
    )


_FAULT_TESTS = (
    "tests/a1_ess/test_faults.py::test_the_six_are_spelt_as_the_vendor_prints_them",
    "tests/a1_ess/test_faults.py::test_the_six_are_checked_as_the_vendor_says",
    "tests/test_states.py::test_paralleling_fault_stands_where_it_is",
    "tests/test_event.py::test_each_named_fault_on_each_unit",
    "tests/test_repairs.py::test_every_fault_that_can_be_injected_is_raised_and_dropped",
)
_ONE_DIFFERS = (
    "tests/config_flow/test_refusals.py::test_what_differs_is_shown_from_the_setup_on"
)
_RELAYS_FOLLOW = "tests/test_states.py::test_opening_the_breaker_is_no_problem"
_WHAT_IS_MEASURED = "tests/test_states.py::test_inverters_show_what_they_measure"
_ROOT_CAUSE = "tests/test_states.py::test_root_cause_and_readiness"
_CABLE = "tests/test_states.py::test_root_cause_names_the_cable"
_OWNER_KNOWS = "tests/test_states.py::test_what_only_the_owner_knows"
_CHAIN_TESTS = (
    "tests/config_flow/test_installation.py::test_an_order_is_taken_by_its_places",
    _CABLE,
)
_WHAT_AN_OWNER_READS = (
    "tests/test_repairs.py::test_an_owner_reads_what_it_means_and_what_to_do"
)
_PORTS = "tests/test_states.py::test_smart_loads_and_ports"
_BLUNT = (
    "No register tells it, and no measurement that the inverters serve gives it away."
)

RULES = (
    # What a group is made of
    Rule(
        rule="At most four inverters run in parallel.",
        shown_by=(
            "config.error.too_many_units",
            *_sensor("unit_quantity", "units_online"),
        ),
        proven_by=(
            "tests/config_flow/test_refusals.py::test_too_many_units",
            "tests/test_contracts.py::test_simulated_group",
        ),
    ),
    Rule(
        rule="The system is split phase: L1, L2 and neutral, 120 and 240 V, at 60 Hz.",
        shown_by=_sensor(
            "l1_voltage",
            "l2_voltage",
            "ac_voltage",
            "frequency",
            "backup_l1_voltage",
            "backup_l2_voltage",
        ),
        proven_by=(_WHAT_IS_MEASURED,),
        not_shown=(
            "No check compares voltage and frequency with the nominal ones: an inverter that finds "
            "them out of range reports that itself, as a grid fault."
        ),
    ),
    Rule(
        rule="An inverter is rated 3.8, 5.0, 6.0 or 7.6 kW.",
        shown_by=(
            "config.step.confirm",
            "selector.unit_column.options.rated_power",
            *_binary("check_rated_power"),
        ),
        proven_by=(
            "tests/a1_ess/test_scan.py::test_what_says_odd_things_of_itself_is_no_inverter",
            "tests/test_contracts.py::test_only_the_largest_have_a_third_string",
        ),
    ),
    # Roles
    Rule(
        rule="Exactly one inverter is the primary.",
        shown_by=(
            "config.error.no_primary",
            "config.error.two_primaries",
            *_binary("check_roles"),
            *_sensor("role"),
        ),
        proven_by=(
            "tests/config_flow/test_refusals.py::test_two_primaries",
            "tests/config_flow/test_refusals.py::test_only_secondaries_then_the_primary",
            "tests/a1_ess/test_checks.py::test_one_primary_and_each_secondary_once",
        ),
    ),
    Rule(
        rule="The others are secondaries 1 to 3, and no two of them have the same number.",
        shown_by=(
            *_binary("check_roles"),
            *_sensor("role"),
            *_steps("secondary_settings"),
        ),
        proven_by=(
            "tests/config_flow/test_refusals.py::test_failed_checks_name_each_inverter",
            "tests/a1_ess/test_checks.py::test_one_primary_and_each_secondary_once",
        ),
    ),
    Rule(
        rule="The secondaries may be wired in any order, whatever their numbers are.",
        shown_by=("options.step.init.sections.wiring_order",),
        proven_by=(
            *_CHAIN_TESTS,
            "tests/config_flow/test_layouts.py::test_secondaries_before_the_primary",
        ),
    ),
    Rule(
        rule=(
            "Role and number of units are set in the vendor's app, under Parallel Setting: on the "
            "primary both, on a secondary its role alone."
        ),
        shown_by=(
            "config.error.quantity_zero",
            *_steps("primary_setting", "secondary_settings"),
        ),
        proven_by=(
            "tests/config_flow/test_refusals.py::test_quantity_zero",
            "tests/a1_ess/test_faults.py::test_the_six_are_checked_as_the_vendor_says",
        ),
    ),
    Rule(
        rule="The number that is set on the primary is the number of inverters in the group.",
        shown_by=(
            *_binary("check_unit_quantity", "complete"),
            *_sensor("unit_quantity"),
        ),
        proven_by=(
            "tests/a1_ess/test_checks.py::test_as_many_units_as_set",
            "tests/test_group_event.py::test_more_units_than_are_known",
        ),
    ),
    # What has to be the same before the group is switched on
    Rule(
        rule="All inverters have the same firmware.",
        shown_by=(*_binary("check_firmware"), *_sensor("readiness")),
        proven_by=(
            _ONE_DIFFERS,
            "tests/config_flow/test_refusals.py::test_failed_checks_warn",
        ),
    ),
    Rule(
        rule="All inverters have the same rated power.",
        shown_by=(*_binary("check_rated_power"), *_sensor("readiness")),
        proven_by=(
            _ONE_DIFFERS,
            "tests/config_flow/test_refusals.py::test_failed_checks_warn",
        ),
    ),
    Rule(
        rule="All inverters have the same number of batteries.",
        shown_by=(*_binary("check_battery_quantity"), *_sensor("readiness")),
        proven_by=(_ONE_DIFFERS,),
    ),
    Rule(
        rule="All inverters are of the same model.",
        shown_by=(
            *_binary("check_model_type"),
            *_sensor("readiness"),
            *_steps("same_configuration"),
        ),
        proven_by=(_ONE_DIFFERS,),
    ),
    Rule(
        rule="All inverters are set to the same safety code.",
        shown_by=(
            *_binary("check_safety_code"),
            *_sensor("readiness"),
            *_steps("same_configuration"),
        ),
        proven_by=(_ONE_DIFFERS,),
    ),
    # How it is installed
    Rule(
        rule="A group has a BI, a BI PRO, or the non-BI layout with a sub panel.",
        shown_by=(
            "config.step.confirm.data.backup_interface",
            "options.step.init.data.backup_interface",
            "selector.backup_interface.options.none",
            "selector.backup_interface.options.bi",
            "selector.backup_interface.options.bi_pro",
        ),
        proven_by=(
            "tests/test_init.py::test_devices",
            "tests/config_flow/test_installation.py::test_only_what_applies_and_nobody_tells_is_asked",
        ),
        not_shown=f"Whether there is a sub panel. {_BLUNT}",
    ),
    Rule(
        rule="More than two inverters at a BI or BI PRO are joined by a combiner box.",
        shown_by=(
            "config.step.confirm.data.combiner_box",
            "options.step.init.data.combiner_box",
            *_binary("check_combiner_box"),
        ),
        proven_by=(
            _OWNER_KNOWS,
            "tests/config_flow/test_installation.py::test_answers_are_remembered_and_count",
        ),
    ),
    Rule(
        rule=(
            "The COMM chain has eight pins: 1 and 2 synchronise, 3 and 4 are CAN, 5 and 6 are "
            "RS485_BI, 7 is +12 V and 8 is ground."
        ),
        shown_by=("selector.fault_detail.options.pins", "config.step.serial"),
        proven_by=(
            "tests/a1_ess/test_faults.py::test_pins_are_inferred_for_three_faults_only",
            _WHAT_AN_OWNER_READS,
        ),
        not_shown=(
            "Pins 7 and 8: no fault is about them. That a fault is about a pin at all is our "
            "inference, and is called so wherever it is shown."
        ),
    ),
    Rule(
        rule="COMM OUT of each secondary leads to COMM IN of the inverter before it.",
        shown_by=(
            "options.step.init.sections.wiring_order.data_description.first",
            "options.step.init.sections.wiring_order.data_description.second",
            "options.step.init.sections.wiring_order.data_description.third",
            *_causes(
                "inferred_rs485_line_segment",
                "inferred_can_line_segment",
                "inferred_sync_line_segment",
            ),
        ),
        proven_by=_CHAIN_TESTS,
    ),
    Rule(
        rule="COMM OUT of the primary leads to the BI or BI PRO, with pins 3 to 8.",
        shown_by=(
            "options.step.init.sections.wiring_order",
            *_steps("parallel_line", "rs485_line"),
        ),
        proven_by=(_WHAT_AN_OWNER_READS,),
        not_shown=(
            "Whether each of these pins is wired: no inverter reports a fault of the line to the "
            "BI alone."
        ),
    ),
    Rule(
        rule="The 120 ohm plug sits in COMM IN of the last secondary.",
        shown_by=(
            "config.step.confirm.data.termination",
            "options.step.init.data.termination",
            *_binary("check_termination"),
            *_steps("parallel_line"),
        ),
        proven_by=(
            _OWNER_KNOWS,
            "tests/a1_ess/test_checks.py::test_a_plug_at_the_end_of_the_chain",
        ),
    ),
    Rule(
        rule="That plug ends the lines of pins 3 and 4 and of pins 5 and 6.",
        shown_by=("selector.explanation.options.checks", *_sensor("root_cause")),
        proven_by=(
            _CABLE,
            "tests/a1_ess/test_root_cause.py::test_failing_checks_explain_a_fault",
        ),
    ),
    # What a BI and a BI PRO do
    Rule(
        rule="A BI switches the grid on and off.",
        shown_by=_binary("grid_relay"),
        proven_by=(_RELAYS_FOLLOW,),
    ),
    Rule(
        rule="A BI keeps the whole home supplied without the grid.",
        shown_by=(
            *_binary("on_grid"),
            *_sensor("load_power", "backup_energy_total", "grid_status"),
        ),
        proven_by=(
            _RELAYS_FOLLOW,
            "tests/a1_ess/test_group.py::test_off_grid_the_load_is_what_the_backup_gives",
        ),
    ),
    Rule(
        rule="A BI can run a micro-grid.",
        shown_by=_binary("microgrid"),
        proven_by=(_RELAYS_FOLLOW,),
    ),
    Rule(
        rule="A generator can be connected to a BI.",
        shown_by=(
            *_binary("generator"),
            "entity.sensor.run_mode.state.normal_generator",
        ),
        proven_by=("tests/test_states.py::test_a_generator_that_runs",),
    ),
    Rule(
        rule="A BI PRO has up to six channels for smart loads.",
        shown_by=(
            *_binary("state"),
            "entity.switch.state",
            "entity.select.mode",
            *_sensor("mode", "power", "energy_total"),
        ),
        proven_by=(
            _PORTS,
            "tests/a1_ess/test_extension.py::test_a_bi_pro_has_six_channels",
            "tests/test_smart_loads.py::test_a_load_is_switched",
        ),
    ),
    Rule(
        rule="A BI PRO has a port for a grid-tied inverter of another maker.",
        shown_by=_sensor("third_party_power"),
        proven_by=(_PORTS,),
    ),
    Rule(
        rule="A BI PRO has a port for loads that need no backup.",
        shown_by=_sensor("non_backup_power"),
        proven_by=(_PORTS,),
    ),
    # How it is seen to be well, and tried out
    Rule(
        rule="When the operation LEDs of all inverters are green, the parallel system runs normally.",
        shown_by=_sensor("operation_led", "status"),
        proven_by=(
            "tests/a1_ess/test_group.py::test_the_led_of_the_group_is_green_only_if_all_are",
            "tests/test_states.py::test_paralleling_fault_stands_where_it_is",
        ),
    ),
    Rule(
        rule="When an operation LED flashes red, the fault code of that inverter is to be read.",
        shown_by=(
            *_sensor("operation_led"),
            "issues.fault",
            *_steps("primary_display"),
        ),
        proven_by=(
            "tests/test_states.py::test_paralleling_fault_stands_where_it_is",
            _WHAT_AN_OWNER_READS,
        ),
        not_shown=(
            "The 200 ms of the flashing: a register tells that it flashes, and a derived LED "
            "(attribute source) is concluded from run mode and faults."
        ),
    ),
    Rule(
        rule=(
            "After the installation the main breaker is opened and closed: a group that goes "
            "off-grid and comes back on-grid works."
        ),
        shown_by=(
            "entity.button.start_transfer_test",
            *_sensor("transfer_test"),
            "selector.transfer_test.options.open_breaker",
            "selector.transfer_test.options.close_breaker",
            "selector.transfer_test.options.passed",
            "selector.transfer_test.options.failed",
        ),
        proven_by=(
            "tests/test_acceptance.py::test_passed",
            "tests/test_acceptance.py::test_out_of_time",
            "tests/test_acceptance.py::test_fault_ends_it",
        ),
    ),
    Rule(
        rule="That test must never be made with the non-BI layout.",
        shown_by=(
            "exceptions.transfer_test_non_bi",
            "exceptions.transfer_test_layout_unknown",
        ),
        proven_by=(
            "tests/test_acceptance.py::test_never_with_the_non_bi_layout",
            "tests/test_acceptance.py::test_not_while_the_layout_is_unknown",
        ),
    ),
    # The six paralleling faults
    Rule(
        rule=(
            "ParallSystem Fault: the primary has failed, and a secondary reports it; the primary's "
            "own faults are to be looked at."
        ),
        shown_by=(
            *_fault("parallel_system_fault", "primary_first"),
            *_causes("primary_fault", "inferred_primary_fault"),
        ),
        proven_by=(
            *_FAULT_TESTS,
            "tests/test_repairs.py::test_the_secondaries_report_is_led_to_the_primarys_own_fault",
        ),
    ),
    Rule(
        rule="EPSSyncLost: the synchronisation signal fails; the paralleling line is to be checked.",
        shown_by=(
            *_fault("eps_sync_lost", "parallel_line"),
            *_causes("inferred_sync_line"),
        ),
        proven_by=(
            *_FAULT_TESTS,
            "tests/test_states.py::test_a_simulated_group_is_ready",
        ),
    ),
    Rule(
        rule=(
            "Parallel CfgFault: the configuration does not fit; safety code, model and rated power, "
            "and then roles and number of units are to be checked."
        ),
        shown_by=(
            *_fault(
                "parallel_config_fault",
                "same_configuration",
                "primary_setting",
                "secondary_settings",
            ),
            *_causes("configuration", "configuration_ruled_out"),
        ),
        proven_by=(
            *_FAULT_TESTS,
            "tests/a1_ess/test_root_cause.py::test_failing_checks_explain_a_fault",
        ),
    ),
    Rule(
        rule=(
            "ParalCan CommsWarn is the only warning of the six; roles and number of units are to be "
            "checked."
        ),
        shown_by=(
            *_fault("parallel_can_warning", "primary_setting", "secondary_settings"),
            *_causes("inferred_configuration"),
        ),
        proven_by=(
            *_FAULT_TESTS,
            "tests/test_repairs.py::test_a_warning_is_less_than_a_fault",
        ),
    ),
    Rule(
        rule=(
            "ParallelCAN ComFault: communication over CAN fails; the paralleling line is to be "
            "checked."
        ),
        shown_by=(
            *_fault("parallel_can_fault", "parallel_line"),
            *_causes("inferred_can_line"),
        ),
        proven_by=(*_FAULT_TESTS, _CABLE),
    ),
    Rule(
        rule=(
            "ParallelRS485 ComFault: primary and secondary do not understand each other; the RS485 "
            "line, its terminals and the number of units are to be checked."
        ),
        shown_by=(
            *_fault("parallel_rs485_fault", "rs485_line", "primary_setting"),
            *_causes("inferred_rs485_line"),
        ),
        proven_by=(*_FAULT_TESTS, _ROOT_CAUSE, _CABLE),
    ),
    Rule(
        rule="A wrong number of units makes every inverter report ParallelRS485 ComFault.",
        shown_by=(
            "selector.fault_meaning.options.parallel_rs485_fault",
            *_causes("inferred_unit_quantity", "inferred_rs485_line_ruled_out"),
        ),
        proven_by=(
            "tests/a1_ess/test_root_cause.py::test_the_number_of_units_or_the_line",
            _ROOT_CAUSE,
        ),
    ),
    Rule(
        rule="Where none of this helps, after-sales service is to be contacted.",
        shown_by=_steps("after_sales"),
        proven_by=(
            "tests/a1_ess/test_faults.py::test_every_fault_is_explained_and_leads_somewhere",
            _WHAT_AN_OWNER_READS,
        ),
    ),
)
"""Every rule of the instruction (grade vendor), by its number from 1 on."""

_INTRODUCTION = """\
# The vendor's rules

<!-- Written by scripts/docs from scripts/documentation/vendor_rules.py: change that. -->

What SolaX asks for in its instruction for A1-ESS-G2 parallel groups, rule by rule and in our own
words: where this integration shows it, and which test proves that. What is not shown is said, with
the reason. A test keeps this page complete: everything named here exists.

That a rule is the vendor's does not mean that its registers are: how well each of those is known
is on the [page on register evidence](register-evidence.md)."""

_KINDS = {
    "config.error": "refusal at setup",
    "config.step": "setup",
    "entity.binary_sensor": "binary sensor",
    "entity.button": "button",
    "entity.event": "event",
    "entity.select": "select",
    "entity.sensor": "sensor",
    "entity.switch": "switch",
    "exceptions": "refusal of an action",
    "issues": "repair",
    "options.step": "options",
    "selector.backup_interface": "choice",
    "selector.cause": "root cause",
    "selector.explanation": "root cause, with failed checks",
    "selector.fault_detail": "detail of a repair",
    "selector.fault_meaning": "meaning of a fault",
    "selector.fault_step": "guidance",
    "selector.transfer_test": "notification",
    "selector.unit_column": "column at setup",
}
"""What a person calls it, by how its path in the translations begins."""


def rule_page() -> str:
    """Return the page in Markdown."""
    return "\n\n".join([_INTRODUCTION, *_sections()]) + "\n"


def shown_text(path: str) -> str:
    """Return how what is at a path of the translations is called; raises ``KeyError``."""
    texts: Any = TEXTS
    for key in path.split("."):
        texts = texts[key]
    if isinstance(texts, str):
        return texts
    name = next(key for key in ("name", "title", "message") if key in texts)
    return str(texts[name])


def _sections() -> Iterator[str]:
    for number, rule in enumerate(RULES, start=1):
        yield f"## Rule {number}"
        yield rule.rule
        yield "\n".join(_facts(rule))


def _facts(rule: Rule) -> Iterator[str]:
    for path in rule.shown_by:
        (kind,) = (
            kind for start, kind in _KINDS.items() if path.startswith(f"{start}.")
        )
        first, dot, _ = shown_text(path).partition(". ")
        yield f"- Shown: {kind} “{first}{dot.strip()}” (`{path}`)"
    if rule.not_shown is not None:
        yield f"- Not shown: {rule.not_shown}"
    yield from (f"- Proven: `{test}`" for test in rule.proven_by)
