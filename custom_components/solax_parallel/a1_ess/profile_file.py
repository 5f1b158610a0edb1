"""Reading a register map's file, and finding in it where a mistake stands."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from annotatedyaml import YAMLException, load_yaml
import yaml

from .mistake import MistakeError, Reason


def read_file(file: Path) -> dict[str, Any]:
    """Return what is in a file; its texts and mappings know their lines.

    Raises ``MistakeError`` for one that cannot be read or is no register map.
    """
    if file.exists() and not (file.is_file() or file.is_dir()):
        # It may never come to an end.
        raise MistakeError((), Reason.SPECIAL_FILE)
    try:
        content = load_yaml(file)
    except (YAMLException, FileNotFoundError, ValueError) as err:
        raise _unreadable(file, err) from err
    except RecursionError as err:
        raise MistakeError((), Reason.NESTED) from err
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise MistakeError(
            (), Reason.NO_SECTIONS, line=getattr(content, "__line__", None)
        )
    return content


def check_written_once(file: Path) -> None:
    """Raise ``MistakeError`` for a key that stands twice: YAML takes the last one silently."""
    try:
        with file.open(encoding="utf-8") as stream:
            root = yaml.compose(stream, yaml.SafeLoader)
    except yaml.YAMLError as err:
        # The fast parser, which has read the file, takes more for YAML than this one.
        raise _unreadable(file, err) from err
    except RecursionError as err:
        raise MistakeError((), Reason.NESTED) from err
    nodes: list[tuple[tuple[str, ...], yaml.Node | None]] = [((), root)]
    seen: set[int] = set()
    while nodes:
        path, node = nodes.pop()
        # An anchor is met from several places.
        if not isinstance(node, yaml.MappingNode) or id(node) in seen:
            continue
        seen.add(id(node))
        keys: set[str] = set()
        for key, value in node.value:
            place = (*path, key.value)
            if key.value in keys:
                raise MistakeError(
                    place,
                    Reason.TWICE,
                    {"name": key.value},
                    line=key.start_mark.line + 1,
                )
            keys.add(key.value)
            nodes.append((place, value))


def _unreadable(file: Path, err: Exception) -> MistakeError:
    cause = err if isinstance(err, yaml.YAMLError) else err.__cause__
    if isinstance(cause, UnicodeDecodeError):
        # The line is told by the whole file: the error knows the piece that was read last.
        try:
            file.read_bytes().decode()
        except UnicodeDecodeError as undecodable:
            read = undecodable.object[: undecodable.start]
            return MistakeError((), Reason.NOT_UTF_8, line=read.count(b"\n") + 1)
    if isinstance(cause, yaml.MarkedYAMLError):
        mark = cause.problem_mark
        # The mistake may be in another file that this one includes.
        if mark is not None and mark.name == str(file):
            return MistakeError(
                (),
                Reason.UNREADABLE,
                {"said": cause.problem},
                line=mark.line + 1,
            )
    return MistakeError((), Reason.UNREADABLE, {"said": " ".join(str(err).split())})


def depth(content: Any, path: Sequence[object]) -> int:
    """Return how many keys of ``path`` the file holds."""
    for held, step in enumerate(path):
        if not isinstance(content, dict) or step not in content:
            return held
        content = content[step]
    return len(path)


def line_of(file: Path, content: Any, path: Sequence[object]) -> int | None:
    """Return the line at which ``path`` ends in a file, or comes nearest to its end.

    YAML keeps the lines of texts and mappings, and none of numbers.
    """
    line: int | None = None
    for step in path[: depth(content, path)]:
        key = next(key for key in content if key == step)
        content = content[step]
        for node in (content, key):
            if str(getattr(node, "__config_file__", "")) == str(file):
                line = node.__line__
    return line
