"""The pages in ``docs`` that are made of the integration's own tables.

``scripts/docs`` writes them; a test tells when they are out of date.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from .totals import total_page

FOLDER = Path(__file__).parents[2] / "docs"

PAGES: Mapping[str, Callable[[], str]] = {"totals.md": total_page}
"""What makes each page, by the page's name in ``FOLDER``."""
