"""The page about messages: everything that dialogs, repairs and actions can say."""

from collections.abc import Iterator, Mapping
from typing import Any

from .texts import TEXTS

_INTRODUCTION = """\
# Messages

<!-- Written by scripts/docs from custom_components/solax_parallel/translations/en.json: change that. -->

What the integration can tell you, word by word, and what is worth knowing beyond that. A word in
*[brackets]* stands for what the message names in your case. What an inverter reports is on the page
[faults](faults.md), what no message tells on the page [troubleshooting](troubleshooting.md)."""

_SECTIONS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "Adding or changing a group": (
        ("config", "error"),
        "You can correct what you entered and go on; what was found is kept.",
    ),
    "A dialog that ends": (("config", "abort"), "Nothing was added or changed."),
    "Options": (("options", "error"), "Nothing was changed."),
    "Actions, buttons, switches and start": (
        ("exceptions",),
        "The first ones are also the reason that Home Assistant gives for a group that does not start.",
    ),
    "The transfer test": (
        ("selector", "transfer_test", "options"),
        "The first one is the title of the notification that says how far the test is, and what came of it.",
    ),
    "What was wrong in a transfer test": (
        ("selector", "transfer_failure", "options"),
        "Told of each inverter in the table of the notification.",
    ),
    "Validating a register map": (
        ("selector", "register_problem", "options"),
        "What the action says in place of a value that could not be had.",
    ),
}
"""Where the messages of a section stand among the texts, and what they have in common."""

MORE: Mapping[str, str] = {
    "cannot_connect": (
        "Most often another program holds the connection: "
        "[one Modbus program at a time](troubleshooting.md#one-modbus-program-at-a-time). "
        "A module that refuses every connection may not speak Modbus at all: "
        "[modules without Modbus](troubleshooting.md#modules-without-modbus)."
    ),
    "no_inverter": (
        "The message says what came back. *Silent* points to baud rate, wiring or id, *another device* "
        "to a wrong address: "
        "[nobody answers behind a gateway](troubleshooting.md#nobody-answers-behind-a-gateway)."
    ),
    "no_primary": (
        "The role is taken from the parallel setting of each inverter. If it is the primary that "
        "answered, its setting is wrong: correct it in the SolaX app."
    ),
    "invalid_profile": (
        "`file`, line, key and reason are in the message: "
        "[how a register map is written](register-evidence.md#proving-a-register)."
    ),
    "nothing_found": (
        "The search asks port 502 unless you chose another. Inverters behind a gateway on another port, "
        "in another network or on a serial port are not found by it."
    ),
    "no_network": (
        "Home Assistant's network adapters are under *Settings > System > Network*."
    ),
    "quantity_zero": "Without it nobody knows how many inverters the group has.",
    "module_password": "Where to find it: [setting it up](module.md#setting-it-up).",
    "module_other_device": (
        "What such an answer may have been: [how it is asked](module.md#how-it-is-asked)."
    ),
    "same_serial": "Two addresses may lead to one module, such as its name and its number.",
    "nobody_answered": (
        "Home Assistant tries again by itself, at growing intervals. While it is set up, a silent group is "
        "no such error: its entities become unavailable."
    ),
    "polling_is_off": "The switch *Polling* is on the device page of the group.",
}
"""What is worth knowing beyond a message, by its key."""


def message_page() -> str:
    """Return the page in Markdown."""
    return "\n\n".join([_INTRODUCTION, *_dialogs(), *_repairs()]) + "\n"


def _dialogs() -> Iterator[str]:
    for title, (path, about) in _SECTIONS.items():
        yield f"## {title}"
        yield about
        texts: Any = TEXTS
        for step in path:
            texts = texts[step]
        for key, text in texts.items():
            yield from _message(key, text if isinstance(text, str) else text["message"])


def _message(key: str, text: str) -> Iterator[str]:
    yield _block(text)
    if key in MORE:
        yield MORE[key]


def _repairs() -> Iterator[str]:
    yield "## Repairs"
    yield "They stand under *Settings > System > Repairs* and close by themselves when their reason is gone."
    for texts in TEXTS["issues"].values():
        yield f"### {_quoted(texts['title'])}"
        if "description" in texts:
            yield _block(texts["description"])
        if "fix_flow" in texts:
            yield from _pages(texts["fix_flow"])


def _pages(flow: Mapping[str, Any]) -> Iterator[str]:
    for page in flow["step"].values():
        yield f"#### {_quoted(page['title'])}"
        yield _block(page["description"])
        if "menu_options" in page:
            choices = " or ".join(f"*{each}*" for each in page["menu_options"].values())
            yield f"You choose: {choices}."
    yield "#### At the end"
    for text in (*flow.get("create_entry", {}).values(), *flow["abort"].values()):
        yield _block(text)


def _block(text: str) -> str:
    return "\n".join(
        f"> {line}" if line else ">" for line in _quoted(text).splitlines()
    )


def _quoted(text: str) -> str:
    return text.replace("{", "*[").replace("}", "]*")
