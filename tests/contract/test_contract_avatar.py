"""Avatars over HTTP, as their callers ask for them, with toy steps: made, read, forgotten."""

import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from avatar_contract_kit import AVATAR, AvatarCaller, check, files_below, making_avatars, new_user
from contract_kit import nobody_base64, person_base64
from makers import picture_file
from PIL import Image
from servers import wait_for
from toy_avatar import NOBODY, TOY_CM
from toy_engine import picture

from pose_service.avatar.avatar_record import MEDIA_TYPES
from pose_service.core.config import Settings

PERSON = (100, 40, 160, 200)


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("avatars")


@pytest.fixture(scope="module")
def avatars(state_dir: Path, media: Path) -> Iterator[AvatarCaller]:
    settings = Settings(
        state_dir=state_dir, media_roots=(media,), max_body_mb=1, max_upload_mb=2,
        max_pixels=1_000_000, avatar_versions=3,
    )  # fmt: skip
    with making_avatars(settings) as caller:
        yield caller


def files_of(state_dir: Path, avatar_id: str) -> set[str]:
    return {path.name for path in files_below(state_dir) if avatar_id in str(path)}


@pytest.mark.parametrize("route", [AVATAR, "/avatar"])
def test_a_photograph_becomes_a_record_with_nine_measures(
    avatars: AvatarCaller, route: str
) -> None:
    user = new_user()
    job = avatars.finished(avatars.post(user, route, height_cm=171, weight_kg=64.5, gender="male"))
    assert (job["status"], job["user_id"], job["version"]) == ("complete", user, 1)
    record = avatars.caller.get(f"{route}/{user}").body
    check("Avatar", record)
    assert record["avatar_id"] == job["avatar_id"] == job["job_id"]
    expected = {name: round(value * 171 / 180, 1) for name, value in TOY_CM.items()}
    assert record["measurements"] == expected
    assert list(record["measurements"]) == list(TOY_CM)
    bounds = record["measurement_bounds"]
    assert {name: bound["value"] for name, bound in bounds.items()} == expected
    assert (record["gender"], record["height_cm"], record["weight_kg"]) == ("male", 171, 64.5)
    assert record["height_source"] == "given"
    assert (record["body"], record["engine"], record["model_version"]) == ("toy", "toy", "toy/1")
    assert record["quality"] == {
        "people": 1, "pictures": 1, "pictures_used": 1, "notes": ["This is a toy."],
    }  # fmt: skip


def test_without_a_height_the_scale_is_said_to_be_guessed(avatars: AvatarCaller) -> None:
    record = avatars.made(new_user())
    assert (record["height_source"], record["height_cm"]) == ("guessed", None)
    assert record["measurements"] == TOY_CM


def test_every_file_is_at_its_url_with_its_type(avatars: AvatarCaller) -> None:
    record = avatars.made(new_user())
    urls = [value for field, value in record.items() if field.endswith("_url")]
    assert {url.rpartition("/")[2] for url in urls} == set(MEDIA_TYPES)
    for url in urls:
        name = url.rpartition("/")[2]
        status, kind, data = avatars.file(url)
        assert (status, kind) == (200, MEDIA_TYPES[name])
        assert name == "source.jpg" or data == f"the toy's {name}".encode()
    response = avatars.caller.client.get(urls[0])
    assert response.headers["Cache-Control"] == "private, no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_the_source_image_is_upright_and_without_the_phones_notes(avatars: AvatarCaller) -> None:
    user = new_user()
    lying = Image.fromarray(picture(PERSON).swapaxes(0, 1).copy())
    exif = Image.Exif()
    exif[0x0112] = 5  # mirrored along the diagonal: the axes are swapped back
    exif[0x010F] = "a phone of somebody"
    data = picture_file(lying, "JPEG", exif=exif)
    assert b"a phone of somebody" in data
    avatars.finished(avatars.send(user, "image", data))
    _, _, source = avatars.file(avatars.record(user)["source_image_url"])
    stored = Image.open(BytesIO(source))
    assert stored.size == (320, 240)
    assert not stored.getexif() and b"somebody" not in source


