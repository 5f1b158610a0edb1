"""The pages in ``docs`` that are made of the integration's own tables.

``scripts/docs`` writes them; a test tells when they are out of date.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from .entities import entity_page
from .faults import fault_page
from .messages import message_page
from .registers import register_page
from .totals import total_page
from .vendor_rules import rule_page

FOLDER = Path(__file__).parents[2] / "docs"

PAGES: Mapping[str, Callable[[], str]] = {
    "entities.md": entity_page,
    "faults.md": fault_page,
    "messages.md": message_page,
    "register-evidence.md": register_page,
    "totals.md": total_page,
    "vendor-rules.md": rule_page,
}
"""What makes each page, by the page's name in ``FOLDER``."""
