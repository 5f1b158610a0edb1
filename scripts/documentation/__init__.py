"""The pages in ``docs`` that are made of the integration's own tables.

``scripts/docs`` writes them; a test tells when they are out of date.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from .faults import fault_page
from .registers import register_page

FOLDER = Path(__file__).parents[2] / "docs"

PAGES: Mapping[str, Callable[[], str]] = {
    "faults.md": fault_page,
    "register-evidence.md": register_page,
}
"""What makes each page, by the page's name in ``FOLDER``."""