def test_a_clip_is_looked_at_in_frames_spread_over_it(avatars: AvatarCaller, clip: Path) -> None:
    """Of its 20 frames 4 are black."""
    user = new_user()
    job = avatars.finished(avatars.send(user, "video", clip.read_bytes(), height_cm="160"))
    assert job["status"] == "complete"
    quality = avatars.record(user)["quality"]
    assert (quality["pictures"], quality["pictures_used"]) == (20, 16)
    assert avatars.steps.fitted[-1][0] == 16
    by_path = avatars.caller.post(
        AVATAR, json={"user_id": user, "gender": "male", "video_path": str(clip)}
    )
    assert avatars.finished(by_path)["version"] == 2


def test_a_new_avatar_replaces_the_old_one_which_is_kept_by_version(
    avatars: AvatarCaller, state_dir: Path
) -> None:
    user = new_user()
    first = avatars.made(user, height_cm=150)
    for height_cm in (160, 170, 180):
        newest = avatars.made(user, height_cm=height_cm)
    assert (newest["version"], newest["height_cm"]) == (4, 180)
    listed = avatars.caller.get(f"{AVATAR}/{user}/versions").body
    check("Versions", listed)
    assert [(one["version"], one["height_cm"]) for one in listed["versions"]] == [
        (4, 180), (3, 170), (2, 160),
    ]  # fmt: skip
    third = avatars.record(user, "?version=3")
    assert third["height_cm"] == 170
    assert avatars.file(third["mesh_url"])[0] == 200
    # the oldest is one too many
    gone = avatars.caller.get(f"{AVATAR}/{user}?version=1")
    assert (gone.status, gone.body["error_type"]) == (404, "NOT_FOUND")
    assert avatars.file(first["mesh_url"])[0] == 404


def test_delete_removes_records_versions_jobs_and_every_file(
    avatars: AvatarCaller, state_dir: Path
) -> None:
    user, other = new_user(), new_user()
    ids = [avatars.made(user)["avatar_id"] for _ in range(2)]
    kept = avatars.made(other)
    assert all("source.jpg" in files_of(state_dir, one) for one in ids)
    removed = avatars.caller.ask("DELETE", f"{AVATAR}/{user}")
    check("AvatarRemoved", removed.body)
    assert removed.status == 200
    assert (removed.body["versions"], removed.body["files_pending"]) == (2, False)
    assert [files_of(state_dir, one) for one in ids] == [set(), set()]
    for path in (f"/{user}", f"/{user}/versions", *(f"/job/{one}" for one in ids)):
        assert avatars.caller.get(AVATAR + path).status == 404
    assert avatars.caller.ask("DELETE", f"{AVATAR}/{user}").status == 404
    assert avatars.file(kept["mesh_url"])[0] == 200
    # and it can begin again
    assert avatars.made(user)["version"] == 1


@pytest.mark.parametrize("step", ["check", "fit", "write"])
def test_delete_while_a_job_runs_leaves_nothing_behind(
    avatars: AvatarCaller, state_dir: Path, step: str
) -> None:
    user, reached, go_on = new_user(), threading.Event(), threading.Event()

    def hold(at: str) -> None:
        if at == step:
            reached.set()
            assert go_on.wait(20)

    avatars.steps.before = hold
    try:
        job_id = avatars.post(user).body["job_id"]
        assert reached.wait(20)
        removed = avatars.caller.ask("DELETE", f"{AVATAR}/{user}")
        assert (removed.status, removed.body["files_pending"]) == (200, True)
    finally:
        avatars.steps.before = lambda at: None
        go_on.set()
    # the next job begins when the one in hand has ended
    avatars.made(new_user())
    assert avatars.caller.get(f"{AVATAR}/{user}").status == 404
    assert avatars.caller.get(f"{AVATAR}/job/{job_id}").status == 404
    wait_for(lambda: not files_of(state_dir, job_id))


