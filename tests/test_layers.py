"""Arrows point down only: which file may know of which."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from custom_components import solax_parallel
from homeassistant.const import Platform

INTEGRATION = Path(solax_parallel.__file__).parent
PACKAGE = "custom_components.solax_parallel"
FILES = {
    file.relative_to(INTEGRATION).with_suffix("").as_posix(): file
    for file in sorted(INTEGRATION.rglob("*.py"))
}
LIBRARY = [name for name in FILES if name.startswith("a1_ess/")]
SIMULATOR = [name for name in FILES if name.startswith("simulator/")]
PLATFORMS = [name for name in FILES if name in set(Platform)]


def imported(name: str) -> Iterator[str]:
    """Yield the full name of every module that a file imports, wherever it does so."""
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    package = [*PACKAGE.split("."), *name.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                inner = f"{module}.{alias.name}"
                yield inner if own(inner) in FILES else module


def own(module: str) -> str:
    """Return the file of a module of ours; an empty text for any other."""
    path = module.removeprefix(f"{PACKAGE}.").replace(".", "/")
    if not module.startswith(PACKAGE):
        return ""
    if module == PACKAGE:
        return "__init__"
    return path if path in FILES else f"{path}/__init__"


def arrows(name: str) -> set[str]:
    """Return the files of ours that a file imports from."""
    return {own(module) for module in imported(name)} - {""}


def test_the_layers_are_there() -> None:
    assert {"a1_ess/inverter", "a1_ess/group", "a1_ess/link"} <= set(LIBRARY)
    assert {"simulator/group", "simulator/server"} <= set(SIMULATOR)
    assert {"sensor", "binary_sensor", "select", "switch"} <= set(PLATFORMS)
    assert arrows("a1_ess/group") >= {"a1_ess/inverter", "a1_ess/checks"}
    assert arrows("a1_ess/inverter") >= {"a1_ess/derived", "a1_ess/inverter_state"}
    assert arrows("a1_ess/control") >= {"a1_ess/group", "a1_ess/source"}


@pytest.mark.parametrize("name", [*LIBRARY, *SIMULATOR])
def test_no_home_assistant_below(name: str) -> None:
    assert {
        module for module in imported(name) if module.split(".")[0] == "homeassistant"
    } == set()


@pytest.mark.parametrize("name", LIBRARY)
def test_the_library_knows_nothing_above_it(name: str) -> None:
    assert {other for other in arrows(name) if other not in LIBRARY} == set()


@pytest.mark.parametrize("name", SIMULATOR)
def test_the_simulator_knows_nothing_but_the_library(name: str) -> None:
    assert {
        other for other in arrows(name) if other not in [*LIBRARY, *SIMULATOR]
    } == set()


@pytest.mark.parametrize("name", FILES)
def test_nothing_knows_a_platform(name: str) -> None:
    assert arrows(name) & set(PLATFORMS) == set()


def test_no_two_files_need_each_other() -> None:
    try:
        order = list(
            TopologicalSorter({name: arrows(name) for name in FILES}).static_order()
        )
    except CycleError as err:
        pytest.fail(f"a circle: {' -> '.join(err.args[1])}")
    assert len(order) == len(FILES)


@pytest.mark.parametrize("name", [name for name in FILES if "__main__" not in name])
def test_nothing_is_printed(name: str) -> None:
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    assert [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "print"
    ] == []
