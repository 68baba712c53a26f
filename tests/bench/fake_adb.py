"""An adb for tests: replays a conversation, and keeps the phone's files in a folder.

No phone was at hand: what Android answers was written after its documentation and sources. What
the runner writes (data/runner-*.json) was recorded from its x86-64 build.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data"
SERIAL = "R5CT1234"

PROPERTIES = """\
[persist.sys.locale]: [de-DE]
[ro.build.version.release]: [15]
[ro.product.cpu.abi]: [arm64-v8a]
[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a,armeabi]
[ro.product.manufacturer]: [Maker]
[ro.product.model]: [Model 1]
[ro.serialno]: [R5CT1234]
[ro.soc.manufacturer]: [Vendor]
[ro.soc.model]: [SoC 8]
"""
CPUINFO = "".join(
    f"processor\t: {i}\nFeatures\t: fp asimd asimdhp asimddp i8mm bf16\nCPU part\t: 0xd46\n\n"
    for i in range(8)
)
BATTERY = """\
Current Battery Service state:
  AC powered: false
  USB powered: true
  Max charging current: 500000
  status: 2
  health: 2
  present: true
  level: 93
  scale: 100
  voltage: 4321
  temperature: 285
  technology: Li-ion
"""
AWAKE = "POWER MANAGER (dumpsys power)\n\nPower Manager State:\n  mWakefulness=Awake\n"
ASLEEP = AWAKE.replace("Awake", "Asleep")
THERMAL = (
    "IsStatusOverride: false\nThermalEventListeners:\n\tcallbacks: 5\nThermal Status: {}\n"
    "Cached temperatures:\n\tTemperature{{mValue=31.2, mType=3, mName=skin, mStatus=0}}\n"
)
LISTING = "List of devices attached\n{}\n"

# Python without its site packages and with the least of its library: it is started hundreds of
# times. No word of the conversation holds a space or a quote.
SCRIPT = """\
#!{python} -IS
import os, sys
place = {place!r}
given = " ".join(sys.argv[1:])

def read(name):
    with open(name, "rb") as file:
        return file.read()

def write(name, data, mode="wb"):
    with open(name, mode) as file:
        file.write(data)

def at(name):
    return place + "/phone" + name

write(place + "/log", given.encode() + b"\\n", "ab")
told = given.split(" shell ", 1)[-1]
for number, (start, answers) in enumerate(eval(read(place + "/rules"))):
    if given.startswith(start) or start in told:
        used = place + "/used-" + start.encode().hex()
        write(used, b"x", "ab")
        code, output, complaint = answers[min(os.path.getsize(used), len(answers)) - 1]
        sys.stdout.write(output)
        sys.stderr.write(complaint)
        sys.exit(code)

verb, *words = sys.argv[3:]
if verb == "push":
    for file in words[:-1]:
        target = at(words[-1])
        inside = target + "/" + os.path.basename(file)
        write(inside if os.path.isdir(target) else target, read(file))
    sys.exit()
if verb == "pull":
    write(words[1], read(at(words[0])))
    sys.exit()
program, *words = told.split(" ")
if program == "mkdir":
    os.makedirs(at(words[-1]))
elif program == "rm":
    for folder, _, names in os.walk(at(words[-1]), topdown=False):
        for name in names:
            os.remove(folder + "/" + name)
        os.rmdir(folder)
elif program == "chmod":
    assert os.path.isfile(at(words[-1]))
elif program.endswith("/fa_runner"):
    value = dict(zip(words, words[1:]))
    assert os.path.isfile(at(value["--library"])) and os.path.isfile(at(program))
    folders = [word for word in words if word.startswith("/") and word[-1].isdecimal()]
    if "--results" in words:
        write(at(folders[0]) + "/denoised.f32", read(at(folders[0]) + "/raw.f32"))
    kind = "start" if value["--runs"] != "15" else ("burst", "sustained")[value["--seconds"] != "0"]
    recorded = eval(read({data!r} + "/runner-" + kind + ".json"))
    recorded["subjects"] *= len(folders)
    write(at(value["--output"]), repr(recorded).replace("'", '"').encode())
else:
    sys.exit("not in the conversation: " + given)
"""


@dataclass
class FakeAdb:
    """Rules are looked at before the phone's files: (start of the arguments or of what the shell
    is told, answers in turn, the last one again and again)."""

    place: Path
    rules: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)

    def install(self) -> Path:
        """Write the program; the folder to put into PATH."""
        self.place.mkdir()
        (self.place / "phone/data/local/tmp").mkdir(parents=True)
        program = self.place / "adb"
        text = SCRIPT.replace("{python}", sys.executable)
        text = text.replace("{place!r}", repr(str(self.place))).replace("{data!r}", repr(str(DATA)))
        program.write_text(text)
        program.chmod(0o755)
        self.answers(
            **{
                "devices": LISTING.format(f"{SERIAL}\tdevice"),
                "getprop": PROPERTIES,
                "cat /proc/cpuinfo": CPUINFO,
                "dumpsys battery": BATTERY,
                "dumpsys power": AWAKE,
                "dumpsys thermalservice": THERMAL.format(0),
                "settings get global low_power": "0\n",
            }
        )
        return self.place

    def answers(self, **outputs: str) -> None:
        """What commands print while all is well."""
        for start, output in outputs.items():
            self.says(start, (0, output, ""))

    def says(self, start: str, *answers: tuple[int, str, str]) -> None:
        """Exit code, output and complaint of a command, turn by turn."""
        self.rules = {start: list(answers)} | {k: v for k, v in self.rules.items() if k != start}
        (self.place / "rules").write_text(repr(list(self.rules.items())))

    @property
    def log(self) -> list[str]:
        """Every call's arguments."""
        path = self.place / "log"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def left(self) -> list[str]:
        """What lies on the phone."""
        return [path.name for path in (self.place / "phone/data/local/tmp").iterdir()]
