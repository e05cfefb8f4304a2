"""What is wanted of an avatar, as the record of its job keeps it."""

import json
from dataclasses import asdict

from pose_service.avatar.records import Gender, Wish


def asked_of(wish: Wish) -> str:
    """`wish` as JSON.

    >>> wish_of(asked_of(Wish(Gender.FEMALE, height_cm=171.0)))
    Wish(gender=<Gender.FEMALE: 'female'>, height_cm=171.0, weight_kg=None)
    """
    return json.dumps(asdict(wish))


def wish_of(asked: str) -> Wish:
    """What `asked_of` wrote."""
    values = json.loads(asked)
    return Wish(Gender(values["gender"]), values["height_cm"], values["weight_kg"])
