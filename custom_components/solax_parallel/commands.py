"""Giving a command to a group, and saying what came of it."""

from math import ceil

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.update_coordinator import UpdateFailed

from .a1_ess.control import CommandError, CommandFailedError, CommandRefusedError
from .const import DOMAIN
from .coordinator import SolaxCoordinator


async def async_command(
    coordinator: SolaxCoordinator, load: str, key: str, value: str
) -> None:
    """Give the command ``key`` to the smart load called ``load``, and look at what it does.

    Raises ``ServiceValidationError`` when nothing was written, and ``HomeAssistantError`` when
    it was and the inverter does not confirm it, or when polling is switched off meanwhile.
    """
    coordinator.async_require_polling()
    try:
        await coordinator.async_ask(
            coordinator.wiring.control.write(key, value), commands=True
        )
    except CommandRefusedError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=err.reason,
            translation_placeholders=_placeholders(coordinator, load, value, err)
            | {"wait": str(ceil(err.wait))},
        ) from err
    except CommandFailedError as err:
        await coordinator.async_refresh()
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=err.reason,
            translation_placeholders=_placeholders(coordinator, load, value, err),
        ) from err
    except UpdateFailed as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="command_given_up",
            translation_placeholders={
                "load": load,
                "wanted": coordinator.words("smart_load_says", value),
            },
        ) from err
    await coordinator.async_refresh()


def _placeholders(
    coordinator: SolaxCoordinator, load: str, value: str, err: CommandError
) -> dict[str, str]:
    words = coordinator.words
    return {
        "load": load,
        "wanted": words("smart_load_says", value),
        "now": words("smart_load_says", err.said or "nothing"),
    }
