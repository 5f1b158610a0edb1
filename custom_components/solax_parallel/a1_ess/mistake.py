"""What can be wrong with a register map."""

from collections.abc import Mapping, Sequence
from enum import StrEnum


class Reason(StrEnum):
    """Why a register map cannot be used."""

    SPECIAL_FILE = "special_file"
    UNREADABLE = "unreadable"
    NOT_UTF_8 = "not_utf_8"
    NESTED = "nested"
    NO_SECTIONS = "no_sections"
    TWICE = "twice"
    NO_ENTRIES = "no_entries"
    MISSING = "missing"
    NOT_ONE_OF = "not_one_of"
    NOT_WHOLE = "not_whole"
    NOT_A_NUMBER = "not_a_number"
    NOT_TEXT = "not_text"
    NOT_TRUE_OR_FALSE = "not_true_or_false"
    NOT_POSITIVE = "not_positive"
    OUT_OF_RANGE = "out_of_range"
    REPEATED_KEY = "repeated_key"
    UNKNOWN_WINDOW = "unknown_window"
    UNKNOWN_BOUNDS = "unknown_bounds"
    UNKNOWN_REGISTER = "unknown_register"
    UNKNOWN_FAULT = "unknown_fault"
    NEW_WINDOW = "new_window"
    WINDOW_SIZE = "window_size"
    OUTSIDE_WINDOW = "outside_window"
    OTHER_WINDOW = "other_window"
    NOT_SHOWN = "not_shown"
    MIN_ABOVE_MAX = "min_above_max"
    NO_LENGTH = "no_length"
    OTHER_LENGTH = "other_length"
    NO_SUCH_BIT = "no_such_bit"
    UNIT_OF_CODES = "unit_of_codes"
    NEW_COMMAND = "new_command"
    OTHER_CONFIRMATION = "other_confirmation"
    ADDRESS_TAKEN = "address_taken"
    NEVER_SAID = "never_said"
    TWO_CODES = "two_codes"


class MistakeError(Exception):
    """What is wrong with a register map, by the keys that lead to it.

    ``details`` are what the words for ``reason`` need. ``other_path`` leads to what else may have
    brought it about. ``line`` is where the mistake stands in the file, if that is known already.
    """

    def __init__(
        self,
        path: Sequence[object],
        reason: Reason,
        details: Mapping[str, object] | None = None,
        *,
        other_path: Sequence[object] = (),
        line: int | None = None,
    ) -> None:
        """Remember what is wrong, and where."""
        self.path = path
        self.reason = reason
        self.other_path = other_path
        self.line = line
        self.details = {name: str(value) for name, value in (details or {}).items()}
        super().__init__(f"{'.'.join(map(str, path))}: {reason} {self.details}")
