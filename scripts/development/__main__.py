"""What ``scripts/develop`` runs."""

from argparse import ArgumentParser, Namespace
import asyncio
from collections.abc import Coroutine
from importlib.metadata import version
from pathlib import Path
import signal
import socket
import sys
from time import monotonic
from typing import Any

from .api import Api, ApiError, signed_in, wait_until_answering
from .dashboard import PATH, set_up_dashboard
from .energy import set_up_energy_dashboard
from .folder import LOOPBACK, Account, is_in_use, prepare
from .group import add_simulated_group, read_groups
from .process import RESTART_CODE, EndedError, HomeAssistant
from .table import Screen, table

_FOLDER = Path(__file__).parents[2].resolve() / ".develop"
_START_LIMIT = 300
"""Seconds after which a start has failed; slow boards need minutes for the first."""
_REFRESH = 3
"""Seconds between two looks at the group."""


def main() -> int:
    """Run until told to end; return the exit code."""
    options = _options()
    if (obstacle := _obstacle(options.port)) is not None:
        print(f"develop: {obstacle}", file=sys.stderr)
        return 1
    return asyncio.run(_until_signalled(_develop(options)))


def _options() -> Namespace:
    parser = ArgumentParser(
        prog="scripts/develop",
        description="Run a Home Assistant with a simulated group, on this computer alone.",
    )
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument(
        "--fresh", action="store_true", help="forget what earlier runs left in .develop"
    )
    parser.add_argument(
        "--module",
        action="store_true",
        help="have a new group read through its modules' local HTTP interface",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="print the group once and end: 0 if it is complete, 1 if not",
    )
    return parser.parse_args()


def _obstacle(port: int) -> str | None:
    """Return why Home Assistant can't be started, if so."""
    if is_in_use(_FOLDER):
        return f"a Home Assistant already runs from {_FOLDER}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError) as err:
            return f"port {port} can't be used ({err}); choose another with --port"
    return None


async def _until_signalled(work: Coroutine[Any, Any, int]) -> int:
    task = asyncio.create_task(work)

    def stop() -> None:
        # Only once: an impatient second Ctrl-C must not break off the clean-up.
        if not task.cancelling():
            _say("ending Home Assistant")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return 0


async def _develop(options: Namespace) -> int:
    _say(f"setting up the configuration in {_FOLDER}")
    account = prepare(_FOLDER, options.port, fresh=options.fresh)
    while True:
        async with HomeAssistant(_FOLDER) as home_assistant:
            try:
                return await home_assistant.alongside(
                    _attend(options, account, home_assistant.log)
                )
            except EndedError as end:
                if end.code == RESTART_CODE:
                    _say("Home Assistant asks for a restart")
                    continue
                reason = str(end)
            except (ApiError, ConnectionError, TimeoutError) as err:
                reason = str(err) or "Home Assistant does not answer in time"
            complaints = await asyncio.to_thread(home_assistant.complaints)
            _say(f"failed: {reason}")
            print(*complaints, f"The whole log: {home_assistant.log}", sep="\n")
            return 1


async def _attend(options: Namespace, account: Account, log: Path) -> int:
    """Bring Home Assistant up to the group, and show that."""
    started = monotonic()
    url = f"http://{LOOPBACK}:{options.port}"
    _say(f"starting Home Assistant {version('homeassistant')}")
    async with asyncio.timeout(_START_LIMIT) as limit:
        await wait_until_answering(url)
        async with signed_in(url, account) as api:
            await api.wait_until_running()
            if not await read_groups(api):
                _say("adding a simulated group: 4 inverters with a BI PRO")
                await add_simulated_group(
                    api, interface="module" if options.module else "modbus"
                )
            elif options.module:
                _say(
                    "the group of an earlier run stays as it is; --fresh makes a new one"
                )
            await set_up_dashboard(api)
            await set_up_energy_dashboard(api, await read_groups(api))
            await api.command("simulated_past/fill")
            _say(f"ready after {monotonic() - started:.1f} s")
            limit.reschedule(None)
            print(
                f"\n  {url}/{PATH}   name: {account.name}   password: {account.password}"
                "\n  the group: Settings > Devices & services > SolaX Parallel"
                "\n  its energies: Energy, with the last two days"
                f"\n  log: {log}   Ctrl-C ends it\n",
                flush=True,
            )
            return await _show(api, once=options.once)


async def _show(api: Api, *, once: bool) -> int:
    """Show the group, again and again on a terminal, and return whether it is complete."""
    screen = Screen()
    is_live = sys.stdout.isatty() and not once
    while True:
        groups = await read_groups(api)
        screen.show(table(groups))
        if once:
            complete = bool(groups) and all(group.complete for group in groups)
            return 0 if complete else 1
        if not is_live:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(_REFRESH)


def _say(text: str) -> None:
    print(f"develop: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
