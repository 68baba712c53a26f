"""What Android tells of itself through adb's shell, without root: the phone and its condition."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fa_mobile.bench.adb import Adb, first_line
from fa_mobile.bench.device import isa_flags
from fa_mobile.errors import UserError

_THERMAL: Final = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
"""Android's PowerManager.THERMAL_STATUS_*, by their numbers."""
_CHARGING: Final = "2"
"""BatteryManager.BATTERY_STATUS_CHARGING."""
_WORD: Final = 200


@dataclass(frozen=True)
class PhoneFacts:
    """What does not change during a run."""

    maker: str
    model: str
    soc: str | None
    os: str
    abis: tuple[str, ...]
    """The best first."""
    cores: int
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Battery:
    """Its temperature, level and whether it is charged now; None where Android does not tell."""

    celsius: float | None
    percent: float | None
    charging: bool | None


@dataclass(frozen=True)
class PhoneState:
    """What does; None where Android does not tell."""

    awake: bool | None
    thermal: str | None
    battery_c: float | None
    battery_percent: float | None
    charging: bool | None
    low_power_mode: bool | None


def read_facts(adb: Adb) -> PhoneFacts:
    """Ask the phone who it is.

    Raises:
        UserError: when it is gone or names no ABI.
    """
    return parse_facts(adb.shell("getprop"), adb.ask("cat", "/proc/cpuinfo").output)


def read_state(adb: Adb) -> PhoneState:
    """Ask the phone how it is.

    Raises:
        UserError: when it is gone.
    """
    battery = parse_battery(adb.ask("dumpsys", "battery").output)
    return PhoneState(
        awake=parse_awake(adb.ask("dumpsys", "power").output),
        thermal=parse_thermal(adb.ask("dumpsys", "thermalservice").output),
        battery_c=battery.celsius,
        battery_percent=battery.percent,
        charging=battery.charging,
        low_power_mode=_flag(adb.ask("settings", "get", "global", "low_power").output),
    )


def check_ready(state: PhoneState, serial: str) -> None:
    """Refuse to time a phone that sleeps or is slowed down already.

    Raises:
        UserError: saying what to do.
    """
    check_awake(state, serial)
    if state.thermal not in (None, "none"):
        raise UserError(
            f"phone {serial} is throttled already (thermal status '{state.thermal}'); let it cool "
            "down, out of its case and not charging, and start again"
        )


def check_awake(state: PhoneState, serial: str) -> None:
    """Refuse a phone that sleeps.

    Raises:
        UserError: saying what to do.
    """
    if state.awake is False:
        raise UserError(
            f"phone {serial} is asleep, and slow then; wake it and keep its screen on (developer "
            "options: Stay awake), and start again"
        )


def parse_facts(properties: str, cpuinfo: str) -> PhoneFacts:
    """From the outputs of ``getprop`` and of /proc/cpuinfo.

    Raises:
        UserError: when no ABI is named: it is no Android.
    """
    found = dict(re.findall(r"^\[([^\]]+)\]: \[([^\]]*)\]", properties, re.MULTILINE))

    def known(*names: str) -> str | None:
        values = (found.get(name, "").strip() for name in names)
        return next((first_line(value, _WORD) for value in values if value), None)

    abis = known("ro.product.cpu.abilist", "ro.product.cpu.abi")
    if abis is None:
        raise UserError("what adb is connected to names no ABI; give a phone that runs Android")
    soc = " ".join(filter(None, (known("ro.soc.manufacturer"), known("ro.soc.model"))))
    return PhoneFacts(
        maker=known("ro.product.manufacturer", "ro.product.brand") or "unknown",
        model=known("ro.product.model", "ro.product.name") or "unknown",
        soc=soc[:_WORD] or known("ro.board.platform", "ro.hardware"),
        os=f"Android {known('ro.build.version.release') or 'unknown'}"[:_WORD],
        abis=tuple(abis.split(",")),
        cores=len(re.findall(r"^processor\s*:", cpuinfo, re.MULTILINE)) or 1,
        flags=isa_flags(cpuinfo),
    )


def parse_awake(power: str) -> bool | None:
    """Whether the screen is on and the phone in use, in the output of ``dumpsys power``."""
    if found := re.search(r"\bmWakefulness=(\w+)", power):
        return found[1] == "Awake"
    if found := re.search(r"\bDisplay Power: state=(\w+)", power):
        return found[1] == "ON"
    return None


def parse_thermal(service: str) -> str | None:
    """The thermal status in the output of ``dumpsys thermalservice`` (Android 10 and newer)."""
    found = re.search(r"^Thermal Status:\s*(\d+)", service, re.MULTILINE)
    if found is None or int(found[1]) >= len(_THERMAL):
        return None
    return _THERMAL[int(found[1])]


def parse_battery(battery: str) -> Battery:
    """From the output of ``dumpsys battery``."""
    found = dict(re.findall(r"^ +(\w+): (-?\w+)$", battery, re.MULTILINE))
    tenths, level, scale = (_number(found.get(k)) for k in ("temperature", "level", "scale"))
    return Battery(
        celsius=None if tenths is None else tenths / 10,
        percent=None if level is None or not scale else 100 * level / scale,
        charging=found["status"] == _CHARGING if "status" in found else None,
    )


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"-?\d{1,9}", text) else None


def _flag(text: str) -> bool | None:
    return {"1": True, "0": False}.get(text.strip())
