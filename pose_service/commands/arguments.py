"""What can be written after `python -m pose_service`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from pose_service import __version__
from pose_service.core.config import KEYPOINT_MODES
from pose_service.rendering.style import NO_LAYERS, Layer, layers_of

Arguments = argparse.Namespace
POSE2D = "pose2d"
"""What `fetch-weights` calls the 2D nets, which belong to no engine."""


def parse(argv: Sequence[str] | None = None) -> Arguments:
    """The arguments of one command; `command` is its name. Ends the program on a wrong one."""
    parser = argparse.ArgumentParser(prog="pose_service", description="People in 3D.")
    parser.add_argument("--version", action="version", version=f"pose-service {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("serve", help="answer over HTTP on HOST and PORT")
    commands.add_parser("worker", help="process clips that a service elsewhere takes in")
    doctor = commands.add_parser(
        "doctor", help="check everything the service needs, and say what to do"
    )
    doctor.add_argument("--full", action="store_true", help="read the large files, too")
    doctor.add_argument(
        "--clip", type=Path, metavar="FILE", help="instead, tell how good a clip's tracks come out"
    )
    _fetch_weights(commands.add_parser("fetch-weights", help="bring the files an engine needs"))
    _frame(commands.add_parser("frame", help="the people of one picture"))
    _video(commands.add_parser("video", help="the people of one clip, in every frame"))
    _pose(commands.add_parser("pose", help="how somebody moves in one clip"))
    _convert(commands.add_parser("convert", help="a finished clip, or tracklets, as another file"))
    _jobs(commands.add_parser("jobs", help="the clips that run, wait and are finished"))
    bench = commands.add_parser("bench", help="measure how fast this machine is")
    bench.add_argument("name", nargs="?", help="which of benchmarks/; default: list them")
    bench.add_argument("rest", nargs=argparse.REMAINDER, help="passed on to it")
    return parser.parse_args(argv)


def _fetch_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "engine", nargs="?", help=f"or {POSE2D}; default: the engine that would be used"
    )
    parser.add_argument(
        "--mode",
        choices=KEYPOINT_MODES,
        help=f"which nets of {POSE2D}; default: POSE_KEYPOINT_MODE",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="take them from this archive, file or folder instead of the net",
    )


def _frame(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", type=Path, metavar="IN")
    parser.add_argument("--overlay", type=Path, metavar="OUT.png", help="draw what was found")
    parser.add_argument("--out", type=Path, metavar="R.json", help="the answer of /pose/hybrid")
    parser.add_argument("--thorough", action="store_true", help="small and crowded people too")
    _overlay(parser)


def _video(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, metavar="IN")
    parser.add_argument(
        "--out", type=Path, metavar="R.json", required=True, help="the answer of /pose/video"
    )
    parser.add_argument("--overlay", type=Path, metavar="OUT.mp4", help="draw what was found")
    parser.add_argument("--max-frames", type=_positive, metavar="N", help="stop after so many")
    parser.add_argument("--raw", action="store_true", help="every frame's own fit, not smoothed")
    _overlay(parser)


def _pose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, metavar="IN")
    parser.add_argument(
        "--out", type=Path, metavar="R.json", required=True, help="the answer of /pose"
    )
    parser.add_argument("--report", type=Path, metavar="OUT.pdf", help="one page about it")
    parser.add_argument("--annotated", type=Path, metavar="OUT.mp4", help="draw what was measured")
    parser.add_argument(
        "--angles", choices=("auto", "2d", "3d"), default="auto", help="where they are measured"
    )
    parser.add_argument("--max-frames", type=_positive, metavar="N", help="stop after so many")


def _jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", metavar="URL", help="of a running service; default: this machine")
    parser.add_argument("--watch", action="store_true", help="go on until Ctrl-C")
    parser.add_argument("--limit", type=_positive, metavar="N", default=50, help="the last N jobs")


def _overlay(parser: argparse.ArgumentParser) -> None:
    names = ",".join(Layer)
    parser.add_argument(
        "--layers",
        type=_layers,
        metavar="NAMES",
        default=frozenset(Layer),
        help=f"what --overlay draws, out of {names}, or {NO_LAYERS}; default: all",
    )
    parser.add_argument("--side-view", action="store_true", help="a panel with the first person")
    parser.add_argument("--face-blur", action="store_true", help="make faces unknowable")


def _layers(text: str) -> frozenset[Layer]:
    try:
        return layers_of(text)
    except ValueError as error:
        names = ", ".join(Layer)
        message = f"{error}; expected names out of {names}, with commas between, or {NO_LAYERS}"
        raise argparse.ArgumentTypeError(message) from error


def _convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", type=Path, metavar="IN", help="tracklets of PHALP (.pkl), or a result's folder"
    )
    parser.add_argument("--to", required=True, metavar="FORMAT", help="json, ndjson, csv, pkl, ...")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: beside IN")
    parser.add_argument("--no-mesh", action="store_true", help="json and ndjson without surfaces")
    parser.add_argument(
        "--track", type=_positive, metavar="N", help="whom a file of one person shows"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {number}")
    return number
