"""Lets the tests run on a Home Assistant newer than the test package was made for.

Loaded ahead of every other plugin: Home Assistant replaces modules that others import too, so it
has to come first.
"""

from homeassistant.components import logger
import homeassistant.const  # noqa: F401

if not hasattr(logger, "_clear_logger_overwrites"):
    # Gone from Home Assistant 2026.11; the test package for 2026.10 still patches it.
    logger._clear_logger_overwrites = lambda hass: None  # type: ignore[attr-defined]
