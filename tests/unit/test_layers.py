"""Imports run one way: a room may import rooms below it, never above or beside it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "pose_service"

# Longer names are more exact. Rooms of one level may not import each other.
LEVELS = {
    "core": 0,
    "runtime.opening": 1,
    "runtime.weights": 2,
    "runtime.fetch": 1,
    "runtime.device": 2,
    "runtime.memory": 2,
    "vitdet": 2,
    "hmr2": 2,
    "phalp": 2,
    "blazepose": 2,
    "bodies": 2,
    "media": 2,
    "rendering": 2,
    "measurement": 2,
    "biomechanics": 2,
    "export": 2,
    "tracking": 1,
    "temporal": 1,
    "blazeface": 2.2,
    "pose2d": 2.2,
    "fourdhumans": 2.5,
    "reports": 2.6,
    "engines": 3,
    "pipeline": 4,
    "runtime": 4,
    "avatar": 4.5,
    "legacy": 5,
    "jobs": 5,
    "web": 6,
    "runners": 6,
    "app": 7,
    "commands": 8,
    "__main__": 9,
}


def room_of(module: str) -> str:
    """The name in LEVELS that `module` (without the package's name) belongs to."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if (name := ".".join(parts[:length])) in LEVELS:
            return name
    raise AssertionError(f"{module} is in no room: give it a level")


def imports_of(path: Path) -> set[str]:
    """Modules of the package that `path` imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {name.removeprefix("pose_service.") for name in names if "pose_service." in name}
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_run_one_way(path: Path) -> None:
    module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    if module == "__init__":
        assert imports_of(path) <= {"__version__"}
        return
    room = room_of(module)
    for imported in imports_of(path) - {"__version__"}:
        other = room_of(imported)
        assert other == room or LEVELS[other] < LEVELS[room], f"{module} imports {imported}"


def test_importing_the_package_and_the_engine_list_loads_no_torch() -> None:
    code = (
        "import sys, pose_service, pose_service.engines.registry as r; r.recipes(); "
        "heavy = {'torch', 'anny', 'cv2', 'av', 'ai_edge_litert'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
