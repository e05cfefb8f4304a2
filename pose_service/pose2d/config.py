"""`config/model_config.json`: which 2D nets `/pose` may take and what it works out.

The environment wins over the file, the file over the defaults here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pose_service.core.config import Settings, SettingsError

DEFAULT_FILE = Path(__file__).resolve().parents[2] / "config/model_config.json"
_HINT = "Every field is described in docs/pose2d.md."


class _Block(BaseModel):
    """Types are exact: `"yes"` and `1` are no booleans. Unknown fields are kept for their names."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")


_AnyBlock = TypeVar("_AnyBlock", bound=_Block)


class NetConfig(_Block):
    """One network: may it be taken, its ONNX file if not the usual one, what comes after it.

    `config`: upstream's name of the training recipe, told to callers. `checkpoint`: an ONNX file
    (relative to the JSON file); another kind of file is no use here, and said. `fallback`: which
    block stands in (`hrnet_w48`); `engine`, `none` and `false` mean that no other net does.
    """

    enabled: bool = True
    config: str | None = None
    checkpoint: str | None = None
    fallback: str | bool | None = None

    @property
    def hands_on(self) -> bool:
        """Whether another net may stand in where this one cannot be taken."""
        return self.fallback not in (False, "engine", "none")


class BiomechanicsConfig(_Block):
    """What is worked out of the joints; `enabled` is the switch of all four."""

    enabled: bool = True
    joint_angle_analysis: bool = True
    symmetry_detection: bool = True
    stability_assessment: bool = True
    movement_quality: bool = True


class PerformanceConfig(_Block):
    """`confidence_threshold`: 0 to 1. `batch_processing`: several people in one run of a net."""

    confidence_threshold: Annotated[float, Field(ge=0, le=1)] = 0.3
    max_concurrent_requests: Annotated[int, Field(ge=1)] = 4
    batch_processing: bool = True


class _Models(_Block):
    rtmpose_medium: NetConfig = NetConfig()
    hrnet_w48: NetConfig = NetConfig()


class _File(_Block):
    service: str = "pose-service"
    version: str | None = None
    models: _Models = _Models()
    biomechanics: BiomechanicsConfig = BiomechanicsConfig()
    performance: PerformanceConfig = PerformanceConfig()


@dataclass(frozen=True)
class ModelConfig:
    """The file and the environment, put together. `source`: the file, None where there is none.

    `unknown`: fields of the file that mean nothing here, such as `performance.workers`.
    """

    service: str = "pose-service"
    version: str | None = None
    rtmpose: NetConfig = field(default_factory=NetConfig)
    hrnet: NetConfig = field(default_factory=NetConfig)
    biomechanics: BiomechanicsConfig = field(default_factory=BiomechanicsConfig)
    performance: PerformanceConfig = field(default_factory=PerformanceConfig)
    source: Path | None = None
    unknown: tuple[str, ...] = ()

    def checkpoint_of(self, net: NetConfig) -> Path | None:
        """The ONNX file that `net` names; None where it names none that could be opened here."""
        if not net.checkpoint or not net.checkpoint.endswith(".onnx") or "://" in net.checkpoint:
            return None
        folder = self.source.parent if self.source else Path()
        return folder / Path(net.checkpoint).expanduser()


def read_model_config(settings: Settings) -> ModelConfig:
    """What the file of `POSE_MODEL_CONFIG` says, with the environment's word over it.

    Without that setting the file beside the source is read, if it is there. Raises
    `SettingsError` naming the file and every field that does not fit.
    """
    path = settings.nets_config
    if path is None:
        path = DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    config = ModelConfig() if path is None else _from_file(path.expanduser())
    return _with_environment(config, settings)


def _from_file(path: Path) -> ModelConfig:
    try:
        read = _File.model_validate(_json_of(path))
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the whole'}: {item['msg']}, "
            f"got {item['input']!r:.80}"
            for item in error.errors()
        )
        raise SettingsError(f"{path} cannot be used: {details}", hint=_HINT) from error
    return ModelConfig(
        service=read.service,
        version=read.version,
        rtmpose=read.models.rtmpose_medium,
        hrnet=read.models.hrnet_w48,
        biomechanics=read.biomechanics,
        performance=read.performance,
        source=path,
        unknown=tuple(_unknown(read)),
    )


def _json_of(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"POSE_MODEL_CONFIG={path} cannot be read: {error.strerror}", hint=_HINT
        ) from error
    except ValueError as error:
        raise SettingsError(f"{path} is not JSON: {error}", hint=_HINT) from error


def _unknown(block: _Block, prefix: str = "") -> Iterator[str]:
    yield from (prefix + name for name in block.model_extra or ())
    for name in type(block).model_fields:
        inner = getattr(block, name)
        if isinstance(inner, _Block):
            yield from _unknown(inner, f"{prefix}{name}.")


def _with_environment(config: ModelConfig, settings: Settings) -> ModelConfig:
    return replace(
        config,
        rtmpose=_over(config.rtmpose, enabled=settings.rtmpose_enabled),
        hrnet=_over(config.hrnet, enabled=settings.hrnet_enabled),
        biomechanics=_over(config.biomechanics, enabled=settings.biomechanics_analysis),
        performance=_over(config.performance, confidence_threshold=settings.confidence_threshold),
    )


def _over(block: _AnyBlock, **given: object) -> _AnyBlock:
    """`block` with what is given and not None."""
    return block.model_copy(update={name: it for name, it in given.items() if it is not None})
