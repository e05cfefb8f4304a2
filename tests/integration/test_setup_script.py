"""setup-4d-humans-wsl.sh with a card, a driver, pip and downloads that are scripts of a few lines.

Python, the settings, the addresses and every decision of the script are the real ones.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pose_service.bodies.smpl_file import EXPECTED_NAMES
from pose_service.bodies.smpl_files import PAGE
from pose_service.commands.arguments import parse

ROOT = Path(__file__).resolve().parent.parent.parent
CU126 = "https://download.pytorch.org/whl/cu126"
CPU = "https://download.pytorch.org/whl/cpu"
WSL = "5.15.167.4-microsoft-standard-WSL2"

OLD_BANNER = "| NVIDIA-SMI 555.52.01    Driver Version: 555.99    CUDA Version: 12.5     |"
NEW_BANNER = "| NVIDIA-SMI 610.43.02    KMD Version: 610.47    CUDA UMD Version: 13.3     |"
LOST_BANNER = "| NVIDIA-SMI 545.46    Driver Version: 546.80    CUDA Version: ERR!     |"

# pip, venv and what torch and the service would answer; all else is done by the real Python
STAND_IN = f"""#!/bin/sh
echo "$*" >>"$CALLS"
venv="$(dirname "$(dirname "$0")")"
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip --version") ;;
  "-m pip install "*"/dev/stdin") cat >>"$CALLS" ;;
  "-m pip install "*) mkdir -p "$venv/lib/python3.12/site-packages/torch" ;;
  *check_torch.py) [ -d "$venv/lib/python3.12/site-packages/torch" ] && echo "torch works" ;;
  "-m pose_service fetch-weights"*) touch "$CALLS.fetched" ;;
  *"find_files.py checkpoints") [ -e "$CALLS.fetched" ] ;;
  *"find_files.py body") exit "${{BODY:-0}}" ;;
  "-m pose_service doctor")
    echo "doctor sees $PYTHONPATH and ${{POSE_VENV:-nothing}}"
    exit "${{DOCTOR:-0}}" ;;
  *) exec "{sys.executable}" "$@" ;;
esac
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the script is for bash")
Done = subprocess.CompletedProcess[str]


def run(*command: str | Path, **environment: str) -> Done:
    outside = {name: value for name, value in os.environ.items() if "POSE_" not in name}
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=120,
        env={**outside, **environment},
        check=False,
    )


class Machine:
    """A home, the project under a path with spaces, and stand-ins that come first on the PATH."""

    def __init__(self, folder: Path) -> None:
        self.tools, self.home = folder / "tools", folder / "home"
        self.project = folder / "my projects" / "pose service"
        for made in (self.tools, self.home, self.project):
            made.mkdir(parents=True)
        linked = ("setup-4d-humans-wsl.sh", "scripts", "pose_service", "gunicorn.conf.py")
        for path in (*(ROOT / name for name in linked), *ROOT.glob("requirements*.txt")):
            (self.project / path.name).symlink_to(path)
        self.venv = self.project / ".venv"
        self.tool("python3.12", STAND_IN)
        self.system()
        self.card()

    def tool(self, name: str, script: str) -> None:
        (self.tools / name).write_text(script)
        (self.tools / name).chmod(0o755)

    def system(
        self, release: str = "6.8.0-generic", name: str = "Linux", cpu: str = "x86_64"
    ) -> None:
        answers = f"-r) echo {release};; -s) echo {name};; -m) echo {cpu};;"
        self.tool("uname", f'#!/bin/sh\ncase "$1" in {answers} esac\n')

    def card(self, banner: str = OLD_BANNER, memory: str = "8192", capability: str = "8.6") -> None:
        row = f"NVIDIA GeForce RTX, {memory}, {capability}"
        self.tool("nvidia-smi", f"#!/bin/sh\n[ $# -gt 0 ] && echo '{row}' || echo '{banner}'\n")

    def setup(self, *options: str | Path, **environment: str) -> Done:
        given = {
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "PYTHON": str(self.tools / "python3.12"),
            "CALLS": str(self.home / "calls"),
        }
        script = self.project / "setup-4d-humans-wsl.sh"
        return run("bash", script, *options, **{**given, **environment})

    def calls(self, kind: str) -> list[str]:
        """What the stand-in for Python was asked for since the last time, without `-m KIND`."""
        log = self.home / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return [
            line.removeprefix(f"-m {kind} ") for line in lines if line.startswith(f"-m {kind} ")
        ]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def function(call: str, **environment: str) -> Done:
    """`call` one of the script's functions."""
    parts = [
        ROOT / "scripts" / name for name in ("environment.sh", "setup/system.sh", "setup/driver.sh")
    ]
    sourced = "; ".join(f'. "{part}"' for part in parts)
    return run("bash", "-euc", f"{sourced}; {call}", **environment)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nonsense"], "there is no option --nonsense"),
        (["weights"], "there is no option weights"),
        (["--torch-index"], "--torch-index needs a value"),
        (["--no-gpu", "--smpl", ""], "--smpl needs a value"),
        (["--weights-from", "/no/such"], "/no/such does not exist"),
        (["--smpl", "/"], "there is no file /"),
    ],
)
def test_a_wrong_option_is_told_with_the_usage(
    machine: Machine, options: list[str], words: str
) -> None:
    refused = machine.setup(*options)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in refused.stderr
    assert "usage: bash setup-4d-humans-wsl.sh" in refused.stderr


