"""Settings: defaults, then the file named by `POSE_CONFIG`, then the environment; read once."""

import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_core import ErrorDetails

from pose_service.core.errors import PoseError

CONFIG_FILE_NAME = "POSE_CONFIG"
KeypointMode = Literal["performance", "balanced", "lightweight"]
KEYPOINT_MODES: tuple[str, ...] = get_args(KeypointMode)

OTHER_NAMES = {
    "ML_HMR2_CHECKPOINT_PATH": "POSE_HMR2_CHECKPOINT",
    "ML_HMR2_DEVICE": "POSE_DEVICE",
    "ML_SMPL_MODEL_PATH": "POSE_SMPL_FILE",
    "ML_BATCH_SIZE": "POSE_BATCH",
    "ML_DETECTION_THRESHOLD": "POSE_PICTURE_SCORE",
}
"""What callers of `HMR2Inference` set in the environment, and the names of the same here."""


class SettingsError(PoseError):
    """A setting has a value that cannot be used."""

    code = "BAD_SETTING"


def _cache_dir() -> Path:
    return _base_dir("XDG_CACHE_HOME", ".cache") / "pose-service"


def _state_dir() -> Path:
    return _base_dir("XDG_STATE_HOME", ".local/state") / "pose-service"


def _base_dir(variable: str, below_home: str) -> Path:
    """As freedesktop.org's base directories: an empty or relative value counts as none."""
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else Path.home() / below_home


def _media_roots() -> tuple[Path, ...]:
    return (
        Path.home(), Path(tempfile.gettempdir()), Path("/mnt"), Path("/shared"), Path("/app"),
    )  # fmt: skip


def _split_paths(value: object) -> object:
    """`/a:/b` to a tuple of paths; a list (from TOML) stays as it is.

    A single letter before a colon is a Windows drive, not a folder: `C:\\clips:/mnt/d`.
    """
    if not isinstance(value, str):
        return value
    parts: list[str] = []
    for piece in value.split(":"):
        if parts and len(parts[-1]) == 1 and parts[-1].isalpha() and piece[:1] in ("\\", "/"):
            parts[-1] += ":" + piece
        else:
            parts.append(piece)
    return tuple(part for part in parts if part)


def _split_map(value: object) -> object:
    """`C:\\clips=/mnt/c/clips;/app=/srv/app` to pairs of (as the caller says, as it is here)."""
    if not isinstance(value, str):
        return value
    return tuple(tuple(pair.split("=", 1)) for pair in value.split(";") if pair.strip())


