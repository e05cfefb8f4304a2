"""What a caller may choose about the shape of an answer."""

from dataclasses import dataclass
from enum import StrEnum


class Faces(StrEnum):
    """Where the triangle list stands: in every frame, in the first that has a mesh, nowhere."""

    EACH = "each"
    ONCE = "once"
    NONE = "none"


@dataclass(frozen=True)
class AnswerOptions:
    """`precision`: decimals of the mesh's metres. `joint_sets`: names of `SKELETONS` to add.

    `raw`: add each frame's own solution to the persons of a clip.
    """

    faces: Faces = Faces.EACH
    mesh: bool = True
    precision: int = 5
    persons: bool = False
    joint_sets: tuple[str, ...] = ()
    raw: bool = False

    @property
    def everybody(self) -> bool:
        """Whether bodies beside the primary's are needed."""
        return self.persons or bool(self.joint_sets)
