"""The pages that are made of the integration's own tables."""

import pytest

from custom_components.solax_parallel.a1_ess.totals import TOTALS
from scripts.documentation import FOLDER, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_committed_page_is_what_the_command_writes(name: str) -> None:
    page = (FOLDER / name).read_text(encoding="utf-8")
    assert page == PAGES[name](), "run scripts/docs"


@pytest.mark.parametrize("key", TOTALS)
def test_a_total_is_told_in_full(key: str) -> None:
    page = (FOLDER / "totals.md").read_text(encoding="utf-8")
    (row,) = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith(f"| `{key}` |")
    ]
    _, unit, rule, sources, reason = row
    total = TOTALS[key]
    assert (unit, rule, reason) == (total.unit, total.rule, total.reason)
    assert sources.replace("`", "").split(", ") == list(total.sources)
    assert f"\n- *{total.rule}*: " in page
