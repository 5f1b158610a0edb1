"""Which inverters answer on a link."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import re

from .codes import ROLE_FROM_SETTING, ParallelSetting, Role
from .extension import Extension, ExtensionReader, extension_window
from .family import MAX_UNITS
from .identity import Identity, read_identity
from .inverter import Member
from .link import Link, LinkParams
from .module import OtherDeviceError
from .profile import Profile
from .registers import RegisterSource
from .samples import Samples
from .source import ReadError, SilentError, Source

SCANNED_IDS = range(1, 9)
"""The Modbus ids that are tried."""

SCAN_TIMEOUT = 1.0
"""What one id may take to answer, in seconds: the vendor's own limit (grade sister)."""

QUICK_TIMEOUT = 0.6
"""The same while several line settings have to be tried for each id."""

SCAN_SPACING = 0.05
"""The silence between two requests of a scan, in seconds."""

_SERIAL_NUMBER = re.compile(r"[0-9A-Z]{10,14}")


class NoInverter(StrEnum):
    """What else can be behind a Modbus id."""

    OTHER_DEVICE = "other_device"
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True)
class FoundInverter:
    """An inverter that answered, and what it says of itself.

    ``unit_id`` is None behind a module. ``system_units`` is the number of inverters that its
    block about the whole system tells.
    """

    unit_id: int | None
    identity: Identity
    role: Role
    extension: Extension | None = None
    system_units: int | None = None

    @property
    def unit_quantity(self) -> int | None:
        """How many inverters its group has, as far as it tells; 0 where that is not set."""
        if self.role is Role.STANDALONE:
            return 1
        if self.extension is not None:
            return self.extension.unit_quantity
        return self.identity.unit_quantity or self.system_units

    @property
    def member(self) -> Member:
        """The inverter as a member of a group."""
        return Member(
            serial_number=self.identity.serial_number,
            unit_id=self.unit_id,
            role=self.role,
            rated_power=self.identity.rated_power,
            model_type=(
                self.identity.model_type
                if self.extension is None
                else self.extension.model_type
            ),
        )


type Answer = FoundInverter | NoInverter


@dataclass(frozen=True)
class Scan:
    """What a scan found behind each id, and which of the links tried it was found on."""

    answers: Mapping[int, Answer] = field(default_factory=dict)
    settled: int | None = None

    @property
    def inverters(self) -> tuple[FoundInverter, ...]:
        """The inverters among what answered, by Modbus id.

        Some monitoring modules answer for every id: an inverter counts where it came first.
        """
        found: dict[str, FoundInverter] = {}
        for answer in self.answers.values():
            if isinstance(answer, FoundInverter):
                found.setdefault(answer.identity.serial_number, answer)
        return tuple(found.values())


def whole_group(scan: Scan) -> bool:
    """Return whether as many inverters were found as the primary among them says there are."""
    return any(
        inverter.role.leads and len(scan.inverters) >= (inverter.unit_quantity or 99)
        for inverter in scan.inverters
    )


async def scan_place(
    candidates: Sequence[LinkParams],
    profile: Profile,
    *,
    unit_ids: Sequence[int] = SCANNED_IDS,
    enough: Callable[[Scan], bool] = whole_group,
    progress: Callable[[float], None] = lambda share: None,
) -> Scan:
    """Ask each id in turn at one place who it is, until ``enough`` was found.

    ``candidates`` are the line settings that the place may have. Their links are opened for the
    scan alone. ``progress`` is called with the share of ids that were asked, from 0 to 1. Raises
    ``ModbusError`` or ``OSError`` when the place can't be reached.
    """
    links = [
        Link(
            params,
            timeout=SCAN_TIMEOUT if len(candidates) == 1 else QUICK_TIMEOUT,
            message_spacing=SCAN_SPACING,
        )
        for params in candidates
    ]
    try:
        return await scan(
            links,
            profile,
            unit_ids=unit_ids,
            enough=enough,
            progress=lambda found: progress(len(found.answers) / len(unit_ids)),
        )
    finally:
        for link in links:
            await link.close()


async def scan(
    links: Sequence[Link],
    profile: Profile,
    *,
    unit_ids: Iterable[int] = SCANNED_IDS,
    enough: Callable[[Scan], bool] = whole_group,
    progress: Callable[[Scan], None] = lambda scan: None,
) -> Scan:
    """Ask each id in turn who it is, until ``enough`` was found.

    ``links`` lead to the same place with different line settings; the first on which anything
    answers is used from then on. ``progress`` is called with what was found so far after each id.
    Raises ``ModbusError`` when no link can be opened; what the wire does after that ends up in
    the result.
    """
    result = Scan()
    for unit_id in unit_ids:
        candidates = range(len(links)) if result.settled is None else [result.settled]
        answer: Answer = NoInverter.SILENT
        settled = result.settled
        for index in candidates:
            link = links[index]
            await link.connect()
            answer = await identify(
                unit_id, RegisterSource(link.for_unit(unit_id), profile), profile
            )
            if answer is not NoInverter.SILENT:
                settled = index
                break
            if len(links) > 1:
                # Most gateways, and every serial port, serve one client at a time.
                await link.disconnect()
        result = Scan({**result.answers, unit_id: answer}, settled)
        progress(result)
        if enough(result):
            break
    return result


async def identify(unit_id: int, source: Source, profile: Profile) -> Answer:
    """Return what answers behind one id."""
    try:
        identity = await read_identity(source, profile)
    except SilentError:
        return NoInverter.SILENT
    except ReadError:
        return NoInverter.OTHER_DEVICE
    setting = identity.parallel_setting
    if not _is_inverter(identity) or setting is None:
        return NoInverter.OTHER_DEVICE
    extension = await _read_extension(source, profile, setting)
    return FoundInverter(
        unit_id=unit_id,
        identity=identity,
        role=ROLE_FROM_SETTING[setting] if extension is None else extension.role,
        extension=extension,
        system_units=(
            await _read_system_units(source)
            if extension is None and setting is ParallelSetting.MASTER
            else None
        ),
    )


async def identify_by_module(source: Source, profile: Profile) -> Identity:
    """Return who is behind a module; the role is None where the module does not tell it.

    Raises ``ReadError`` when no inverter of this family answers.
    """
    identity = await read_identity(source, profile)
    if _SERIAL_NUMBER.fullmatch(identity.serial_number) is None:
        raise OtherDeviceError("the answer does not say which inverter it is about")
    return identity


def behind_module(identity: Identity, role: Role) -> FoundInverter:
    """Return the inverter behind a module, which does not tell every ``role`` itself."""
    return FoundInverter(unit_id=None, identity=identity, role=role)


def _is_inverter(identity: Identity) -> bool:
    return (
        _SERIAL_NUMBER.fullmatch(identity.serial_number) is not None
        and identity.rated_power is not None
    )


async def _read_extension(
    source: Source, profile: Profile, setting: ParallelSetting
) -> Extension | None:
    window = extension_window(setting)
    try:
        values = await source.read(window)
        measured = Samples().take(profile.read_in(window), values, 0)
        return ExtensionReader(profile, values, measured).decode(setting)
    except ReadError:
        return None


async def _read_system_units(source: Source) -> int | None:
    try:
        units = (await source.read("system"))["system_units"]
    except ReadError:
        return None
    return units if isinstance(units, int) and 1 <= units <= MAX_UNITS else None
