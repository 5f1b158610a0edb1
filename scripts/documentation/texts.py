"""The texts of the integration, as its pages quote them."""

import json
from pathlib import Path
import re
from typing import Any

from custom_components import solax_parallel

_FILE = Path(solax_parallel.__file__).parent / "translations" / "en.json"
TEXTS: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))


def option(selector: str, key: str) -> str:
    """Return how an option of a selector is called; raises ``KeyError`` where there is none."""
    return str(TEXTS["selector"][selector]["options"][key])


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading in Markdown."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
