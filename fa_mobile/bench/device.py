"""Where a benchmark ran: this machine, a phone or a browser that sent its report."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]

ISA_FLAGS: Final = (
    "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8",
    "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2", "sme",
)  # fmt: skip
"""Those for which the runtimes have convolution kernels of their own."""


class Strict(BaseModel):
    """Base of everything in a report: no unknown field, no change, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class HostDevice(Strict):
    """A computer. It holds nothing that names its owner: no host name, user or path."""

    kind: Literal["host"] = "host"
    cpu: Text
    cores: Positive
    """Logical cores that the benchmark was allowed to use, before ``threads`` was applied."""
    flags: tuple[str, ...]
    """Of ``ISA_FLAGS``, what the cores have."""
    os: Text
    kernel: Text
    """Major and minor version only."""
    python: Text
    runtimes: dict[str, str]
    """Version of each runtime that ran something."""


class PhoneDevice(Strict):
    """A phone, as adb or its benchmark app describes it. What the system does not tell is null."""

    kind: Literal["phone"]
    maker: Text
    model: Text
    soc: Text | None
    os: Text
    """With its version: "Android 15", "iOS 18.1"."""
    cores: Positive
    flags: tuple[str, ...]
    runtimes: dict[str, str]
    app_version: Text
    governor: Text | None
    charging: bool | None
    low_power_mode: bool | None
    temperature_start_c: float | None
    """Of the battery, as ``temperature_end_c``."""
    temperature_end_c: float | None
    thermal_start: Text | None
    """The system's own word: "none", "light", ... (Android), "nominal", "fair", ... (iOS)."""
    thermal_end: Text | None
    abi: Text | None = None
    """Of the program that ran; null in reports of older versions."""
    battery_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    zones_start_c: dict[str, float] = {}
    """The hottest thermal zone of each type, where the kernel lets them be read."""
    zones_end_c: dict[str, float] = {}


class BrowserDevice(Strict):
    """A browser, as its page is told. It tells no temperature, memory or name of the processor."""

    kind: Literal["browser"]
    browser: Text
    """With its version."""
    os: Text
    model: Text | None
    """Of a phone, where the browser tells it."""
    architecture: Text | None
    """The browser's own word: "x86", "arm"."""
    cores: Positive
    """As told; some browsers tell fewer than there are."""
    flags: tuple[str, ...]
    """"wasm-simd", "wasm-threads": what the runtime could use."""
    runtimes: dict[str, str]
    app_version: Text

    @property
    def title(self) -> str:
        """Browser and what it ran on."""
        return " on ".join(filter(None, (self.browser, self.model, self.architecture)))


AnyDevice = HostDevice | PhoneDevice | BrowserDevice
Device = Annotated[AnyDevice, Field(discriminator="kind")]


def device_name(device: AnyDevice) -> str:
    """What to call it in a table or a picture."""
    if device.kind == "host":
        return device.cpu
    return device.title if device.kind == "browser" else f"{device.maker} {device.model}"


_SAME: Final = {
    "host": ("cpu", "cores", "flags", "os", "runtimes"),
    "phone": ("maker", "model", "soc", "os", "cores", "runtimes"),
    "browser": ("browser", "model", "architecture", "os", "cores", "flags", "runtimes"),
}
"""What must be equal for two runs' times to be comparable, even as ratios."""


def differences(now: AnyDevice, then: AnyDevice) -> list[str]:
    """What differs between two devices, one phrase each; empty for the same kind of machine."""
    if now.kind != then.kind:
        return [f"device is a {now.kind}, was a {then.kind}"]
    pairs = ((name, getattr(now, name), getattr(then, name)) for name in _SAME[now.kind])
    return [f"{name} is {_shown(a)}, was {_shown(b)}" for name, a, b in pairs if a != b]


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in sorted(value.items())) or "none"
    return " ".join(value) or "none" if isinstance(value, tuple) else str(value)


def host_device(runtimes: Mapping[str, str]) -> HostDevice:
    """This machine."""
    path = Path("/proc/cpuinfo")
    info = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return HostDevice(
        cpu=cpu_name(info) or platform.processor() or platform.machine(),
        cores=len(available_cores()),
        flags=isa_flags(info),
        os=_os_name(),
        kernel=".".join(re.findall(r"\d+", platform.release())[:2]) or "unknown",
        python=platform.python_version(),
        runtimes=dict(sorted(runtimes.items())),
    )


def available_cores() -> list[int]:
    """Numbers of the logical cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cpu_name(cpuinfo: str) -> str | None:
    """The processor's name in the text of /proc/cpuinfo; ARM kernels give the part's numbers."""
    fields = _fields(cpuinfo)
    if name := fields.get("model name"):
        return name
    if part := fields.get("CPU part"):
        return f"ARM implementer {fields.get('CPU implementer', '?')} part {part}"
    return None


def isa_flags(cpuinfo: str) -> tuple[str, ...]:
    """Which of ``ISA_FLAGS`` the text of /proc/cpuinfo lists (x86: flags, ARM: Features)."""
    fields = _fields(cpuinfo)
    present = (fields.get("flags") or fields.get("Features") or "").split()
    return tuple(flag for flag in ISA_FLAGS if flag in present)


def _fields(cpuinfo: str) -> dict[str, str]:
    """The first value of each key."""
    found: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        found.setdefault(key.strip(), value.strip())
    return found


def _os_name() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return f"{platform.system()} {platform.mac_ver()[0]}".strip()
    return f"{release.get('NAME', 'Linux')} {release.get('VERSION_ID', '')}".strip()
