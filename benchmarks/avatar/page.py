"""`docs/avatar-accuracy.md`: made here from the results, its numbers never typed by hand."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

PAGE, RESULTS = "avatar-accuracy.md", "avatar-accuracy.json"

Fields = Mapping[str, Any]

INTRO = """\
# How accurate an avatar's measures are

This page is written by `python benchmarks/avatar_accuracy.py` from the results file beside it. It
is about the embedded engine's free body. The error bands (`low`, `high`) of its answers are
calibrated here; SMPL bodies of the 4dhumans engine are not calibrated, and their bands are
assumptions ([measurements.md](measurements.md)).

## What was done

Random adults of the free body's own family are dressed, posed, lit and rendered before a
plausible background, seen by the whole embedded engine (detector, landmarks, outline), fitted and
measured. The truth is what `measurement/` says of the true body's mesh. Each person states a
height that is off by 1.5 cm (one standard deviation), as people's own word is. Lens, distance,
camera tilt, the way they look (front to half side), posture, skin and clothes are random; the
service does not know the lens. Clothes stand off by 0 to 2 cm, as close ones do.

Bands are calibrated on four fifths of the people and tried on the others, five times over
(`held`: how often the band held the truth; 90 % is meant). What the service uses is calibrated on
all.
"""

STRANGERS = (
    "Every number of the body as likely at its ends as in its middle, and the gender not told."
)
LOOSE = (
    "Clothes that stand off 3 cm instead of 1, everywhere, as a wide pullover does; joints and "
    "outlines as without networks."
)

LIMITS = """\
## What this cannot know

- **The truth comes from the same family of bodies as the fit.** Real people differ in more ways
  than six numbers: one-sided muscles, posture, a pregnancy, an amputation. For them the bands are
  too narrow.
- **One photograph shows how wide a body is, not how deep.** The depth of belly, chest and
  buttocks is what people of such a width usually have. A turn sees them from the side; so far it
  takes no more than a fifth off the errors of most girths, since clothes, lens and outline stay
  as they are.
- **Clothes.** The fit expects 6 to 12 mm of cloth. A jacket or a wide pullover is taken for the
  body (the table on loose clothes), and nothing sees that it is one: the bands are for close
  clothes, which each avatar's notes say.
- **Rendered pictures are easier than real ones**: the networks found everybody's limbs, and their
  outline was within 5 mm of the true one for half of it. Hair, shadows and crowds are not
  rendered.
- **Without a height the size is a guess.** Then the band is all but the spread of adults'
  statures.
- **Children** get a child's body, and the adults' bands.
- **The chest** is taken with the arms down, not in the T-pose, in which skinning makes it 4 to 6
  cm wider.
"""

AGAIN = """\
## Measuring again

    python benchmarks/avatar_accuracy.py

takes about 15 minutes of one core and writes the results and this page; `--only CHAPTER` does one
chapter. The error models go into `pose_service/avatar/calibration.py`, where a test compares
them; then the chapters `strangers` and `loose`, which are held against it, are due again. The
chapter on the package needs it (requirements-dev.txt), a minute and a 790 MB cache
(`ANNY_CACHE_DIR`). `tests/unit/test_avatar_fit.py` is the loop in small.
"""

# ANSUR II (Gordon et al. 2014): US Army personnel, mean and standard deviation
_ANSUR = {
    "male, stature, cm": (175.6, 6.9),
    "male, mass, kg": (85.5, 14.2),
    "female, stature, cm": (162.9, 6.4),
    "female, mass, kg": (67.8, 11.0),
}


_HEAD = ("", "mean error", "bias", "band", "held")


def page(results: Fields) -> str:
    """The whole page."""
    machine = results["machine"]
    pieces = [
        INTRO,
        _both("One photograph", results["photograph"]),
        _both("A turn: eight pictures all around", results["turn"]),
        _without_networks(results["noise"]),
        _banded("People unlike what the fit expects", STRANGERS, results["strangers"]),
        _banded("Loose clothes", LOOSE, results["loose"]),
        _population(results["population"]),
        _package(results["package"]),
        LIMITS,
        AGAIN,
        f"Measured {machine['date']}, commit {machine['commit']}, `{machine['model_version']}`.\n",
    ]
    return "\n".join(pieces)


def _both(title: str, chapter: Fields) -> str:
    told, untold = (chapter[name]["held_out"] for name in ("with_height", "without_height"))
    about = (
        f"{chapter['people']} people, {chapter['not_found']} of them not found. Centimetres; the "
        "first four columns with the height given, the others without. `mean error` is the mean "
        "absolute one, `band` half a band."
    )
    rows = [(name, *_cells(told[name]), *_cells(untold[name])) for name in told]
    return _chapter(title, about, (*_HEAD, *_HEAD[1:]), rows)


def _without_networks(chapter: Fields) -> str:
    told = chapter["with_height"]["held_out"]
    about = (
        "Joints and outlines of the true bodies with noise of the networks' size: what the fit "
        f"alone is worth. {chapter['people']} people, one picture each, height given."
    )
    rows = [(name, *_cells(row)) for name, row in told.items()]
    return _chapter("The same without networks", about, _HEAD, rows)


def _banded(title: str, about: str, chapter: Fields) -> str:
    rows = [(name, *_cells(row)) for name, row in chapter["with_height"].items()]
    about += (
        f" Height given, one photograph each, {chapter['people']} people. The bands are those of "
        "the service."
    )
    return _chapter(title, about, _HEAD, rows)


def _population(chapter: Fields) -> str:
    rows = [
        (name, *(f"{mean:g} ± {sd:g}" for mean, sd in (row, _ANSUR[name])))
        for name, row in chapter["rows"].items()
    ]
    about = (
        "The random people and the fit's prior have the same averages. Masses are by the mesh' "
        "volume. Beside them ANSUR II (Gordon et al. 2014), mean ± standard deviation."
    )
    return _chapter("Who the people are", about, ("", "here", "ANSUR II"), rows)


def _package(chapter: Fields) -> str:
    columns = ("package", "ours", "difference", "sd_of_difference", "correlation")
    rows = [
        (name, *(f"{row[column]:g}" for column in columns)) for name, row in chapter["rows"].items()
    ]
    about = (
        f"{chapter['people']} random adults, means. The package takes the waist along fixed "
        "vertices, which is another definition; its volume has the eyes and the mouth inside, and "
        "its height is taken in another rest pose."
    )
    head = ("", "package", "ours", "difference", "its sd", "correlation")
    return _chapter("Beside the package's own measures", about, head, rows)


def _chapter(title: str, about: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"## {title}\n\n{fill(about, 98)}\n\n{_table(head, rows)}"


def _cells(row: Mapping[str, float]) -> tuple[str, ...]:
    numbers = ("mean_absolute_cm", "bias_cm", "half_band_cm")
    return (*(f"{row[name]:.1f}" for name in numbers), f"{row['coverage_percent']:.0f} %")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = "|" + "---|" * len(head)
    lines = [f"| {' | '.join(line)} |" for line in (head, *rows)]
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"
