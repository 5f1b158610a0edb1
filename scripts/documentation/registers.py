"""The page about registers: how well each is known, and how an owner proves one."""

from collections.abc import Iterator, Mapping, Sequence

from custom_components.solax_parallel.a1_ess.profile import Profile, load_profile
from custom_components.solax_parallel.a1_ess.register import Command, Register, Space
from custom_components.solax_parallel.tables import table

_INTRODUCTION = """\
# Register evidence

<!-- Written by scripts/docs from custom_components/solax_parallel/a1_ess/profiles/a1_ess_g2.yaml:
change that. -->

SolaX has published no complete register map of the A1-ESS-G2 family. Each register that the
integration reads says how well it is known, and where that comes from:

| Grade | Meaning |
| --- | --- |
| `vendor` | printed in a SolaX document for exactly this family |
| `sister` | printed in a SolaX document, or read by public code, for a sister family |
| `field` | a reading that an owner of this family confirmed |
| `assumed` | placed by this project; nobody has published it |

Nothing is ever written to a register graded `sister` or `assumed` on a real inverter. Reading one
does no harm: what fails its cross-check or lies out of bounds is shown as unknown.

## Proving a register

You need an inverter of this family, its display or the SolaX app, and a few minutes at two times of
the day at which the value differs.

1. Note what the display or the app shows, with the time, and what the entity in Home Assistant shows
   at that moment.
2. Put what you believe into the file `solax_parallel/a1_ess_g2.yaml` of your configuration folder.
   Only what you change has to stand there. To confirm a register that is right already, set its
   grade:

   ```yaml
   registers:
     battery_soc: {grade: field, source: display of an A1-HYB-7.6-G2 on 2026-11-01 and 2026-11-02}
     l1_voltage: {address: 0x0072, grade: field, source: display on 2026-11-01 and 2026-11-02}
   ```

   `address`, `type`, `scale`, `bounds`, `values` (codes), `bits`, `grade` and `source` can be
   corrected. It has to lie in one of the windows below, because nothing else is ever read. A register
   that is missing here can be added with all of them and with `window`, which has to be `live`, `legs`
   or `third_string`; with a `unit` it becomes a sensor, and without one the action below tells of it.
   What is read through a [monitoring module](module.md#correcting-a-place) has a section of its own,
   `module`, with `index` instead of `address` and `window`.
3. Run the action *Validate register map* under *Settings > Tools > Actions*:

   ```yaml
   action: solax_parallel.validate_profile
   response_variable: proof
   ```

   It reads every register that your file corrects once from every inverter, and returns address, raw
   words and value by your map (`yours`) next to those by the shipped map (`shipped`), whether the
   value lies within its bounds, or why there is none. It only reads, and the map in use stays as it
   is. A mistake in the file is told with its line and key.
4. Compare with the display. One match can be an accident (many registers hold 0): repeat it at the
   other time.
5. Reload the integration. From now on your map is used.

**Contribute it**, so that nobody has to do this again:
[the form](https://github.com/solax-parallel/solax-parallel/issues/new?template=register_proof.yaml)
asks for model and firmware, the lines of your file, what the display showed and when, what the action
returned, and the diagnostics file (*Settings > Devices & services > SolaX Parallel > Download diagnostics*). The diagnostics hold
the raw words of the latest poll by decimal address, and no serial number; the action shortens serial
numbers."""

_READING = """\
## Windows

A window is a run of addresses. One request reads it, from the first to the last register below that lies
in it. Nothing outside of the windows is ever read. Your file can move a window (`windows:`), and can't
add one."""

_REGISTERS = """\
## Registers

Values of 32 bits are two words, the low one first. A number in brackets is the source:"""

_MODULE = """\
## Monitoring module

Where an inverter is read [through its module](module.md), these are the places in the array `Data` of
its answer. Unit, bounds and codes are those of the register with the same key unless something else is
known:"""

_COMMANDS = """\
## Commands

All that can ever be written: one holding register of the primary at a time (function 06), when you
ask for it and have allowed it, and only where the grade is `vendor` or `field`. Each counts as carried
out when the register that confirms it says so. Your file can correct them (`commands:`), and can't add
one; *Validate register map* writes nothing, so it tells nothing of them. How you prove one: see
[smart loads](smart-loads.md#control)."""

_FUNCTIONS: dict[Space, str] = {"holding": "03", "input": "04"}


def register_page() -> str:
    """Return the page in Markdown."""
    profile = load_profile()
    return (
        "\n\n".join(
            [
                _INTRODUCTION,
                _READING,
                _windows(profile),
                _REGISTERS,
                *_registers(profile),
                _MODULE,
                _places(profile),
                _COMMANDS,
                _commands(profile),
            ]
        )
        + "\n"
    )


def _windows(profile: Profile) -> str:
    return table(
        ["Window", "Function", "Addresses"],
        (
            (
                f"`{key}`",
                _FUNCTIONS[window.space],
                f"0x{window.first:04X} to 0x{window.last:04X}",
            )
            for key, window in profile.windows.items()
        ),
    )


def _sources(profile: Profile) -> list[str]:
    """Return every source once, in the order of their numbers."""
    entries: tuple[Register | Command, ...] = (
        *profile.registers.values(),
        *profile.module.values(),
        *profile.commands.values(),
    )
    return list(dict.fromkeys(entry.source for entry in entries))


def _registers(profile: Profile) -> Iterator[str]:
    sources = _sources(profile)
    yield "\n".join(f"- [{number}] {text}" for number, text in enumerate(sources, 1))
    for window in profile.windows:
        yield f"### Window `{window}`"
        yield table(
            ["Key", "Address", "Type", "Scale and unit", "Grade", "Source"],
            (
                _row(register, f"0x{register.address:04X}", sources)
                for register in profile.registers.values()
                if register.window == window
            ),
        )


def _places(profile: Profile) -> str:
    sources = _sources(profile)
    return table(
        ["Key", "Index", "Type", "Scale and unit", "Grade", "Source"],
        (_row(place, str(place.address), sources) for place in profile.module.values()),
    )


def _commands(profile: Profile) -> str:
    sources = _sources(profile)
    return table(
        ["Key", "Address", "Codes", "Confirmed by", "Grade", "Source"],
        (_command_row(command, sources) for command in profile.commands.values()),
    )


def _command_row(command: Command, sources: Sequence[str]) -> tuple[str, ...]:
    return (
        f"`{command.key}`",
        f"0x{command.address:04X}",
        _names(command.values),
        f"`{command.confirmed_by}`",
        f"`{command.grade}`",
        f"[{sources.index(command.source) + 1}]",
    )


def _row(register: Register, place: str, sources: Sequence[str]) -> tuple[str, ...]:
    return (
        f"`{register.key}`",
        place,
        register.type if register.type != "ascii" else f"ascii, {register.words} words",
        _meaning(register),
        f"`{register.grade}`",
        f"[{sources.index(register.source) + 1}]",
    )


def _meaning(register: Register) -> str:
    """Return what one step of the raw value is worth, or what its codes or bits stand for."""
    names = register.values or register.bits
    if names is not None:
        kind = "codes" if register.values else "bits"
        return f"{kind}: {_names(names)}"
    if register.unit is None:
        return ""
    return f"{register.scale:g} {register.unit}"


def _names(names: Mapping[int, str]) -> str:
    return ", ".join(f"{code} {name}" for code, name in names.items())
