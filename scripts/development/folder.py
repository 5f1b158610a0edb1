"""The configuration folder of the Home Assistant that is started here."""

from collections.abc import Mapping
import fcntl
import json
from pathlib import Path
import secrets
import shutil
from typing import NamedTuple

LOOPBACK = "127.0.0.1"

_COMPONENTS = (
    Path(__file__).parents[2].resolve() / "custom_components" / "solax_parallel",
    Path(__file__).parent.resolve() / "simulated_past",
)
_SIMULATED_PAST = "simulated_past:"
_CONFIGURATION = """\
homeassistant:
  name: SolaX Parallel development
  latitude: 37.77
  longitude: -122.42
  elevation: 0
  unit_system: metric
  currency: USD
  country: US
  time_zone: {time_zone}
frontend:
config:
energy:
history:
logbook:
recorder:
  commit_interval: 1
automation: !include automations.yaml
logger:
  default: warning
  logs:
    custom_components.solax_parallel: debug
    # Pictures and sound, which nobody misses here.
    haffmpeg: critical
    homeassistant.components.camera: critical
"""


class Account(NamedTuple):
    """Who signs in."""

    name: str
    password: str


def is_in_use(folder: Path) -> bool:
    """Return whether a Home Assistant runs from ``folder``, as its own lock tells."""
    try:
        with (folder / ".ha_run.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def prepare(folder: Path, port: int, *, fresh: bool = False) -> Account:
    """Make all that Home Assistant needs to start from ``folder``; keep what an earlier run left.

    Returns the account, which does not exist before the first start.
    """
    if fresh and folder.exists():
        shutil.rmtree(folder)
    (folder / ".storage").mkdir(parents=True, exist_ok=True)
    _write_once(
        folder / "configuration.yaml",
        _CONFIGURATION.format(time_zone=_local_time_zone()),
    )
    _write_once(folder / "automations.yaml", "[]\n")
    _load_simulated_past(folder / "configuration.yaml")
    _link_components(folder)
    _confine(folder, port)
    return _account(folder)


def _write_once(file: Path, text: str) -> None:
    if not file.exists():
        file.write_text(text, encoding="utf-8")


def _load_simulated_past(configuration: Path) -> None:
    """Have it loaded, by the configuration of an earlier run too."""
    text = configuration.read_text(encoding="utf-8")
    if _SIMULATED_PAST not in text:
        configuration.write_text(
            f"{text.rstrip()}\n{_SIMULATED_PAST}\n", encoding="utf-8"
        )


def _local_time_zone() -> str:
    """Return the computer's time zone: the simulated sun is to shine in the developer's day."""
    _, found, name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
    return name if found else "UTC"


def _link_components(folder: Path) -> None:
    # Only these are links: what the Marketplace installs must not land in the checkout.
    for component in _COMPONENTS:
        link = folder / "custom_components" / component.name
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(component, target_is_directory=True)


def _confine(folder: Path, port: int) -> None:
    """Keep Home Assistant on this computer, whatever was set in its pages since."""
    # The oldest form: every Home Assistant brings it up to date by itself, with its own defaults.
    # The same settings in configuration.yaml would be given up again after five minutes.
    http = {
        "server_host": [LOOPBACK],
        "server_port": port,
        "cors_allowed_origins": [],
    }
    _store(folder, "http", 1, http)
    # What searches the network asks this helper where to search.
    # Named are the loopback adapters of Linux and macOS; what is not there is passed over.
    _store(folder, "core.network", 1, {"configured_adapters": ["lo", "lo0"]})
    if not (folder / ".storage" / "onboarding").exists():
        # Left open is the account alone. The other steps would set up services of the internet and
        # ask about analytics, which stay off.
        done = ["core_config", "analytics", "integration"]
        _store(folder, "onboarding", 4, {"done": done})


def _store(folder: Path, key: str, version: int, data: Mapping[str, object]) -> None:
    content = {"version": version, "minor_version": 1, "key": key, "data": data}
    (folder / ".storage" / key).write_text(json.dumps(content), encoding="utf-8")


def _account(folder: Path) -> Account:
    # Not the same password in every checkout: web pages and other users of the computer can reach
    # the port too, and an administrator of Home Assistant can run code.
    file = folder / "password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(4), encoding="utf-8")
    return Account("developer", file.read_text(encoding="utf-8").strip())