def test_nobody_in_the_picture_is_said_in_the_words_that_callers_know(
    avatars: AvatarCaller, state_dir: Path
) -> None:
    user = new_user()
    job = avatars.finished(avatars.post(user, image_base64=nobody_base64()))
    assert job["status"] == "error"
    assert (job["error"], job["error_type"]) == (NOBODY, "NO_PERSON")
    assert job["hint"] == "Send a photograph of somebody."
    assert avatars.caller.get(f"{AVATAR}/{user}").status == 404
    # the job is finished a moment before its picture is gone
    wait_for(lambda: not files_of(state_dir, job["job_id"]))


def test_a_failed_job_does_not_touch_the_avatar_that_is_there(avatars: AvatarCaller) -> None:
    user = new_user()
    before = avatars.made(user)
    assert avatars.finished(avatars.post(user, image_base64=nobody_base64()))["status"] == "error"
    assert avatars.record(user) == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"gender": "other"}, 'gender: expected "male", "female" or "neutral", got \'other\''),
        ({"gender": None}, "gender: expected"),
        ({"height_cm": 17}, "height_cm: expected centimetres, 60 to 260, got 17"),
        ({"height_cm": 1700}, "height_cm: expected centimetres, 60 to 260, got 1700"),
        ({"height_cm": 1.75}, "height_cm: expected centimetres"),
        ({"height_cm": "tall"}, "height_cm: expected centimetres"),
        ({"weight_kg": 0}, "weight_kg: expected kilograms, 4 to 400, got 0"),
        ({"user_id": ""}, "user_id: expected text of 1 to 128 printable letters"),
        ({"user_id": "x" * 129}, "user_id: expected"),
        ({"user_id": "../../etc"}, "user_id: expected"),
        ({"user_id": "a\\b"}, "user_id: expected"),
        ({"user_id": "a\nb"}, "user_id: expected"),
        ({"user_id": ".."}, "user_id: expected"),
        ({"user_id": "job"}, "user_id: expected"),
        ({"user_id": 7}, "user_id: expected"),
        ({"image_base64": ""}, "image_base64: expected"),
        ({"image_base64": "bm8gcGljdHVyZQ=="}, "not a picture"),
        ({"image_base64": "%%%"}, "not base64"),
        ({"video_path": "/a.mp4"}, "image_base64 and video_path: expected one of them"),
    ],
)
def test_what_cannot_be_taken_is_refused_at_once_and_named(
    avatars: AvatarCaller, fields: dict[str, object], said: str
) -> None:
    answer = avatars.post(**{"user_id": new_user(), **fields})
    assert answer.status == 400
    assert said in answer.body["error"]


@pytest.mark.parametrize("missing", ["user_id", "gender", "image_base64"])
def test_a_missing_field_is_named(avatars: AvatarCaller, missing: str) -> None:
    body = {"user_id": new_user(), "gender": "male", "image_base64": person_base64()}
    del body[missing]
    answer = avatars.caller.post(AVATAR, json=body)
    assert answer.status == 400
    assert answer.body["error"].startswith(f"{missing} is missing")


def test_a_form_takes_a_picture_or_a_clip_but_not_both_and_not_crosswise(
    avatars: AvatarCaller, clip: Path
) -> None:
    user, movie, still = new_user(), clip.read_bytes(), picture_file(picture(PERSON), "PNG")
    both = {"image": (BytesIO(still), "a.png"), "video": (BytesIO(movie), "a.mp4")}
    answer = avatars.caller.post(AVATAR, data={"user_id": user, "gender": "male", **both})
    assert (answer.status, answer.body["error"]) == (
        400, "image and video: expected one of them, got both",
    )  # fmt: skip
    as_picture = avatars.send(user, "image", movie)
    assert (as_picture.status, as_picture.body["error_type"]) == (400, "BAD_IMAGE")
    assert "file part 'video'" in as_picture.body["hint"]
    neither = avatars.caller.post(AVATAR, data={"user_id": user, "gender": "male"})
    assert neither.status == 415 or "image or video" in neither.body["error"]
    assert avatars.send(user, "video", b"no clip").body["error_type"] == "BAD_VIDEO"
    large = picture_file(Image.new("RGB", (1100, 1000)), "PNG")
    assert avatars.send(user, "image", large).status == 413
    assert avatars.caller.get(f"{AVATAR}/{user}").status == 404


