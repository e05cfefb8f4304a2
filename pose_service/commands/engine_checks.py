"""What the engines need: their files, and what the nets of `4dhumans` run on."""

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from pose_service.commands.findings import Finding, State
from pose_service.core.config import Settings
from pose_service.core.errors import EngineError
from pose_service.core.files import OfficialFile
from pose_service.engines.registry import recipes
from pose_service.engines.seam import EngineRecipe
from pose_service.runtime.fetch import sha256_of
from pose_service.runtime.weights import located, remedy

ROOT = Path(__file__).resolve().parents[2]
NETS_REQUIREMENTS = ROOT / "requirements-4dhumans.txt"
NETS_ENGINE = "4dhumans"


def files(settings: Settings, *, full: bool = False) -> Iterator[Finding]:
    """Each file of each engine that may come to serve; with `full` looked into, not at.

    One that is missing is a problem only where its engine is asked for by name and needs it.
    """
    for recipe in _eligible(settings):
        wrong = State.PROBLEM if settings.engine == recipe.name else State.NOTE
        for file in (file for source in recipe.sources for file in source.files):
            yield look_at(file, settings, wrong, full=full)
        for file in (file for source in recipe.optional_sources for file in source.files):
            yield look_at(file, settings, State.NOTE, full=full)


def nets_packages(settings: Settings, requirements: Path = NETS_REQUIREMENTS) -> Iterator[Finding]:
    """torch and torchvision, unless another engine is asked for by name.

    They are loaded, which takes seconds, only where theirs is.
    """
    if settings.engine not in (NETS_ENGINE, "auto"):
        return
    yield from packages(requirements, State.NOTE)
    if settings.engine == NETS_ENGINE:
        yield torch_at_work()
        yield torchvision_at_work()


def packages(requirements: Path, missing: State = State.PROBLEM) -> Iterator[Finding]:
    """One finding per package that is pinned in `requirements`."""
    if not requirements.is_file():
        return
    install = f"{sys.executable} -m pip install -r {requirements}"
    for line in requirements.read_text(encoding="utf-8").splitlines():
        name, pinned, wanted = line.partition("#")[0].strip().partition("==")
        if not pinned:
            continue
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding(name, missing, f"missing; {wanted} is wanted", install)
            continue
        # 2.13.0+cpu is 2.13.0, built for another device
        same = version.partition("+")[0] == wanted
        detail = version if same else f"{version}; tested with {wanted}"
        yield Finding(name, State.OK if same else State.NOTE, detail, "" if same else install)


def torch_at_work() -> Finding:
    """Whether torch loads, and what it runs on."""
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        return Finding("import torch", State.PROBLEM, str(error), _install_nets())
    if torch.cuda.is_available():
        return Finding("import torch", State.OK, f"runs on {torch.cuda.get_device_name()}")
    driver = "Install the driver, or a torch that is built for it: https://pytorch.org."
    return Finding("import torch", State.NOTE, "runs on the CPU: it sees no CUDA device", driver)


def torchvision_at_work() -> Finding:
    """Whether torchvision loads, which it does only beside the torch that it was built for."""
    try:
        importlib.import_module("torchvision")
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        detail = f"{error}; slower operations of our own are used instead"
        return Finding("import torchvision", State.NOTE, detail, _install_nets())
    return Finding("import torchvision", State.OK, "loads")


def _install_nets() -> str:
    return f"Install both again: {sys.executable} -m pip install -r {NETS_REQUIREMENTS}"


def cuda() -> Finding:
    """Asked of the driver, not of torch, which takes seconds to load."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        seen = "a device, but no nvidia-smi" if Path("/dev/nvidia0").exists() else "not seen"
        return Finding("CUDA", State.OK, f"{seen}; the embedded engine needs none")
    asked = "name,memory.total,memory.free,driver_version"
    query = [tool, f"--query-gpu={asked}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("CUDA", State.NOTE, f"nvidia-smi fails: {error}", "Reinstall the driver.")
    cards = [_card(line) for line in answer.stdout.splitlines() if line.strip()]
    return Finding("CUDA", State.OK, "; ".join(cards))


def _card(line: str) -> str:
    name, total, free, driver = [part.strip() for part in line.rsplit(",", 3)]
    return f"{name}, {free} of {total} free, driver {driver}"


def _eligible(settings: Settings) -> list[EngineRecipe]:
    known = recipes()
    return [known[settings.engine]] if settings.engine in known else list(known.values())


def look_at(file: OfficialFile, settings: Settings, wrong: State, *, full: bool) -> Finding:
    """Where `file` is; `wrong` where it is missing or damaged. With `full` it is read."""
    try:
        path = located(file, settings)
        if full:
            _look_into(path, file, remedy(file, settings))
    except EngineError as error:
        return Finding(file.name, wrong, str(error), error.hint)
    known = " and is whole" if full else ""
    return Finding(file.name, State.OK, f"{path}{known} ({file.purpose}; {file.licence})")


def _look_into(path: Path, file: OfficialFile, hint: str) -> None:
    """All of the file is read: seconds for each GB."""
    if file.sha256 is not None and sha256_of(path) == file.sha256:
        return
    if file.check is None:
        raise EngineError(f"{path} is damaged: its SHA-256 is not {file.sha256}", hint=hint)
    file.check(path)
