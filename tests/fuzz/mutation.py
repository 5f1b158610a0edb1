"""Making inputs that are almost right, which go deeper than such that are only wrong."""

from random import Random
from typing import Any

_ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    65535,
    10**30,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "0x0300",
    "nan",
    "2026-11-22T12:00:00+00:00",
    "🔥" * 9,
    [],
    {},
    [[]],
    {"": None},
)


def mutated_bytes(random: Random, data: bytes) -> bytes:
    """Return bytes that differ from ``data`` in one to four places."""
    found = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(found) + 1)
        match random.randrange(6):
            case 0:
                found[at : at + 1] = bytes([random.randrange(256)])
            case 1 if at < len(found):
                found[at] ^= 1 << random.randrange(8)
            case 2:
                del found[at : at + random.randint(1, 9)]
            case 3:
                found[at:at] = random.randbytes(random.randint(1, 9))
            case 4:
                found[at:at] = found[: random.randint(1, len(found) + 1)]
            case _:
                found = bytearray(random.randbytes(random.randrange(300)))
    return bytes(found)


def mutated_text(random: Random, text: str) -> str:
    """Return text that differs from ``text``, and still is text."""
    return mutated_bytes(random, text.encode()).decode(errors="replace")


def mutated_content(random: Random, content: Any) -> Any:
    """Return what JSON or YAML could hold that differs from ``content`` in places."""
    if random.random() < 0.1:
        return random.choice(_ODD)
    if isinstance(content, dict):
        kept = {
            key: mutated_content(random, value) if random.random() < 0.3 else value
            for key, value in content.items()
            if random.random() > 0.03
        }
        if random.random() < 0.05:
            kept[random.choice(["", "units", "more", "0"])] = random.choice(_ODD)
        return kept
    if isinstance(content, list):
        return [mutated_content(random, each) for each in content]
    return random.choice(_ODD) if random.random() < 0.5 else content
