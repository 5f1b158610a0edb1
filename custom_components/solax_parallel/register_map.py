"""The register map in use: the shipped one with the owner's corrections, if there are any."""

from pathlib import Path

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .a1_ess.mistake import Reason
from .a1_ess.profile import Profile, ProfileError, load_profile
from .const import DOMAIN
from .words import Words

_ISSUE_ID = "invalid_profile"


def owners_file(hass: HomeAssistant) -> Path:
    """Return where the owner's corrections belong."""
    return Path(hass.config.path(DOMAIN, "a1_ess_g2.yaml"))


async def async_load_profile(hass: HomeAssistant) -> Profile:
    """Return the register map; without a file of the owner's it is the shipped one itself.

    An issue tells of a file that can't be used, until a load succeeds. Raises ``ProfileError``
    when the owner's file can't be used.
    """
    file = owners_file(hass)

    def load() -> Profile:
        try:
            # Unlike exists() it does not take a broken link or a locked folder for no file.
            file.lstat()
        except FileNotFoundError, NotADirectoryError:
            return load_profile()
        except OSError as err:
            raise ProfileError(
                file, Reason.UNREADABLE, details={"said": str(err)}
            ) from err
        return load_profile(file)

    try:
        profile = await hass.async_add_executor_job(load)
    except ProfileError as err:
        ir.async_create_issue(
            hass,
            DOMAIN,
            _ISSUE_ID,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="invalid_profile",
            translation_placeholders={
                "error": mistake_in_words(err, await Words.async_load(hass)),
                "file": str(file),
            },
        )
        raise
    ir.async_delete_issue(hass, DOMAIN, _ISSUE_ID)
    return profile


def mistake_in_words(err: ProfileError, words: Words) -> str:
    """Return where a register map is wrong, and why, in the language of the house."""
    line = words("register_map_place", "line").format(line=err.line)
    where = (err.file.name, "" if err.line is None else line, err.place)
    reason = words("register_map_mistake", err.reason).format(**err.details)
    return f"{', '.join(filter(None, where))}: {reason}"


@callback
def async_forget_profile(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Drop the issue with the last group: nobody would load the file again."""
    if hass.config_entries.async_entries(DOMAIN) in ([], [entry]):
        ir.async_delete_issue(hass, DOMAIN, _ISSUE_ID)
