"""What a release is about. Needs nothing but Python, so that it runs before anything is set up."""

import json
from pathlib import Path
import re

ROOT = Path(__file__).parents[2]
MANIFEST = Path("custom_components", "solax_parallel", "manifest.json")
CHANGELOG = Path("CHANGELOG.md")


class NotReadyError(Exception):
    """A version can't be released as things stand; the message says why."""


def release_notes(version: str, root: Path = ROOT) -> str:
    """Return the section of the changelog on ``version``, without its heading.

    Raises ``NotReadyError`` if the manifest has another version, or the changelog no such section.
    """
    stated = json.loads((root / MANIFEST).read_text(encoding="utf-8"))["version"]
    if stated != version:
        raise NotReadyError(f"{MANIFEST} says {stated}, not {version}")
    changelog = (root / CHANGELOG).read_text(encoding="utf-8")
    for section in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        if re.fullmatch(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d", heading):
            if not text.strip():
                raise NotReadyError(f"{CHANGELOG} says nothing about {version}")
            return text.strip() + "\n"
    raise NotReadyError(f"{CHANGELOG} has no section '## {version} - YYYY-MM-DD'")
