"""The page of the vendor's rules is complete: every rule is there, and all that it names exists."""

import ast
from functools import cache
from pathlib import Path

import pytest

from custom_components.solax_parallel.a1_ess.checks import Check
from custom_components.solax_parallel.a1_ess.faults import GUIDE, PARALLEL_FAULTS
from scripts.documentation import FOLDER
from scripts.documentation.vendor_rules import RULES, Rule, shown_text

from . import contract

ROOT = Path(__file__).parents[1]

WHAT_THE_VENDOR_SAYS = (
    "four inverters",
    "split phase",
    "7.6 kW",
    "one inverter is the primary",
    "secondaries 1 to 3",
    "in any order",
    "Parallel Setting",
    "number of inverters in the group",
    "same firmware",
    "same rated power",
    "same number of batteries",
    "same model",
    "same safety code",
    "non-BI layout",
    "combiner box",
    "eight pins",
    "COMM OUT of each secondary",
    "COMM OUT of the primary",
    "120 ohm plug",
    "pins 3 and 4 and of pins 5 and 6",
    "switches the grid",
    "whole home",
    "micro-grid",
    "generator",
    "six channels",
    "inverter of another maker",
    "no backup",
    "are green",
    "flashes red",
    "main breaker",
    "never be made with the non-BI layout",
    "ParallSystem Fault",
    "EPSSyncLost",
    "Parallel CfgFault",
    "ParalCan CommsWarn",
    "ParallelCAN ComFault",
    "ParallelRS485 ComFault",
    "wrong number of units makes every inverter report",
    "after-sales",
)
"""What each rule is about, taken from the project's protocol document, not from the table."""

ENTITIES = (
    contract.INVERTER,
    contract.MEASUREMENTS,
    contract.GROUP,
    contract.GROUP_WITH_BACKUP_INTERFACE,
    contract.BACKUP_INTERFACE,
    contract.BI_PRO,
    contract.SMART_LOAD,
    contract.CONTROLLED_SMART_LOAD,
)

SHOWN = {path for rule in RULES for path in rule.shown_by}
PROVEN = sorted({test for rule in RULES for test in rule.proven_by})


@cache
def named_tests(file: str) -> frozenset[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(
        each.name
        for each in tree.body
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        and each.name.startswith("test_")
        and not any(
            ast.unparse(decorator).startswith("pytest.mark.skip")
            for decorator in each.decorator_list
        )
    )


def test_every_rule_is_there() -> None:
    assert len(RULES) == len(WHAT_THE_VENDOR_SAYS)
    for rule, topic in zip(RULES, WHAT_THE_VENDOR_SAYS, strict=True):
        assert topic in rule.rule


def test_the_page_has_every_rule_once() -> None:
    page = (FOLDER / "vendor-rules.md").read_text(encoding="utf-8")
    _, *sections = page.split("\n## Rule ")
    assert [section.split("\n")[0] for section in sections] == [
        str(number) for number in range(1, len(RULES) + 1)
    ]
    for section, rule in zip(sections, RULES, strict=True):
        assert f"\n{rule.rule}\n" in section
        for named in (*rule.shown_by, *rule.proven_by):
            assert f"`{named}`" in section


@pytest.mark.parametrize("rule", RULES, ids=range(1, len(RULES) + 1))
def test_a_rule_is_shown_and_proven_or_says_why_not(rule: Rule) -> None:
    assert bool(rule.shown_by) is bool(rule.proven_by)
    assert rule.shown_by or rule.not_shown
    for named in (rule.shown_by, rule.proven_by):
        assert len(set(named)) == len(named)


@pytest.mark.parametrize("path", sorted(SHOWN))
def test_what_is_shown_exists(path: str) -> None:
    assert shown_text(path)
    if path.startswith("entity."):
        _, platform, key, *_ = path.split(".")
        assert platform in {
            entities[key].platform for entities in ENTITIES if key in entities
        }
    if path.startswith("selector.fault_step."):
        step = path.rpartition(".")[2]
        assert any(step in fault.steps for fault in GUIDE.values())


@pytest.mark.parametrize("test", PROVEN)
def test_what_proves_exists(test: str) -> None:
    file, _, name = test.partition("::")
    assert name in named_tests(file)


def test_every_check_and_every_paralleling_fault_follows_a_rule() -> None:
    keys = {*Check, *(fault.key for fault in PARALLEL_FAULTS)}
    assert {f"entity.binary_sensor.{key}" for key in keys} <= SHOWN


def test_every_step_about_a_paralleling_fault_follows_a_rule() -> None:
    steps = {step for fault in PARALLEL_FAULTS for step in fault.steps}
    assert {f"selector.fault_step.options.{step}" for step in steps} <= SHOWN
