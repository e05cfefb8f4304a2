"""Several callers at once, a body of full size, and parts plugged in by settings."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from contract_kit import SCHEMA, Body, Caller, running, strictly_parsed
from jsonschema import Draft202012Validator
from toy_engine import build_toy, large_body, toy_engine

from pose_service.core.config import Settings
from pose_service.engines.registry import plug_in
from pose_service.engines.seam import Engine


def test_four_callers_at_once_all_get_their_own_frame(caller: Caller) -> None:
    def ask(number: int) -> Body:
        own = Caller(caller.client.application.test_client())
        body: Body = own.frame(frame_number=number, session_id=f"caller {number % 4}").body
        return body

    with ThreadPoolExecutor(4) as pool:
        bodies = list(pool.map(ask, range(24)))
    assert [body["frame_number"] for body in bodies] == list(range(24))
    assert all(body["keypoint_count"] == 24 for body in bodies)


def test_a_body_of_smpls_size_fits_the_published_schema_unchanged(tmp_path: Path) -> None:
    def build(settings: Settings) -> tuple[Engine, str]:
        return toy_engine(large_body()), "size"

    with running(Settings(state_dir=tmp_path, media_roots=(tmp_path,)), build) as caller:
        body = caller.frame().body
    published = strictly_parsed(SCHEMA.read_bytes())
    whole = {"$ref": "#/$defs/PoseHybridResponseOnTheWire", "$defs": published["$defs"]}
    Draft202012Validator(whole).validate(body)


def test_parts_named_in_settings_serve(tmp_path: Path) -> None:
    settings = Settings(
        state_dir=tmp_path,
        media_roots=(tmp_path,),
        detector="toy_engine:detector",
        regressor="toy_engine:regressor",
        body="toy_engine:body",
        tracker="toy_engine:tracker",
        temporal="toy_engine:temporal",
    )

    def build(settings: Settings) -> tuple[Engine, str]:
        engine, reason = build_toy(settings)
        return plug_in(engine, settings), reason

    with running(settings, build) as caller:
        body = caller.frame(session_id="a").body
    assert body["keypoint_count"] == 24
    assert body["model_version"].startswith("toy/1+toy_engine:detector")
