"""Which inverters answer on a link."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
import re

from .codes import ROLE_FROM_SETTING, ParallelSetting, Role
from .extension import Extension, ExtensionReader
from .identity import Identity, read_identity
from .inverter import Member
from .profile import Profile
from .samples import Samples
from .source import ReadError, SilentError, Source

SCANNED_IDS = range(1, 9)
"""The Modbus ids that are tried."""

SCAN_TIMEOUT = 1.0
"""What one id may take to answer, in seconds: the vendor's own limit (grade sister)."""

_SERIAL_NUMBER = re.compile(r"[0-9A-Z]{10,14}")
_RATED_POWERS = (3800, 5000, 6000, 7600)


class Answer(StrEnum):
    """What was found behind a Modbus id."""

    INVERTER = "inverter"
    OTHER_DEVICE = "other_device"
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True)
class Found:
    """One Modbus id and what answered; only an inverter has an identity and a role."""

    unit_id: int
    answer: Answer
    identity: Identity | None = None
    role: Role | None = None
    extension: Extension | None = None

    @property
    def member(self) -> Member | None:
        """The inverter as a member of a group."""
        if self.identity is None or self.role is None:
            return None
        return Member(
            serial_number=self.identity.serial_number,
            unit_id=self.unit_id,
            role=self.role,
            rated_power=self.identity.rated_power,
            model_type=None if self.extension is None else self.extension.model_type,
        )


@dataclass(frozen=True)
class Scan:
    """What a scan of a link found."""

    found: tuple[Found, ...]

    @property
    def inverters(self) -> tuple[Found, ...]:
        """The inverters among what answered, by Modbus id."""
        return tuple(found for found in self.found if found.answer is Answer.INVERTER)

    @property
    def primary(self) -> Found | None:
        """The inverter that stands for a group: the first primary or standalone one."""
        leads = (found for found in self.inverters if found.role and found.role.leads)
        return next(leads, None)

    @property
    def unit_quantity(self) -> int | None:
        """How many inverters the primary says there are; None where it does not tell."""
        if (primary := self.primary) is None:
            return None
        if primary.role is Role.STANDALONE:
            return 1
        return None if primary.extension is None else primary.extension.unit_quantity

    @property
    def complete(self) -> bool:
        """Whether as many inverters were found as the primary says there are."""
        quantity = self.unit_quantity
        return bool(quantity) and len(self.inverters) >= (quantity or 0)


async def scan(
    source_for: Callable[[int], Source],
    profile: Profile,
    *,
    unit_ids: Iterable[int] = SCANNED_IDS,
    progress: Callable[[Scan], None] = lambda scan: None,
) -> Scan:
    """Ask each id in turn who it is, until the primary's number of units is found.

    ``source_for`` returns the source of readings for an id; ``progress`` is called with what was
    found so far after each id. Never raises for what the wire does.
    """
    result = Scan(())
    for unit_id in unit_ids:
        found = await identify(unit_id, source_for(unit_id), profile)
        result = Scan((*result.found, found))
        progress(result)
        if result.complete:
            break
    return result


async def identify(unit_id: int, source: Source, profile: Profile) -> Found:
    """Return what answers behind one id."""
    try:
        identity = await read_identity(source, profile)
    except SilentError:
        return Found(unit_id=unit_id, answer=Answer.SILENT)
    except ReadError:
        return Found(unit_id=unit_id, answer=Answer.OTHER_DEVICE)
    if not _is_inverter(identity) or identity.parallel_setting is None:
        return Found(unit_id=unit_id, answer=Answer.OTHER_DEVICE)
    extension = await _read_extension(source, profile, identity.parallel_setting)
    return Found(
        unit_id=unit_id,
        answer=Answer.INVERTER,
        identity=identity,
        role=(
            ROLE_FROM_SETTING[identity.parallel_setting]
            if extension is None
            else extension.role
        ),
        extension=extension,
    )


def _is_inverter(identity: Identity) -> bool:
    return (
        _SERIAL_NUMBER.fullmatch(identity.serial_number) is not None
        and identity.rated_power in _RATED_POWERS
    )


async def _read_extension(
    source: Source, profile: Profile, setting: ParallelSetting
) -> Extension | None:
    window = "primary_extension" if setting is ParallelSetting.MASTER else "extension"
    try:
        values = await source.read(window)
        measured = Samples().take(profile.read_in(window), values, 0)
        return ExtensionReader(profile, values, measured).decode(setting)
    except ReadError:
        return None