def _split_list(value: object) -> object:
    """`s3://a/,gs://b/clips` to a tuple of texts."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


class Settings(BaseModel):
    """Everything that can be set; each field's alias is its name in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    host: str = Field("0.0.0.0", alias="HOST")
    port: int = Field(5000, alias="PORT", ge=1, le=65535)
    threads: int = Field(16, alias="POSE_THREADS", ge=2, le=256)
    log_level: str = Field("info", alias="POSE_LOG_LEVEL", pattern="^(debug|info|warning|error)$")
    log_format: str = Field("text", alias="POSE_LOG_FORMAT", pattern="^(text|json)$")

    engine: str = Field("auto", alias="POSE_ENGINE")
    device: str = Field("auto", alias="POSE_DEVICE", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    detector: str | None = Field(None, alias="POSE_DETECTOR")
    regressor: str | None = Field(None, alias="POSE_REGRESSOR")
    body: str | None = Field(None, alias="POSE_BODY")
    tracker: str | None = Field(None, alias="POSE_TRACKER")
    temporal: str | None = Field(None, alias="POSE_TEMPORAL")

    hmr2_checkpoint: Path | None = Field(None, alias="POSE_HMR2_CHECKPOINT")
    smpl_file: Path | None = Field(None, alias="POSE_SMPL_FILE")
    precision: str = Field("auto", alias="POSE_PRECISION", pattern="^(auto|fp32|bf16|fp16)$")
    compile: str = Field("off", alias="POSE_COMPILE", pattern="^(off|compile|graphs)$")
    cpu_fallback: bool = Field(False, alias="POSE_CPU_FALLBACK")
    batch: int = Field(8, alias="POSE_BATCH", ge=1, le=64)
    picture_score: float = Field(0.5, alias="POSE_PICTURE_SCORE", ge=0, lt=1)
    clip_score: float = Field(0.8, alias="POSE_CLIP_SCORE", ge=0, lt=1)
    phalp: Literal["fixed", "upstream", "off"] = Field("fixed", alias="POSE_PHALP")
    detect_every: int = Field(1, alias="POSE_DETECT_EVERY", ge=1, le=30)
    merge_tracks: bool = Field(True, alias="POSE_MERGE_TRACKS")

    nets_config: Path | None = Field(None, alias="POSE_MODEL_CONFIG")
    keypoint_mode: KeypointMode = Field("balanced", alias="POSE_KEYPOINT_MODE")
    # None: as the file of POSE_MODEL_CONFIG says
    rtmpose_enabled: bool | None = Field(None, alias="RTMPOSE_ENABLED")
    hrnet_enabled: bool | None = Field(None, alias="HRNET_ENABLED")
    confidence_threshold: float | None = Field(None, alias="CONFIDENCE_THRESHOLD", ge=0, le=1)
    biomechanics_analysis: bool | None = Field(None, alias="BIOMECHANICS_ANALYSIS")

    data_dir: Path = Field(default_factory=_cache_dir, alias="POSE_DATA_DIR")
    state_dir: Path = Field(default_factory=_state_dir, alias="POSE_STATE_DIR")
    weights_mirror: str | None = Field(
        None, alias="POSE_WEIGHTS_MIRROR", pattern=r"^https?://[^\s]+$"
    )
    media_roots: Annotated[tuple[Path, ...], BeforeValidator(_split_paths)] = Field(
        default_factory=_media_roots, alias="POSE_MEDIA_ROOTS"
    )
    path_map: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_split_map)] = Field(
        (), alias="POSE_PATH_MAP"
    )

    database_url: SecretStr | None = Field(None, alias="POSE_DATABASE_URL")
    queue_url: SecretStr | None = Field(None, alias="POSE_QUEUE_URL")
    storage_url: SecretStr | None = Field(None, alias="POSE_STORAGE_URL")
    storage_wait_s: float = Field(600.0, alias="POSE_STORAGE_WAIT_S", ge=0)
    front_only: bool = Field(False, alias="POSE_FRONT_ONLY")
    share_clips: bool = Field(True, alias="POSE_SHARE_CLIPS")
    worker_timeout_s: float = Field(20.0, alias="POSE_WORKER_TIMEOUT_S", ge=0.5)
    source_buckets: Annotated[tuple[str, ...], BeforeValidator(_split_list)] = Field(
        (), alias="POSE_SOURCE_BUCKETS"
    )
    allow_private_urls: bool = Field(False, alias="POSE_ALLOW_PRIVATE_URLS")
    fetch_wait_s: float = Field(600.0, alias="POSE_FETCH_WAIT_S", gt=0)
    webhook_secret: SecretStr | None = Field(None, alias="POSE_WEBHOOK_SECRET", min_length=8)

    max_body_mb: int = Field(64, alias="POSE_MAX_BODY_MB", ge=1)
    max_upload_mb: int = Field(2048, alias="POSE_MAX_UPLOAD_MB", ge=1)
    max_pixels: int = Field(50_000_000, alias="POSE_MAX_PIXELS", ge=1)
    max_queue: int = Field(32, alias="POSE_MAX_QUEUE", ge=1)
    max_queue_per_client: int | None = Field(None, alias="POSE_MAX_QUEUE_PER_CLIENT", ge=1)
    keep_hours: float = Field(24.0, alias="POSE_KEEP_HOURS", gt=0)
    max_keep_days: float = Field(30.0, alias="POSE_MAX_KEEP_DAYS", gt=0)
    avatar_versions: int = Field(5, alias="POSE_AVATAR_VERSIONS", ge=1, le=1000)
    ready_wait_s: float = Field(100.0, alias="POSE_READY_WAIT_S", ge=0)
    clip_wait_s: float = Field(570.0, alias="POSE_CLIP_WAIT_S", ge=0)


def known_names() -> tuple[str, ...]:
    """Every name that may be set in the environment or the file."""
    fields = (field.alias for field in Settings.model_fields.values())
    return (*(name for name in fields if name), CONFIG_FILE_NAME)


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `environ` (the process's own by default) over the file it names.

    A name of `OTHER_NAMES` counts where the environment does not have the one it stands for.
    Raises `SettingsError` naming every value that does not fit.
    """
    environ = os.environ if environ is None else environ
    names = known_names()
    given: dict[str, Any] = {**_from_file(environ.get(CONFIG_FILE_NAME))}
    others = {
        name: other
        for other, name in OTHER_NAMES.items()
        if environ.get(other, "") != "" and environ.get(name, "") == ""
    }
    given.update({name: environ[other] for name, other in others.items()})
    given.update({name: environ[name] for name in names if environ.get(name, "") != ""})
    given.pop(CONFIG_FILE_NAME, None)
    return settings_of(given, others)


def settings_of(given: Mapping[str, Any], others: Mapping[str, str] | None = None) -> Settings:
    """Settings by their names or their fields' names; `SettingsError` names all that do not fit.

    `others`: for names of `given` that were set by another name, that one.
    """
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        details = "; ".join(
            f"{'.'.join(map(str, _loc(item, others or {})))}: {item['msg']}, got {_shown(item)}"
            for item in error.errors()
        )
        raise SettingsError(
            f"settings cannot be used: {details}", hint="See the settings table in the README."
        ) from error


def _loc(item: ErrorDetails, others: Mapping[str, str]) -> tuple[int | str, ...]:
    """Where a value came from, by the name under which it was set."""
    name, *rest = item["loc"]
    return (others.get(str(name), name), *rest)


def _shown(item: ErrorDetails) -> str:
    """What came, unless it may hold a password."""
    fields = Settings.model_fields.values()
    secret = {field.alias for field in fields if SecretStr in get_args(field.annotation)}
    return "a value that is not shown" if item["loc"][0] in secret else repr(item["input"])


def unknown_names(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """`POSE_*` names in `environ` that mean nothing to this version: misspelt, most likely."""
    environ = os.environ if environ is None else environ
    given = {name for name in environ if name.startswith("POSE_")}
    return tuple(sorted(given - set(known_names())))


def _from_file(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{CONFIG_FILE_NAME}={path} cannot be read: {error.strerror}"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{CONFIG_FILE_NAME}={path} is not TOML: {error}") from error
