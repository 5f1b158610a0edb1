"""What the pages for people say: every link leads somewhere, every name that they use is ours."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from custom_components.solax_parallel.a1_ess.profile import load_profile
from custom_components.solax_parallel.const import DOMAIN
from scripts.documentation import PAGES
from scripts.documentation.texts import anchor

from .texts import INTEGRATION, TEXTS

REPOSITORY = INTEGRATION.parent.parent
WRITTEN = {
    page.relative_to(REPOSITORY).as_posix(): page.read_text(encoding="utf-8")
    for page in sorted(
        [
            *REPOSITORY.glob("*.md"),
            *REPOSITORY.glob("docs/*.md"),
            *REPOSITORY.glob(".github/*.md"),
        ]
    )
}
BY_HAND = [name for name in WRITTEN if name.removeprefix("docs/") not in PAGES]
MANIFEST: dict[str, Any] = json.loads(
    (INTEGRATION / "manifest.json").read_text(encoding="utf-8")
)
OF_HOME_ASSISTANT = """
    Add card, Add from link, Add integration, Automations & scenes, Battery capacity, Battery power Inverted,
    Blueprints, Configure, Custom repositories, Actions, Devices & services,
    Download, Download diagnostics, Enable debug logging, HACS, Home consumption, Import blueprint,
    Individual electrical devices, Install, Integral, Inverted, Marketplace, Network, Now, Reconfigure, Reload, Repairs, Settings, Energy, Standard,
    Untracked consumption, Upstream device, Settings, System, ⋮
"""
OTHER_NAMES = {
    *(name.strip() for name in OF_HOME_ASSISTANT.replace("\n", " ").split(",")),
    "Reopen in Container",  # VS Code
    "Unreleased",  # the changelog
    "SolaX Parallel",
    "Pool pump",  # a name that an owner may give
}
"""What pages may print as the name of something on a screen, beside our own texts."""


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def links(text: str) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", without_code(text))


def anchors(text: str) -> set[str]:
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE
    )
    return {anchor(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each)) for each in headings}


def texts_in(branch: Any) -> Iterator[str]:
    if isinstance(branch, str):
        yield branch
    else:
        for below in branch.values():
            yield from texts_in(below)


def keys_in(branch: Any) -> Iterator[str]:
    if isinstance(branch, dict):
        for key, below in branch.items():
            yield key
            yield from keys_in(below)


@pytest.mark.parametrize("name", WRITTEN)
def test_links_lead_somewhere(name: str) -> None:
    lost = []
    for link in links(WRITTEN[name]):
        if link.startswith(("https://", "http://")):
            continue
        path, _, heading = unquote(link).partition("#")
        target = (REPOSITORY / name).parent / path if path else REPOSITORY / name
        if not target.exists():
            lost.append(link)
        elif heading:
            known = anchors(target.read_text(encoding="utf-8"))
            lost.extend([link] if heading not in known else [])
    assert lost == []


@pytest.mark.parametrize("name", WRITTEN)
def test_links_into_the_repository_lead_somewhere(name: str) -> None:
    ours = [
        link.removeprefix(f"{MANIFEST['documentation']}/")
        for link in links(WRITTEN[name])
        if link.startswith(f"{MANIFEST['documentation']}/")
    ]
    for link in ours:
        if link.startswith("blob/main/"):
            assert (REPOSITORY / link.removeprefix("blob/main/")).exists()
        elif link.startswith("issues/new?template="):
            form = link.removeprefix("issues/new?template=")
            assert (REPOSITORY / ".github" / "ISSUE_TEMPLATE" / form).exists()
        else:
            assert link in {"issues", "issues/new/choose", "releases"}


def test_there_are_links_to_look_at() -> None:
    found = {link for text in WRITTEN.values() for link in links(text)}
    assert {"docs/setup.md#options", "../README.md"} <= found


def test_every_picture_is_shown() -> None:
    shown = {Path(link).name for text in WRITTEN.values() for link in links(text)}
    pictures = {path.name for path in (REPOSITORY / "docs" / "images").iterdir()}
    assert pictures <= shown


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = set(links(WRITTEN["docs/README.md"]))
    pages = {path.name for path in (REPOSITORY / "docs").iterdir() if path.is_file()}
    assert pages - {"README.md"} <= listed


@pytest.mark.parametrize("name", BY_HAND)
def test_names_on_the_screen_are_as_on_the_screen(name: str) -> None:
    """What a page prints in italics and begins with a capital is what a person looks for."""
    shown = set(texts_in(TEXTS)) | OTHER_NAMES
    printed = {
        part.strip()
        for italics in re.findall(
            r"(?<![*\w])\*([A-Z⋮][^*]+)\*(?![*\w])", without_code(WRITTEN[name])
        )
        for part in " ".join(italics.split()).split(" > ")
    }
    assert printed - shown == set()


@pytest.mark.parametrize("name", BY_HAND)
def test_keys_exist(name: str) -> None:
    """What a page prints as code and looks like a key of ours is one."""
    actions = {f"{DOMAIN}.{key}" for key in known_keys()}
    named = set(re.findall(r"`([a-z0-9_.]+)`", WRITTEN[name]))
    assert {key for key in named if key.startswith(f"{DOMAIN}.")} <= actions
    keys = {key for key in named if "_" in key and "." not in key}
    assert keys - known_keys() == set()


def known_keys() -> set[str]:
    profile = load_profile()
    services = yaml.safe_load((INTEGRATION / "services.yaml").read_text())
    return {
        *INTEGRATION.relative_to(REPOSITORY).parts,
        *(path.name for path in INTEGRATION.iterdir() if path.is_dir()),
        *keys_in(TEXTS),
        *keys_in(services),
        *profile.registers,
        *profile.commands,
    }


def test_every_option_is_explained() -> None:
    step = TEXTS["options"]["step"]["init"]
    wanted = {*step["data"].values()} | {
        section["name"] for section in step["sections"].values()
    }
    _, _, options = WRITTEN["docs/setup.md"].partition("\n## Options\n")
    table = {
        name
        for line in options.splitlines()
        if line.startswith("| *")
        for name in re.findall(r"\*([^*]+)\*", line.split("|")[1])
    }
    assert table == wanted


def test_every_way_in_is_explained() -> None:
    menu = TEXTS["config"]["step"]["user"]["menu_options"].values()
    for page in ("README.md", "docs/setup.md"):
        assert [name for name in menu if name not in WRITTEN[page]] == []


def test_every_trigger_condition_and_action_is_explained() -> None:
    page = WRITTEN["docs/automations.md"]
    for kind in ("triggers", "conditions", "services"):
        assert [
            key
            for key in TEXTS[kind]
            if f"`{DOMAIN}.{key}`" not in page and f"`{key}`" not in page
        ] == []
    for action in TEXTS["services"].values():
        assert f"**{action['name']}**" in page


def test_the_files_in_the_picture_exist() -> None:
    page = WRITTEN["docs/architecture.md"]
    files = {path.name for path in INTEGRATION.rglob("*")}
    named = set(re.findall(r"\b([a-z0-9_]+\.(?:py|yaml|json))\b", page))
    tests = {path.name for path in (REPOSITORY / "tests").iterdir()}
    assert {"coordinator.py", "group.py", "link.py"} <= named
    assert named - files - tests == set()