def test_help_names_every_option(machine: Machine) -> None:
    told = machine.setup("--help")
    assert (told.returncode, told.stderr) == (0, "")
    for option in ("--no-gpu", "--weights-from", "--torch-index", "--smpl", "POSE_VENV"):
        assert option in told.stdout


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ({"release": "4.4.0-22621-Microsoft"}, "wsl --set-version Ubuntu-24.04 2"),
        ({"name": "Darwin"}, "bash start-pose-service.sh"),
        ({"cpu": "i686"}, "not for i686"),
    ],
)
def test_a_system_that_cannot_do_it_is_refused_first(
    machine: Machine, system: dict[str, str], words: str
) -> None:
    machine.system(**system)
    refused = machine.setup(WSL_DISTRO_NAME="Ubuntu-24.04")
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "[2/9]" not in refused.stdout


def test_without_a_driver_it_says_where_to_get_one(machine: Machine) -> None:
    for release, words in {
        "6.8.0": "sudo ubuntu-drivers install",
        WSL: "in Windows, not in WSL",
    }.items():
        machine.system(release)
        (machine.tools / "nvidia-smi").unlink(missing_ok=True)
        missing = function(f'PATH="{machine.tools}"; read_card')
        assert missing.returncode == 1
        assert "there is no nvidia-smi" in missing.stderr
        assert words in missing.stderr
        assert "--no-gpu" in missing.stderr


