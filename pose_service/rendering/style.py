"""What an overlay shows: which layers, and what else is done to the picture."""

from dataclasses import dataclass
from enum import StrEnum


class Layer(StrEnum):
    """What can be drawn over people; any of them together, or none."""

    MESH = "mesh"
    SKELETON = "skeleton"
    BOXES = "boxes"
    IDS = "ids"


NO_LAYERS = "none"
"""What is said for no layer at all, where an empty list cannot be told from nothing said."""


@dataclass(frozen=True)
class OverlayStyle:
    """How people are drawn.

    `side_view`: a panel on the right shows the first person from the side. `face_blur`: nobody's
    face can be known. `mesh_opacity`, 0 to 1, is that of an observed person's mesh.
    """

    layers: frozenset[Layer] = frozenset(Layer)
    side_view: bool = False
    face_blur: bool = False
    mesh_opacity: float = 0.75

    @property
    def name(self) -> str:
        """Short, the same for equal styles, fit for a file's name.

        >>> OverlayStyle().name, OverlayStyle(frozenset({Layer.IDS, Layer.MESH}), True).name
        ('mesh+skeleton+boxes+ids', 'mesh+ids+side')
        """
        parts = [layer.value for layer in Layer if layer in self.layers] or [NO_LAYERS]
        extras = {"side": self.side_view, "blur": self.face_blur}
        return "+".join([*parts, *(word for word, wanted in extras.items() if wanted)])

    def size_px(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Width and height of what is drawn on a picture of this size."""
        return width_px + self.side_view * side_width_px(width_px, height_px), height_px


DEFAULT_STYLE = OverlayStyle()


def side_width_px(width_px: int, height_px: int) -> int:
    """Of the panel of the side view, which is as high as the picture; 1 at least."""
    return max(1, min(width_px, height_px) // 2)


def layers_of(text: str) -> frozenset[Layer]:
    """The layers named in `text` with commas between, or "none"; `ValueError` for others.

    >>> sorted(layers_of("ids, mesh")), layers_of("none")
    ([<Layer.IDS: 'ids'>, <Layer.MESH: 'mesh'>], frozenset())
    """
    words = [word.strip() for word in text.split(",")]
    return frozenset() if words == [NO_LAYERS] else frozenset(map(Layer, words))
