"""Running a Home Assistant that has something else to do, too."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from scripts.development.api import signed_in, wait_until_answering
from scripts.development.folder import LOOPBACK, prepare
from scripts.development.process import HomeAssistant

from .home_assistant import Entry, Visit, store_entries

_NEIGHBOURS = """
template:
  - triggers:
      - trigger: time_pattern
        seconds: "/5"
    sensor:
"""
_NEIGHBOUR = """\
      - name: Neighbour {number}
        state: "{{{{ range(1000) | random }}}}"
        state_class: measurement
"""
_MANY = 30


_NO_HISTORY = """
recorder:
  exclude:
    entity_globs: "*"
"""


@asynccontextmanager
async def running(
    folder: Path,
    port: int,
    entries: Sequence[Entry],
    *,
    is_watched: bool = False,
    keeps_history: bool = False,
) -> AsyncIterator[tuple[HomeAssistant, Visit]]:
    """Run a Home Assistant with these entries; yield it, and a way in.

    One that ``is_watched`` looks for calls that block it. One that ``keeps_history`` grows for
    hours, until the database's cache is full.
    """
    url = f"http://{LOOPBACK}:{port}"
    account = prepare(folder, port)
    _configure(folder, is_watched=is_watched, keeps_history=keeps_history)
    store_entries(folder, entries)
    async with HomeAssistant(folder) as home_assistant:
        await home_assistant.alongside(wait_until_answering(url))
        async with signed_in(url, account) as api:
            await api.wait_until_running()
        yield home_assistant, partial(signed_in, url, account)


def _configure(folder: Path, *, is_watched: bool, keeps_history: bool) -> None:
    """Give Home Assistant something else to do: an empty one has not warmed up its recorder."""
    file = folder / "configuration.yaml"
    configuration = file.read_text(encoding="utf-8")
    if _NEIGHBOURS in configuration:
        return
    if is_watched:
        configuration = configuration.replace(
            "homeassistant:\n", "homeassistant:\n  debug: true\n", 1
        )
    if not keeps_history:
        configuration += _NO_HISTORY
    # What is logged for developers costs as much as what it tells of.
    configuration = configuration.replace(
        "custom_components.solax_parallel: debug",
        "custom_components.solax_parallel: info",
    )
    neighbours = (_NEIGHBOUR.format(number=number) for number in range(_MANY))
    file.write_text(
        "".join((configuration, _NEIGHBOURS, *neighbours)), encoding="utf-8"
    )
