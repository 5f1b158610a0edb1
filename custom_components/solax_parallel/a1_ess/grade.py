"""How well this project knows what it relies on."""

from enum import StrEnum


class Grade(StrEnum):
    """How well a fact about these inverters is known."""

    VENDOR = "vendor"
    SISTER = "sister"
    FIELD = "field"
    ASSUMED = "assumed"
