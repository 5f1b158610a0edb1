"""Which bytes of what a link receives are the reply to the request that was sent."""

from random import randrange
import time
from typing import override

from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU

_READS = (3, 4)
_EXCEPTION = 0x80
_MOST_TRANSACTIONS = 0xFFFF
_MOST_BYTES = 1024
"""How much of what came in is looked at: several times the longest frame."""


class StrictFramer(FramerBase):
    """Takes nothing for a reply but what answers the latest request.

    pymodbus, as measured on 3.13.1, takes a frame with transaction id 0 for the answer to any
    request, does not compare function codes or what a write echoes, and drops the link with an
    error in the log for a frame that it can't decode.
    """

    waste = 0
    """How many bytes the latest delivery left over that are no whole frame."""
    seconds = 0.0
    """How long the latest reply has taken."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        super().__init__(DecodePDU(is_server=False))
        self._unit_id = 0
        self._asked = b"\0"
        self._asked_at = 0.0

    @override
    def buildFrame(self, message: ModbusPDU) -> bytes:
        """Return the frame of a request, and remember what it asks for."""
        self.waste = 0
        self._unit_id = message.dev_id
        self._asked = bytes([message.function_code]) + message.encode()
        self._asked_at = time.monotonic()
        return super().buildFrame(message)

    @override
    def handleFrame(
        self, data: bytes, exp_devid: int, exp_tid: int
    ) -> tuple[int, ModbusPDU | None]:
        """Return how many bytes are done with, and the reply if it is among them.

        Whoever floods the link must not keep this machine busy with it.
        """
        used = max(0, len(data) - _MOST_BYTES)
        pdu = None
        while pdu is None and used < len(data):
            size, unit_id, transaction, content = self.decode(data[used:])
            if not size:
                break
            used += size
            if self._is_reply(unit_id, transaction, content):
                pdu = self.decoder.decode(content)
                if pdu is not None:
                    pdu.dev_id, pdu.transaction_id = unit_id, transaction
                    self.seconds = time.monotonic() - self._asked_at
        self.waste = len(data) - used
        return used, pdu

    def _is_reply(self, unit_id: int, transaction: int, content: bytes) -> bool:
        if unit_id != self._unit_id or len(content) < 2:
            return False
        function = self._asked[0]
        if content[0] == function | _EXCEPTION:
            return len(content) == 2
        if content[0] != function:
            return False
        if function in _READS:
            return len(content) == content[1] + 2
        # A write is answered with where and what, or where and how much.
        return content == self._asked[:5]


class StrictSocketFramer(StrictFramer, FramerSocket):
    """Modbus TCP: numbered frames."""

    def __init__(self) -> None:
        """Begin to count anywhere.

        Some gateways mix up their clients, and those that count from 1 can't tell it.
        """
        super().__init__()
        self._transaction = randrange(_MOST_TRANSACTIONS)  # noqa: S311

    @override
    def buildFrame(self, message: ModbusPDU) -> bytes:
        """Return the frame of a request, with a number that the one before did not have."""
        self._transaction = self._transaction % _MOST_TRANSACTIONS + 1
        message.transaction_id = self._transaction
        return super().buildFrame(message)

    @override
    def _is_reply(self, unit_id: int, transaction: int, content: bytes) -> bool:
        return transaction == self._transaction and super()._is_reply(
            unit_id, transaction, content
        )


class StrictRtuFramer(StrictFramer, FramerRTU):
    """Modbus RTU: unnumbered frames with a checksum."""

    @override
    def decode(self, data: bytes) -> tuple[int, int, int, bytes]:
        """Find a sound frame; see ``FramerBase.decode``.

        A line picks up noise, so a frame may begin anywhere, and what only looks like the
        beginning of one must not hide it.
        """
        for start in range(len(data) - 1):
            frame = data[start:]
            if frame[0] != self._unit_id:
                continue
            if (size := self._size(frame)) <= len(frame) and self.check_CRC(
                frame[: size - 2], int.from_bytes(frame[size - 2 : size])
            ):
                return start + size, self._unit_id, 0, frame[1 : size - 2]
        return 0, 0, 0, b""

    def _size(self, frame: bytes) -> int:
        """Return how long a frame must be that begins like this."""
        if frame[1] & _EXCEPTION:
            return 5
        if frame[1] in _READS:
            return 5 + frame[2] if len(frame) > 2 else 5
        return 8
