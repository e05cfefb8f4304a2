"""The scripted scenes by name. Each is made anew from a seed, and alike for one seed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scenes.people import HEIGHT_PX, Actor, Path, Place, walk
from scenes.stage import Scene, scene

MIDDLE_Y = HEIGHT_PX / 2
ALWAYS = range(10_000)
SHOT_AT = 40


def crossing(seed: int) -> Scene:
    """Two people walk past each other, the nearer one in front."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(6, 12)
    actors = [
        Actor(walk(Place(200, MIDDLE_Y, 300), speed), ALWAYS, look=1, phase_rad=0.2),
        Actor(walk(Place(1000, MIDDLE_Y, 240), -speed), ALWAYS, look=2, phase_rad=1.4),
    ]
    return scene(actors, range(90), seed)


def hidden(frames: int) -> Callable[[int], Scene]:
    """A walker whom nobody sees for so many frames, and one who stands and is seen throughout."""

    def made(seed: int) -> Scene:
        gap = range(40, 40 + frames)
        speed = np.random.default_rng(seed).uniform(1.0, 2.5)
        actors = [
            Actor(walk(Place(200, MIDDLE_Y, 300), speed), ALWAYS, gap, look=1),
            Actor(walk(Place(1100, MIDDLE_Y, 280)), ALWAYS, look=2, phase_rad=1),
        ]
        return scene(actors, range(80 + frames), seed)

    return made


def hidden_at_60_fps(seed: int) -> Scene:
    """For a second, which is 60 frames of this clip."""
    gap = range(60, 120)
    actors = [
        Actor(walk(Place(200, MIDDLE_Y, 300), 1.0), ALWAYS, gap, look=1, step_rad=0.15),
        Actor(walk(Place(1100, MIDDLE_Y, 280)), ALWAYS, look=2, step_rad=0.15),
    ]
    return scene(actors, range(180), seed, fps=60.0)


def left_and_returned(seed: int) -> Scene:
    """Somebody leaves the picture and comes back 20 frames later where they left."""
    rng = np.random.default_rng(seed)
    away = rng.uniform(9, 11)

    def path(frame: int) -> Place:
        return Place(320 - away * min(frame, 64 - frame), MIDDLE_Y, 300)

    actors = [
        Actor(path, ALWAYS, look=1),
        Actor(walk(Place(900, MIDDLE_Y, 290), -0.5), ALWAYS, look=2, phase_rad=1),
    ]
    return scene(actors, range(90), seed)