def test_ids_of_every_language_and_sign_find_their_avatar(avatars: AvatarCaller) -> None:
    for user in ("ann@example.org", "auth0|12", "Ünal 名前", "a%2Fb?c#d", "...", "versions"):
        record = avatars.made(user) if "%" not in user else None
        if record is None:
            avatars.finished(avatars.post(user))
            record = avatars.caller.get(f"{AVATAR}/a%252Fb%3Fc%23d").body
        assert record["user_id"] == user
        assert avatars.file(record["sheet_url"])[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nobody",
        "/nobody/versions",
        "/nobody/files/1/mesh.obj",
        "/job/nonsense",
        "/nobody?version=3",
    ],
)
def test_what_is_not_there_is_a_404(avatars: AvatarCaller, path: str) -> None:
    assert avatars.caller.get(AVATAR + path).status == 404


def test_only_an_avatars_own_files_can_be_asked_for(avatars: AvatarCaller) -> None:
    user = new_user()
    avatars.made(user)
    for name in ("result.json", "mesh.stl", "..", "%2e%2e%2fjobs.sqlite"):
        answer = avatars.caller.get(f"{AVATAR}/{user}/files/1/{name}")
        assert answer.status == 404
    assert avatars.caller.get(f"{AVATAR}/{user}/files/one/mesh.obj").status == 400
    assert avatars.caller.get(f"{AVATAR}/{user}?version=0").status == 400


def test_a_clip_job_is_no_avatar_job_and_the_other_way_round(
    avatars: AvatarCaller, clip: Path
) -> None:
    caller = avatars.caller
    made = caller.post("/pose/video", json={"video_path": str(clip), "async": True, "mesh": False})
    assert caller.get(f"{AVATAR}/job/{made.body['job_id']}").status == 404
    job_id = avatars.finished(avatars.post(new_user()))["job_id"]
    assert caller.get(f"/pose/video/status/{job_id}").status == 404
    assert caller.get(f"/jobs/{job_id}").body["kind"] == "avatar"


def test_the_same_key_makes_one_avatar_and_another_request_with_it_none(
    avatars: AvatarCaller,
) -> None:
    user, key = new_user(), {"Idempotency-Key": new_user()}
    body = {"user_id": user, "gender": "male", "image_base64": person_base64()}
    first = avatars.caller.post(AVATAR, json=body, headers=key)
    again = avatars.caller.post(AVATAR, json=body, headers=key)
    assert again.body["job_id"] == first.body["job_id"]
    avatars.finished(first)
    assert avatars.record(user)["version"] == 1
    for other in ({**body, "height_cm": 180}, {**body, "user_id": new_user()}):
        answer = avatars.caller.post(AVATAR, json=other, headers=key)
        assert (answer.status, answer.body["error_type"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_a_job_that_is_removed_leaves_its_avatar(avatars: AvatarCaller) -> None:
    user = new_user()
    record = avatars.made(user)
    gone = avatars.caller.ask("DELETE", f"/jobs/{record['avatar_id']}?remove=true")
    assert gone.status == 200
    assert avatars.record(user) == record
    assert avatars.file(record["source_image_url"])[0] == 200


def test_a_cancelled_job_makes_no_avatar(avatars: AvatarCaller, state_dir: Path) -> None:
    user, reached, go_on = new_user(), threading.Event(), threading.Event()

    def hold(at: str) -> None:
        reached.set()
        assert go_on.wait(20)

    avatars.steps.before = hold
    try:
        job_id = avatars.post(user).body["job_id"]
        assert reached.wait(20)
        assert avatars.caller.ask("DELETE", f"/jobs/{job_id}").status == 200
    finally:
        avatars.steps.before = lambda at: None
        go_on.set()
    avatars.made(new_user())
    job = avatars.job(job_id)
    assert (job["status"], job["error_type"]) == ("error", "CANCELLED")
    assert avatars.caller.get(f"{AVATAR}/{user}").status == 404
    wait_for(lambda: not files_of(state_dir, job_id))
