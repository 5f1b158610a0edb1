"""Who an inverter is."""

from collections.abc import Mapping
from dataclasses import dataclass

from .codes import ModelType
from .family import RATED_POWERS
from .placement import Placement, decode_placement
from .profile import Profile
from .source import ReadError, SilentError, Source, UnusableError, Value

SETTINGS = ("rating", "firmware", "parallel_setting", "battery_packs")
"""The windows that tell how an inverter is set up."""


class OtherSerialError(ReadError):
    """Another inverter answered in the expected one's place."""

    def __init__(self, serial_number: str) -> None:
        """Remember who it was; the message does not tell, since it ends up in logs."""
        self.serial_number = serial_number
        super().__init__("another serial number answered")


@dataclass(frozen=True, kw_only=True)
class Identity(Placement):
    """What an inverter says of itself: rated power in W, batteries in packs.

    Only a module tells ``model_type`` here.
    """

    serial_number: str
    factory_name: str
    firmware: str | None = None
    rated_power: int | None = None
    battery_count: int | None = None
    model_type: ModelType | None = None


async def read_identity(source: Source, profile: Profile) -> Identity:
    """Return who answers, with what it does not tell as None.

    Raises ``ReadError`` when the serial number can't be read.
    """
    values = dict(await source.read("identity"))
    _serial_number(values)
    for window in SETTINGS:
        try:
            values |= await source.read(window)
        except SilentError:
            # It answered a moment ago: one timeout is enough to learn that it went away.
            break
        except ReadError:
            continue
    return identity_from(values, profile)


async def check_serial(source: Source, expected: str) -> Mapping[str, Value | None]:
    """Make sure that the inverter with serial number ``expected`` answers.

    Returns what was read with the serial number. Raises ``OtherSerialError`` when another one
    answers, and ``ReadError`` when the serial number can't be read.
    """
    values = await source.read("identity")
    found = _serial_number(values)
    if found == expected:
        return values
    # A stranger is a grave thing to claim: one flipped bit must not be enough for it.
    values = await source.read("identity")
    again = _serial_number(values)
    if again == found:
        raise OtherSerialError(found)
    if again != expected:
        raise UnusableError("the serial number changes from reply to reply")
    return values


def identity_from(values: Mapping[str, Value | None], profile: Profile) -> Identity:
    """Return who an inverter is that said ``values`` of itself."""
    rated_power = _number(values, "rated_power")
    return Identity(
        serial_number=_text(values, "serial_number"),
        factory_name=_text(values, "factory_name"),
        firmware=_firmware(values),
        rated_power=rated_power if rated_power in RATED_POWERS else None,
        battery_count=_number(values, "battery_count"),
        **vars(decode_placement(profile, values)),
        model_type=_model_type(values),
    )


def _serial_number(values: Mapping[str, Value | None]) -> str:
    serial_number = _text(values, "serial_number")
    if not serial_number:
        raise UnusableError("there is no serial number")
    return serial_number


def _firmware(values: Mapping[str, Value | None]) -> str | None:
    versions = []
    for board in ("dsp", "arm"):
        major = _number(values, f"{board}_firmware_major")
        minor = _number(values, f"{board}_firmware_minor")
        if major is None or minor is None:
            return None
        versions.append(f"{board.upper()} {major}.{minor:02}")
    return " / ".join(versions)


def _model_type(values: Mapping[str, Value | None]) -> ModelType | None:
    value = values.get("model_type")
    return value if isinstance(value, ModelType) else None


def _text(values: Mapping[str, Value | None], key: str) -> str:
    return str(values.get(key) or "")


def _number(values: Mapping[str, Value | None], key: str) -> int | None:
    value = values.get(key)
    return value if isinstance(value, int) else None
