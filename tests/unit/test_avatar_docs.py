"""What docs/avatar.md says is so: fields that are sent, fields that are answered, limits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pose_service.avatar.avatar_record import MEDIA_TYPES
from pose_service.measurement.bounds import Reliability
from pose_service.measurement.records import MEASURES
from pose_service.web import avatar_forms
from pose_service.web.avatar_answers import URL_FIELDS
from pose_service.web.forms import Form

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "avatar.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "tests" / "data" / "avatar_schema.json").read_text(encoding="utf-8"))
SAID = set(re.findall(r"`([^`\n]+)`", PAGE))


def fields_in(definition: Any) -> set[str]:
    """Every field that an answer must have, however deep."""
    if isinstance(definition, list):
        return set().union(*map(fields_in, definition))
    if not isinstance(definition, dict):
        return set()
    return set(definition.get("required", ())).union(*map(fields_in, definition.values()))


@pytest.mark.parametrize(
    "form",
    [avatar_forms.AvatarPictureForm, avatar_forms.AvatarPathForm, avatar_forms.AvatarUrlForm],
)
def test_every_field_that_may_be_sent_is_explained(form: type[Form]) -> None:
    assert set(form.model_json_schema(by_alias=True)["properties"]) - SAID == set()


def test_every_field_of_an_answer_is_explained() -> None:
    assert fields_in(SCHEMA["$defs"]) - SAID - {"removed", "message"} == set()


def test_measures_files_and_words_are_those_of_the_code() -> None:
    assert {*MEASURES, *MEDIA_TYPES, *URL_FIELDS, *Reliability} - SAID == set()
    assert set(MEDIA_TYPES) == set(URL_FIELDS.values())


def test_limits_are_those_of_the_code() -> None:
    for low, high, unit in (
        (avatar_forms.LOWEST_CM, avatar_forms.HIGHEST_CM, "height_cm"),
        (avatar_forms.LIGHTEST_KG, avatar_forms.HEAVIEST_KG, "weight_kg"),
    ):
        assert f"| `{unit}` | {low} to {high}, optional |" in PAGE
    assert f"text of 1 to {avatar_forms.LONGEST_ID} printable letters" in PAGE
