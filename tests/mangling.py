"""What can become of a reply on its way over Modbus TCP."""

from collections.abc import Mapping

from .groups import Mangle

_HEADER = 9
"""Bytes in front of the words of a reply."""


def cut_off(reply: bytes) -> bytes:
    """Leave out the last word, and say so: some gateways do."""
    length = int.from_bytes(reply[4:6]) - 2
    count = reply[_HEADER - 1] - 2
    return b"".join(
        (reply[:4], length.to_bytes(2), reply[6:8], bytes([count]), reply[_HEADER:-2])
    )


MANGLED: Mapping[str, Mangle] = {
    "lost": lambda reply: b"",
    "cut_off": cut_off,
    "noise": lambda reply: b"\x55" * len(reply),
    "zeros": lambda reply: reply[:_HEADER] + bytes(len(reply) - _HEADER),
    "ones": lambda reply: reply[:_HEADER] + b"\xff" * (len(reply) - _HEADER),
    "busy": lambda reply: (
        reply[:4] + b"\x00\x03" + reply[6:7] + bytes([reply[7] | 0x80, 6])
    ),
}
"""What can become of a reply, for as long as it likes."""