def behind_each_other(seed: int) -> Scene:
    """Somebody steps behind a nearer person, stays there for 15 frames, and comes out again."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(8, 11)

    def path(frame: int) -> Place:
        walked = min(frame, 30) + max(frame - 45, 0)
        return Place(640 + speed * (walked - 30), MIDDLE_Y, 230)

    actors = [
        Actor(walk(Place(640, MIDDLE_Y, 360)), ALWAYS, look=1),
        Actor(path, ALWAYS, look=2, phase_rad=1),
    ]
    return scene(actors, range(90), seed)


def shot_change(seed: int) -> Scene:
    """Three people; then another camera shows them elsewhere and larger."""
    rng = np.random.default_rng(seed)
    jump = rng.uniform(30, 60)

    def cut(x: float) -> Path:
        def path(frame: int) -> Place:
            late = frame >= SHOT_AT
            return Place(x + 0.8 * frame + jump * late, MIDDLE_Y + 20 * late, 280 + 40 * late)

        return path

    actors = [
        Actor(cut(x), ALWAYS, look=look, phase_rad=look)
        for look, x in enumerate((250.0, 600.0, 950.0), 1)
    ]
    return scene(actors, range(80), seed, shots={SHOT_AT})


def forty_people(seed: int) -> Scene:
    """They mill about slowly in a square; a detector misses each of them in 5 of 100 frames."""
    rng = np.random.default_rng(seed)
    actors = []
    for who in range(40):
        place = Place(100 + 140 * (who % 8) + 40 * (who // 8 % 2), 100 + 130 * (who // 8), 140)
        path = walk(place, rng.uniform(-0.8, 0.8), rng.uniform(-0.4, 0.4))
        missed = set(np.flatnonzero(rng.random(60) < 0.05).tolist())
        actors.append(Actor(path, ALWAYS, missed, look=who, phase_rad=rng.uniform(0, 6)))
    return scene(actors, range(60), seed)


def empty_frames(seed: int) -> Scene:
    """Nobody is there at first; later the detector sees nothing in five frames."""
    blank = range(50, 55)
    actors = [
        Actor(walk(Place(300, MIDDLE_Y, 300), 2), range(10, 80), blank, look=1),
        Actor(walk(Place(900, MIDDLE_Y, 300), -2), range(10, 80), blank, look=2),
    ]
    return scene(actors, range(90), seed)


def nobody(seed: int) -> Scene:
    return scene([], range(20), seed)


def one_frame(seed: int) -> Scene:
    return scene([Actor(walk(Place(600, MIDDLE_Y, 300)), ALWAYS)], range(1), seed)


def alike_side_by_side(seed: int) -> Scene:
    """Two in the same clothes walk side by side; each is missed now and then."""
    rng = np.random.default_rng(seed)
    missed = [set(np.flatnonzero(rng.random(100) < 0.1).tolist()) for _ in range(2)]
    actors = [
        Actor(walk(Place(200 + 110 * who, MIDDLE_Y + 10 * who, 300), 5), ALWAYS, missed[who],
              look=1, phase_rad=1.5 * who)
        for who in range(2)
    ]  # fmt: skip
    return scene(actors, range(100), seed)


def camera_pan(seed: int) -> Scene:
    """Three people stand; the camera swings over them and back."""
    swing = np.random.default_rng(seed).uniform(150, 220)

    def seen_from_pan(x: float) -> Path:
        return lambda frame: Place(x + swing * np.sin(frame / 15), MIDDLE_Y, 300)

    actors = [
        Actor(seen_from_pan(x), ALWAYS, look=look, phase_rad=look)
        for look, x in enumerate((320.0, 640.0, 960.0), 1)
    ]
    return scene(actors, range(100), seed)


def false_finds(seed: int) -> Scene:
    """Two walk; for a frame or two at a time a detector takes something else for a person."""
    rng = np.random.default_rng(seed)
    actors = [
        Actor(walk(Place(200, MIDDLE_Y, 300), 4), ALWAYS, look=1),
        Actor(walk(Place(1000, MIDDLE_Y, 280), -3), ALWAYS, look=2, phase_rad=1),
    ]
    for began in range(5, 95, 6):
        place = Place(rng.uniform(100, 1180), rng.uniform(200, 520), rng.uniform(120, 320))
        there = range(began, began + int(rng.integers(1, 4)))
        actors.append(Actor(walk(place), there, look=50 + began, score=0.85, real=False))
    return scene(actors, range(100), seed)


def false_find_before_an_entry(seed: int) -> Scene:
    """Each time somebody enters, the detector has just seen something where nobody is."""
    rng = np.random.default_rng(seed)
    actors = []
    for who in range(5):
        began = 4 + 14 * who
        place = Place(150 + 230 * who, MIDDLE_Y, 300)
        wrong = Place(place.x_px + 160 * rng.choice([-1, 1]), MIDDLE_Y + 40, 260)
        actors += [
            Actor(walk(wrong), range(began - 1, began), look=90 + who, score=0.85, real=False),
            Actor(walk(place, 0.5), range(began, 100), look=who, phase_rad=who),
        ]
    return scene(actors, range(100), seed)


def dropped_frames(seed: int) -> Scene:
    """A camera that loses one to three frames now and then; frames keep their true numbers."""
    rng = np.random.default_rng(seed)
    steps = rng.choice([1, 1, 1, 2, 3, 4], 80)
    actors = [
        Actor(walk(Place(150, MIDDLE_Y, 300), 4), ALWAYS, look=1),
        Actor(walk(Place(1100, MIDDLE_Y + 20, 250), -3.5), ALWAYS, look=2, phase_rad=1),
    ]
    return scene(actors, np.cumsum(steps).tolist(), seed)


def found_twice(seed: int) -> Scene:
    """Two people, one of whom the detector finds twice in stretches of the clip."""
    rng = np.random.default_rng(seed)
    again = [frame for frame in range(100) if frame // 10 % 2]
    walker, other = walk(Place(300, MIDDLE_Y, 300), 3), walk(Place(1000, MIDDLE_Y, 280), -1)
    shifted = rng.uniform(4, 8)
    beside = walk(Place(300 + shifted, MIDDLE_Y, 296), 3)
    actors = [
        Actor(walker, ALWAYS, look=1),
        Actor(other, ALWAYS, look=2, phase_rad=1),
        Actor(beside, again, look=1, score=0.85, real=False),
    ]
    return scene(actors, range(100), seed)


def far_away(seed: int) -> Scene:
    """One person near, two far away, 80 pixels high; of one of them the detector is less sure."""
    actors = [
        Actor(walk(Place(300, MIDDLE_Y, 320), 2), ALWAYS, look=1),
        Actor(walk(Place(800, 300, 80), 1), ALWAYS, look=2, score=0.7, phase_rad=1),
        Actor(walk(Place(1000, 310, 84), -0.5), ALWAYS, look=3, score=0.9, phase_rad=2),
    ]
    return scene(actors, range(80), seed)


def frame_sent_again(seed: int) -> Scene:
    """A session whose first picture is sent six times; then one person goes and another comes."""
    rng = np.random.default_rng(seed)
    actors = [
        Actor(walk(Place(300, MIDDLE_Y, 300)), range(1), look=1),
        Actor(walk(Place(rng.uniform(700, 1000), MIDDLE_Y, 300)), range(2, 60), look=2),
    ]
    return scene(actors, [0] * 6 + list(range(1, 40)), seed)


def dancers(seed: int) -> Scene:
    """Two in one costume turn in opposite senses and change places while nobody sees them.

    Somebody who left the picture before is still waited for, so that of all whom nobody sees he is
    the first. Who is who then shows by nothing but how far each has turned; whoever foretells that
    for the time at which the first one was seen last, 28 frames too far, takes one for the other.
    """
    turn = np.random.default_rng(seed).uniform(0.24, 0.28)
    gone, back = 60, 66

    def changing(first: float, second: float) -> Path:
        return lambda frame: Place(first if frame < gone else second, MIDDLE_Y, 300)

    leaver = Actor(walk(Place(1200, MIDDLE_Y, 300), 2.5), range(34), look=9)
    twin = Actor(walk(Place(0, 0, 1)), range(1, 110), range(gone, back), look=1, step_rad=0)
    actors = [
        leaver,
        replace(twin, path=changing(600, 624), turn_rad=turn),
        replace(twin, path=changing(624, 600), turn_rad=-turn, heading_rad=turn * (2 * back + 28)),
    ]
    return scene(actors, range(110), seed)


def seen_from_behind(seed: int) -> Scene:
    """Somebody turns round while hidden; a stranger comes into view nearby, seen from behind."""
    rng = np.random.default_rng(seed)
    gap = range(30, 40)
    x = rng.uniform(400, 500)
    actors = [
        Actor(walk(Place(x, MIDDLE_Y, 300), 1), range(60), gap, look=1, back=range(48, 100)),
        Actor(walk(Place(x + 90, MIDDLE_Y, 290)), range(34, 100), look=2, back=ALWAYS),
        Actor(walk(Place(1000, MIDDLE_Y, 290)), ALWAYS, look=3),
    ]
    return scene(actors, range(90), seed)


def group_of_alike(seed: int) -> Scene:
    """Six in one uniform weave through each other."""
    rng = np.random.default_rng(seed)

    def path(x: float, wave: float, height: float) -> Path:
        return lambda frame: Place(x + 120 * np.sin(frame / 20 + wave), MIDDLE_Y, height)

    actors = [
        Actor(path(x, rng.uniform(0, 6), 220 + 25 * who), ALWAYS, look=1, phase_rad=who)
        for who, x in enumerate(np.linspace(300, 980, 6))
    ]
    return scene(actors, range(120), seed)


SCENES: dict[str, Callable[[int], Scene]] = {
    "crossing": crossing,
    "hidden for 5 frames": hidden(5),
    "hidden for 20 frames": hidden(20),
    "hidden for 60 frames": hidden(60),
    "hidden for 60 frames at 60 fps": hidden_at_60_fps,
    "left and returned": left_and_returned,
    "behind each other": behind_each_other,
    "shot change": shot_change,
    "40 people": forty_people,
    "empty frames": empty_frames,
    "nobody": nobody,
    "one frame": one_frame,
    "alike, side by side": alike_side_by_side,
    "camera pan": camera_pan,
    "false finds": false_finds,
    "false find before an entry": false_find_before_an_entry,
    "dropped frames": dropped_frames,
    "found twice": found_twice,
    "far away": far_away,
    "frame sent again": frame_sent_again,
    "dancers": dancers,
    "seen from behind": seen_from_behind,
    "group of alike": group_of_alike,
}
