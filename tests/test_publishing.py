"""What publishes the project: workflows, forms, release notes, and what the store looks at."""

from collections.abc import Iterator, Mapping
import json
import os
from pathlib import Path
import re
import struct
import subprocess
from typing import Any

import pytest
import yaml

from homeassistant import components
from scripts.publishing import CHANGELOG, MANIFEST, NotReadyError, release_notes

from .texts import INTEGRATION

REPOSITORY = INTEGRATION.parent.parent
GITHUB = REPOSITORY / ".github"
WORKFLOWS: dict[str, dict[Any, Any]] = {
    path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((GITHUB / "workflows").iterdir())
}
JOBS = {
    f"{name}:{key}": job
    for name, workflow in WORKFLOWS.items()
    for key, job in workflow["jobs"].items()
}
FORMS: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yaml"))
}
ROLLING = {"home-assistant/actions/hassfest@master", "hacs/action@main"}
"""They check by the rules of the day, and have no releases that could be pinned."""


def steps() -> Iterator[Mapping[str, Any]]:
    for job in JOBS.values():
        yield from job.get("steps", ())


def oldest() -> str:
    versions = subprocess.run(
        [REPOSITORY / "scripts" / "setup", "--versions"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return versions[-1]


def test_workflows_are_there() -> None:
    assert set(WORKFLOWS) == {"tests.yaml", "validate.yaml", "release.yaml"}
    for workflow in WORKFLOWS.values():
        # YAML takes the key "on" for a truth value.
        assert workflow[True]
        assert workflow["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_bounded_and_what_it_waits_for_is_there(name: str) -> None:
    job = JOBS[name]
    siblings = WORKFLOWS[name.partition(":")[0]]["jobs"]
    needs = job.get("needs", [])
    assert {needs} if isinstance(needs, str) else set(needs) <= set(siblings)
    if "uses" in job:
        called = WORKFLOWS[Path(job["uses"]).name]
        assert "workflow_call" in called[True]
    else:
        assert job["timeout-minutes"] <= 30
        assert job["steps"]


def test_actions_are_pinned() -> None:
    used = {step["uses"] for step in steps() if "uses" in step}
    assert used >= ROLLING
    for action in used - ROLLING:
        assert re.fullmatch(r"actions/[\w-]+@v\d+", action), action


def test_only_publishing_may_write() -> None:
    assert [name for name, job in JOBS.items() if "permissions" in job] == [
        "release.yaml:publish"
    ]


def test_commands_of_workflows_exist() -> None:
    commands = {
        command
        for step in steps()
        for command in re.findall(r"\bscripts/\w+", step.get("run", ""))
    }
    assert {"scripts/test", "scripts/release_notes"} <= commands
    for command in commands:
        assert os.access(REPOSITORY / command, os.X_OK), command


def test_oldest_and_newest_home_assistant_are_tested() -> None:
    runs = {step["run"] for step in steps() if "run" in step}
    assert {"scripts/test", f"scripts/test --home-assistant {oldest()}"} <= runs
    own = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert f"scripts/test --home-assistant {oldest()}\n" in own


def test_the_oldest_that_is_tested_is_the_oldest_that_is_promised() -> None:
    promised = json.loads((REPOSITORY / "hacs.json").read_text())["homeassistant"]
    release = promised.rpartition(".")[0]
    assert oldest().rpartition(".")[0] == release
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert f"| Home Assistant | {release} or newer |" in readme


def test_a_bug_report_asks_for_what_is_needed() -> None:
    assert set(FORMS) == {"bug_report", "feature_request", "register_proof"}
    required = {
        name: {
            field["id"]
            for field in form["body"]
            if field.get("validations", {}).get("required")
        }
        for name, form in FORMS.items()
    }
    assert required["bug_report"] >= {
        "diagnostics",
        "home_assistant",
        "inverters",
        "layout",
        "version",
    }
    assert required["register_proof"] >= {"diagnostics", "firmware", "lines", "seen"}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_well_formed(name: str) -> None:
    form = FORMS[name]
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids) > 0
    for field in fields:
        assert field["type"] in {"input", "textarea", "dropdown", "checkboxes"}
        assert field["attributes"]["label"]
        if field["type"] in {"dropdown", "checkboxes"}:
            assert field["attributes"]["options"]


def test_links_of_the_forms() -> None:
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in (GITHUB / "ISSUE_TEMPLATE").iterdir()
    )
    home = json.loads((REPOSITORY / MANIFEST).read_text())["documentation"]
    pages = re.findall(rf"{re.escape(home)}/blob/main/([\w./-]+)", text)
    assert pages
    for page in pages:
        assert (REPOSITORY / page).is_file(), page


def test_tools_for_those_who_work_on_it() -> None:
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    local = {
        hook["id"]: hook["entry"].split()
        for repository in hooks["repos"]
        if repository["repo"] == "local"
        for hook in repository["hooks"]
    }
    assert {"ruff", "ruff-format", "mypy", "shellcheck"} == set(local)
    assert {entry[0] for entry in local.values()} == {"scripts/tool"}
    container = json.loads(
        (REPOSITORY / ".devcontainer" / "devcontainer.json").read_text()
    )
    assert container["forwardPorts"] == [8123]
    commands = {
        container["updateContentCommand"],
        container["postAttachCommand"],
        "scripts/tool",
    }
    for command in commands:
        assert os.access(REPOSITORY / command, os.X_OK), command
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    assert {each["package-ecosystem"] for each in updates} == {"github-actions", "pip"}


# --- release notes ---------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    manifest = tmp_path / MANIFEST
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"version": "1.2.0"}))
    return tmp_path


