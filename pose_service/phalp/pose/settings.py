"""The few lines of the pose predictor's official settings (YAML) that its tensors do not tell.

The file is read line by line, as upstream's program writes it: one `key: value` per line, what
belongs to a key indented below it. Everything else in it, interpolations too, is passed over.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pose_service.core.errors import EngineError
from pose_service.phalp.pose.config import PredictorSettings

_LINE: Final = re.compile(r"( *)([\w.]+):(?:\s+(.*?))?\s*(?:#.*)?$")
_HEADS: Final = "configs.transformer.heads"
_STRIDE: Final = "configs.transformer.conv.stride"
_PADDING: Final = "configs.transformer.conv.pad"
_MASKING: Final = "configs.mask_type_test"
_LARGEST_BYTES: Final = 1 << 20


def read_settings(path: Path, remedy: str) -> PredictorSettings:
    """What `path` says; a line that is not there is left to the tensors.

    `EngineError` with `remedy` if it is no such file, a value is no number, or unseen frames are
    not to be masked with zeros, which would make predictions random.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise EngineError(f"{path} is too large for a file of settings", hint=remedy)
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(f"{path} cannot be read as settings: {error}", hint=remedy) from error
    values = dict(_values(lines))
    if not any(name.startswith("configs.") for name in values):
        raise EngineError(f"{path} is no settings of the pose predictor: no `configs`", hint=remedy)
    if values.get(_MASKING, "zero") != "zero":
        raise EngineError(
            f"{path}: `mask_type_test` is {values[_MASKING]}, zero was expected", hint=remedy
        )
    numbers = (_number(path, values, name, remedy) for name in (_HEADS, _STRIDE, _PADDING))
    return PredictorSettings(*numbers)


def _values(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Dotted name and text of every value that stands on its key's own line.

    >>> list(_values(["configs:", "  conv:  # over time", "    pad: 1", "  seed: '7'"]))
    [('configs.conv.pad', '1'), ('configs.seed', '7')]
    """
    above: list[tuple[int, str]] = []
    for line in lines:
        if (match := _LINE.match(line)) is None:
            continue
        indent, key, value = len(match[1]), match[2], match[3]
        above = [(depth, name) for depth, name in above if depth < indent]
        if value:
            yield ".".join([*(name for _, name in above), key]), value.strip("'\"")
        else:
            above.append((indent, key))


def _number(path: Path, values: dict[str, str], name: str, remedy: str) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,4}", text):
        raise EngineError(f"{path}: `{name}` is {text}, a number was expected", hint=remedy)
    return int(text)