def test_a_driver_that_fails_is_quoted(machine: Machine) -> None:
    machine.tool("nvidia-smi", "#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    failed = machine.setup()
    assert failed.returncode == 1
    assert "nvidia-smi says: NVIDIA-SMI has failed" in failed.stderr
    assert machine.calls("pip") == []


def test_a_driver_whose_cuda_is_lost_is_told_before_anything_is_fetched(machine: Machine) -> None:
    machine.card(LOST_BANNER)
    failed = machine.setup()
    assert failed.returncode == 1
    assert "does not say which CUDA version" in failed.stderr
    assert machine.calls("pip") == []


@pytest.mark.parametrize(
    ("cuda", "capability", "index"),
    [
        ("13.0", "7.5", "\n"),
        ("13.3", "12.0", "\n"),
        ("12.9", "8.9", f"{CU126}\n"),
        ("12.0", "9.0", f"{CU126}\n"),
        # CUDA 13 does not know cards before Turing, however new the driver
        ("13.0", "6.1", f"{CU126}\n"),
        # no CUDA 12.6 build knows Blackwell
        ("12.8", "12.0", ""),
        ("11.8", "8.6", ""),
        ("13.0", "3.7", ""),
    ],
)
def test_the_build_of_torch_fits_driver_and_card(cuda: str, capability: str, index: str) -> None:
    assert function(f"torch_index_for {cuda} {capability}").stdout == index


@pytest.mark.parametrize(
    ("banner", "capability", "words"),
    [
        (OLD_BANNER, "12.0", "580 or newer"),
        (OLD_BANNER.replace("12.5", "11.8"), "8.6", "580 or newer"),
        (NEW_BANNER, "3.7", "too old for every build of torch"),
    ],
)
def test_a_card_that_no_build_fits_is_told_what_would_help(
    machine: Machine, banner: str, capability: str, words: str
) -> None:
    machine.system(WSL)
    machine.card(banner, capability=capability)
    refused = machine.setup()
    assert refused.returncode == 1
    assert words in refused.stderr
    assert machine.calls("pip") == []


def test_an_old_driver_gets_both_packages_from_the_index_of_its_build(machine: Machine) -> None:
    done = machine.setup()
    assert (done.returncode, done.stderr) == (0, "")
    assert "driver 555.99, CUDA up to 12.5; NVIDIA GeForce RTX, 8192 MiB" in done.stdout
    assert f"torch comes from {CU126}" in done.stdout
    log = (machine.home / "calls").read_text()
    light, torch, whole = [line for line in log.splitlines() if "pip install" in line]
    assert light.endswith("/requirements.txt")
    assert f"--index-url {CU126}" in torch
    assert whole.endswith("/requirements-4dhumans.txt")
    wanted = [line for line in log.splitlines() if line.startswith("torch")]
    assert [line.partition("==")[0] for line in wanted] == ["torch", "torchvision"]
    assert set(wanted) < set((ROOT / "requirements-4dhumans.txt").read_text().splitlines())


def test_a_new_driver_gets_the_build_that_the_start_script_would_install(machine: Machine) -> None:
    machine.card(NEW_BANNER)
    done = machine.setup()
    assert done.returncode == 0
    assert "driver 610.47, CUDA up to 13.3" in done.stdout
    (pip,) = [call for call in machine.calls("pip") if "install" in call]
    assert "--index-url" not in pip
    assert pip.endswith("/requirements-4dhumans.txt")


def test_the_start_script_finds_the_environment_up_to_date(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    machine.calls("pip")
    ensure = f'ensure_environment "{machine.venv}" "{machine.project}/requirements-4dhumans.txt"'
    started = function(ensure, CALLS=str(machine.home / "calls"))
    assert (started.returncode, started.stdout) == (0, "")
    assert machine.calls("pip") == []


def test_a_later_change_of_requirements_keeps_the_build(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    machine.calls("pip")
    (machine.venv / ".stamp").write_text("older\n")
    ensure = f'ensure_environment "{machine.venv}" "{machine.project}/requirements-4dhumans.txt"'
    assert function(ensure, CALLS=str(machine.home / "calls")).returncode == 0
    assert f"--index-url {CU126}" in machine.calls("pip")[2]


def test_a_build_of_the_pinned_version_is_not_replaced_by_pip() -> None:
    lines = (ROOT / "requirements-4dhumans.txt").read_text().splitlines()
    pinned = [Requirement(line) for line in lines if line.startswith("torch")]
    assert len(pinned) == 2
    for requirement in pinned:
        (version,) = (specifier.version for specifier in requirement.specifier)
        assert requirement.specifier.contains(f"{version}+cu126")


def test_a_second_run_installs_and_fetches_nothing(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    assert len(machine.calls("pose_service")) == 2
    again = machine.setup()
    assert (again.returncode, again.stderr) == (0, "")
    log = (machine.home / "calls").read_text()
    assert "pip" not in log
    assert "-m venv" not in log
    assert machine.calls("pose_service") == ["doctor"]


def test_an_interrupted_installation_is_gone_on_with(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    machine.calls("pip")
    (machine.venv / ".stamp").unlink()
    (machine.venv / "lib/python3.12/site-packages/torch").rmdir()
    kept = machine.venv / "kept"
    kept.touch()
    assert machine.setup().returncode == 0
    assert len([call for call in machine.calls("pip") if "install" in call]) == 3
    assert kept.exists()


def test_a_torch_that_went_missing_is_put_back(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    (machine.venv / "lib/python3.12/site-packages/torch").rmdir()
    assert machine.setup().returncode == 0


def test_a_build_that_works_stays_when_the_driver_is_updated(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    machine.calls("pip")
    machine.card(NEW_BANNER)
    assert machine.setup().returncode == 0
    assert machine.calls("pip") == []


def test_a_named_index_replaces_another_build_with_all_its_libraries(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    machine.calls("pip")
    left = machine.venv / "left"
    left.touch()
    assert machine.setup("--torch-index", "https://mirror.example/cu132").returncode == 0
    assert "--index-url https://mirror.example/cu132" in " ".join(machine.calls("pip"))
    assert not left.exists()


def test_without_a_card_the_processors_build_is_taken_unless_pip_decides(machine: Machine) -> None:
    done = machine.setup("--no-gpu")
    assert done.returncode == 0
    assert f"torch comes from {CPU}" in done.stdout
    assert "POSE_DEVICE=cpu" in done.stdout
    assert machine.setup("--no-gpu", "--torch-index", "none").returncode == 0
    installs = [call for call in machine.calls("pip") if "install" in call]
    assert ["--index-url" in call for call in installs] == [False, True, False, False]


def test_little_disk_memory_and_video_memory_are_told_at_once_and_at_the_end(
    machine: Machine,
) -> None:
    machine.system(WSL)
    machine.card(memory="4096")
    machine.tool("df", "#!/bin/sh\necho Avail\necho ' 3000MB'\n")
    machine.tool(
        "getconf", '#!/bin/sh\ncase "$1" in PAGE_SIZE) echo 4096;; *) echo 1000000;; esac\n'
    )
    done = machine.setup()
    assert done.returncode == 0
    assert "has 3000 MB free; the packages and the checkpoints need up to 15200 MB" in done.stderr
    assert "memory: 4096 MB" in done.stdout
    assert "memory=12GB into %UserProfile%\\.wslconfig" in done.stderr
    assert "POSE_BATCH=1" in done.stderr
    assert done.stdout.count("as warned above: ") == done.stderr.count("warning: ") == 3


def test_memory_that_card_and_system_share_is_no_reason_to_warn(machine: Machine) -> None:
    machine.card(NEW_BANNER, memory="[N/A]")
    assert "warning" not in machine.setup().stderr


@pytest.mark.parametrize(
    ("options", "here_mb", "wanted_mb"),
    [([], 0, 8200), (["--weights-from", "/"], 0, 5500), ([], 3000, 5200), ([], 5480, 0)],
)
def test_what_is_here_already_needs_no_room(
    machine: Machine, options: list[str], here_mb: int, wanted_mb: int
) -> None:
    if here_mb:
        machine.tool("du", f"#!/bin/sh\nprintf '%sMB\\tx\\n' {here_mb}\n")
        (machine.home / ".cache/pose-service/4dhumans").mkdir(parents=True)
    stand_in = machine.project.parent / "venv"
    (stand_in / "bin").mkdir(parents=True)
    (stand_in / "bin/python").symlink_to(machine.tools / "python3.12")
    told = machine.setup(*options, POSE_VENV=str(stand_in))
    assert f"up to {wanted_mb} MB still to come" in told.stdout


def test_checkpoints_and_body_are_asked_for_in_words_that_the_service_knows(
    machine: Machine, tmp_path: Path
) -> None:
    folder, body = tmp_path / "my weights", tmp_path / "SMPL_NEUTRAL.pkl"
    folder.mkdir()
    body.touch()
    stopped = machine.setup("--weights-from", folder, "--smpl", body, BODY="1")
    assert stopped.returncode == 3
    asked = machine.calls("pose_service")
    assert asked == [f"fetch-weights 4dhumans --from {path}" for path in (folder, body)]
    for call in (*asked, "doctor", "serve"):
        words = call.split(" ", 3)
        assert parse(words).command == words[0]


def test_with_all_files_it_says_how_to_start_and_where_it_answers(machine: Machine) -> None:
    machine.system(WSL)
    done = machine.setup("--no-gpu", HOST="127.0.0.1", PORT="5077")
    assert (done.returncode, done.stderr) == (0, "")
    assert "[9/9] Ready" in done.stdout
    (start,) = [line for line in done.stdout.splitlines() if "start-pose-service.sh" in line]
    assert shlex.split(start) == [
        "cd", str(machine.project), "&&",
        "POSE_ENGINE=4dhumans", "POSE_DEVICE=cpu", "bash", "start-pose-service.sh",
    ]  # fmt: skip
    assert "\n  POSE_SERVICE_URL=http://127.0.0.1:5077\n" in done.stdout
    assert "networkingMode=mirrored" in done.stdout


def test_what_doctor_finds_is_the_last_word(machine: Machine) -> None:
    failed = machine.setup("--no-gpu", DOCTOR="1")
    assert failed.returncode == 1
    assert "it cannot serve yet" in failed.stderr
    assert "[9/9]" not in failed.stdout


def test_an_environment_of_ones_own_is_used_and_not_changed(machine: Machine) -> None:
    own = machine.home / "own venv"
    (own / "bin").mkdir(parents=True)
    (own / "bin/python").symlink_to(machine.tools / "python3.12")
    (own / "lib/python3.12/site-packages/torch").mkdir(parents=True)
    done = machine.setup("--torch-index", CPU, POSE_VENV=str(own), PYTHONPATH="/my/plug-ins")
    assert done.returncode == 0
    # POSE_VENV would be reported as an unknown setting
    assert f"doctor sees {machine.project}:/my/plug-ins and nothing\n" in done.stdout
    assert machine.calls("pip") == []
    assert not machine.venv.exists()
    (start,) = [line for line in done.stdout.splitlines() if line.endswith("pose_service serve")]
    assert shlex.split(start)[4:] == [str(own / "bin/python"), "-m", "pose_service", "serve"]


def real_environment(**more: str) -> dict[str, str]:
    """This very environment, given to the script as the user's own."""
    return {"POSE_VENV": sys.prefix, "CUDA_VISIBLE_DEVICES": "", **more}


def test_where_a_card_is_wanted_torch_on_the_processor_is_not_enough(machine: Machine) -> None:
    pytest.importorskip("torch")
    failed = machine.setup(**real_environment())
    assert failed.returncode == 1
    assert "cuda:0: " in failed.stderr
    assert "torch does not work here" in failed.stderr
    assert "[6/9]" not in failed.stdout


def test_an_environment_of_ones_own_is_used_up_to_the_body_that_is_missing(
    machine: Machine, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    cache = tmp_path / "data"
    stopped = machine.setup(
        "--no-gpu", "--weights-from", tmp_path, **real_environment(POSE_DATA_DIR=str(cache))
    )
    assert stopped.returncode == 1
    assert " on cpu in float32" in stopped.stdout
    assert "has none of the files" in stopped.stderr
    assert "the checkpoints are not all here" in stopped.stderr
    assert machine.calls("pip") == []


def test_a_missing_body_is_told_with_page_names_and_folder(tmp_path: Path) -> None:
    missing = run(
        sys.executable,
        ROOT / "scripts/setup/find_files.py",
        "body",
        PYTHONPATH=str(ROOT),
        HOME=str(tmp_path),
        POSE_DATA_DIR=str(tmp_path / "my data"),
    )
    assert (missing.returncode, missing.stdout) == (1, "")
    for words in (PAGE, *EXPECTED_NAMES, str(tmp_path / "my data/4dhumans/smpl")):
        assert words in missing.stderr


def test_an_environment_that_is_none_is_refused(machine: Machine, tmp_path: Path) -> None:
    refused = machine.setup("--no-gpu", POSE_VENV=str(tmp_path))
    assert refused.returncode == 1
    assert f"POSE_VENV={tmp_path} is no environment" in refused.stderr