def test_the_notes_are_those_of_the_version(project: Path) -> None:
    (project / CHANGELOG).write_text(
        "# Changelog\n\n## Unreleased\n\n## 1.2.0 - 2026-12-24\n\n### Added\n\n- A thing.\n\n"
        "## 1.1.0 - 2026-12-01\n\n- Another.\n"
    )
    assert release_notes("1.2.0", project) == "### Added\n\n- A thing.\n"


@pytest.mark.parametrize(
    ("changelog", "version", "reason"),
    [
        ("## 1.2.0 - 2026-12-24\n\n- A.\n", "1.2.1", "manifest.json says 1.2.0"),
        ("## Unreleased\n\n- A.\n", "1.2.0", "no section"),
        ("## 1.2.0\n\n- A.\n", "1.2.0", "no section"),
        ("## 11.2.0 - 2026-12-24\n\n- A.\n", "1.2.0", "no section"),
        ("## 1.2.0 - 2026-12-24\n\n## 1.1.0\n", "1.2.0", "says nothing"),
    ],
)
def test_what_is_not_ready_is_not_released(
    project: Path, changelog: str, version: str, reason: str
) -> None:
    (project / CHANGELOG).write_text(changelog)
    with pytest.raises(NotReadyError, match=reason):
        release_notes(version, project)


def test_the_command_says_why_not() -> None:
    ended = subprocess.run(
        [REPOSITORY / "scripts" / "release_notes", "99.0.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "not 99.0.0" in ended.stderr


def test_headings_of_the_changelog_are_versions() -> None:
    headings = re.findall(
        r"^## (.+)$", (REPOSITORY / CHANGELOG).read_text(), re.MULTILINE
    )
    assert headings[0] == "Unreleased"
    for heading in headings[1:]:
        assert re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", heading)


# --- what the store looks at -----------------------------------------------------------------------


def test_every_rule_of_the_quality_scale_is_answered() -> None:
    shipped = sorted(Path(components.__file__).parent.glob("*/quality_scale.yaml"))
    rules = {
        rule
        for path in shipped[:20]
        for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]
    }
    assert len(rules) > 50
    ours = yaml.safe_load((INTEGRATION / "quality_scale.yaml").read_text())["rules"]
    assert set(ours) == rules
    for rule, answer in ours.items():
        if answer != "done":
            assert answer["status"] == "exempt", rule
            assert len(answer["comment"]) > 20, rule


@pytest.mark.parametrize("prefix", ["", "dark_"])
@pytest.mark.parametrize(("suffix", "scale"), [("", 1), ("@2x", 2)])
def test_brand_images(prefix: str, suffix: str, scale: int) -> None:
    def size(kind: str) -> tuple[int, int]:
        image = (INTEGRATION / "brand" / f"{prefix}{kind}{suffix}.png").read_bytes()
        assert image.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", image[16:24])
        return width, height

    assert size("icon") == (256 * scale, 256 * scale)
    width, height = size("logo")
    assert width > height
    assert 128 * scale <= height <= 256 * scale
