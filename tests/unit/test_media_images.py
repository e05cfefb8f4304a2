"""Pictures in: every kind that is read gives the same RGB, every other kind a clear error."""

import base64
import warnings
from pathlib import Path

import numpy as np
import pytest
from makers import corners, picture_file, png_declaring
from PIL import Image

from pose_service.core.arrays import ImageArray
from pose_service.core.errors import BadImageError, TooLargeError
from pose_service.media.images import (
    decode_base64_image,
    decode_image,
    encode_jpeg,
    encode_png,
)

MAX_PIXELS = 50_000_000
ORIENTATION = 0x0112


def decoded(data: bytes, *, turn_by_exif: bool = False) -> ImageArray:
    return decode_image(data, max_pixels=MAX_PIXELS, turn_by_exif=turn_by_exif)


def ramp(depth: int) -> np.ndarray:
    """(16, 256): columns from black to the brightest value of `depth`."""
    return np.tile(np.linspace(0, depth, 256), (16, 1))


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_files_give_exactly_the_picture(
    file_format: str, options: dict[str, object]
) -> None:
    image = decoded(picture_file(corners(), file_format, **options))
    np.testing.assert_array_equal(image, corners())
    assert image.flags.writeable and image.flags.c_contiguous


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_files_give_the_picture_but_for_their_losses(file_format: str) -> None:
    image = decoded(picture_file(corners(64, 48), file_format, quality=95))
    # colour is stored at half size, which smears the edges; whole areas stay within 2 %
    difference = np.abs(image.astype(int) - corners(64, 48))
    assert np.median(difference) <= 5
    assert image.shape == (48, 64, 3)


@pytest.mark.parametrize("mode", ["P", "CMYK", "YCbCr", "RGBA"])
def test_other_colour_models_become_rgb(mode: str) -> None:
    picture = Image.fromarray(corners()).convert(mode)
    image = decoded(picture_file(picture, "TIFF"))
    # YCbCr is rounded once on the way, the others are exact
    np.testing.assert_allclose(image, corners(), atol=2)


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    data = picture_file(Image.fromarray(corners(64, 48)).convert("CMYK"), "JPEG", quality=95)
    assert np.median(np.abs(decoded(data).astype(int) - corners(64, 48))) <= 5


def test_one_bit_pictures_become_black_and_white() -> None:
    bits = np.zeros((4, 16), bool)
    bits[:, 8:] = True
    image = decoded(picture_file(Image.fromarray(bits), "PNG"))
    assert image[0, 0].tolist() == [0, 0, 0]
    assert image[0, 15].tolist() == [255, 255, 255]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_gray_is_divided_by_257_and_not_cut_off_at_255(file_format: str) -> None:
    gray = ramp(65535).astype(np.uint16)
    image = decoded(picture_file(gray, file_format))
    expected = np.rint(gray / 257).astype(np.uint8)
    np.testing.assert_array_equal(image, np.repeat(expected[:, :, None], 3, axis=2))


def test_dark_16_bit_gray_stays_dark() -> None:
    image = decoded(picture_file(np.full((4, 4), 257, np.uint16), "PNG"))
    assert np.all(image == 1)


@pytest.mark.parametrize(
    ("brightest", "expected_white"), [(1.0, 255), (0.5, 128), (255.0, 255), (65535.0, 255)]
)
def test_float_tiff_is_scaled_by_the_range_it_uses(brightest: float, expected_white: int) -> None:
    image = decoded(picture_file(ramp(1).astype(np.float32) * brightest, "TIFF"))
    assert image[0, 0].tolist() == [0, 0, 0]
    assert image[0, -1].tolist() == [expected_white] * 3


def test_numbers_that_are_no_brightness_become_black() -> None:
    values = np.array([[np.nan, np.inf, -5.0, 1.0]], np.float32)
    assert decoded(picture_file(values, "TIFF"))[0, :, 0].tolist() == [0, 0, 0, 255]


def test_32_bit_gray_is_scaled_by_its_brightest_pixel() -> None:
    image = decoded(picture_file(ramp(1_000_000).astype(np.int32), "TIFF"))
    assert image[0, -1, 0] == 255 and image[0, 128, 0] == 128


def test_transparent_parts_lie_on_white_and_hidden_colours_stay_hidden() -> None:
    rgba = np.zeros((2, 3, 4), np.uint8)
    rgba[:, :, 0] = 200
    rgba[:, 1, 3] = 128
    rgba[:, 2, 3] = 255
    image = decoded(picture_file(rgba, "PNG"))
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[0, 2].tolist() == [200, 0, 0]
    # half covered: halfway between red and white, rounding aside
    np.testing.assert_allclose(image[0, 1], [227, 127, 127], atol=1)


def test_gray_with_alpha_and_palettes_with_a_transparent_colour_lie_on_white() -> None:
    gray = picture_file(Image.new("LA", (2, 2), (0, 0)), "PNG")
    palette = picture_file(Image.new("P", (2, 2), 0), "PNG", transparency=0)
    rgb = picture_file(Image.new("RGB", (2, 2), (9, 9, 9)), "PNG", transparency=(9, 9, 9))
    for data in (gray, palette, rgb):
        assert np.all(decoded(data) == 255)


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_picture_is_taken(file_format: str) -> None:
    first = Image.fromarray(corners())
    data = picture_file(
        first, file_format, save_all=True, append_images=[Image.new("RGB", first.size, "black")],
        **({"lossless": True} if file_format == "WEBP" else {}),
    )  # fmt: skip
    np.testing.assert_array_equal(decoded(data), corners())


# how a stored picture must be turned to be upright, by EXIF orientation (TIFF 6.0, page 36)
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: np.rot90(stored, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_phones_picture_is_turned_upright_only_when_asked(orientation: int) -> None:
    data = picture_file(corners(), "PNG", exif=exif(orientation))
    np.testing.assert_array_equal(decoded(data), corners())
    upright = decoded(data, turn_by_exif=True)
    np.testing.assert_array_equal(upright, UPRIGHT[orientation](corners()))


def test_exif_turning_works_for_jpeg() -> None:
    data = picture_file(corners(64, 48), "JPEG", exif=exif(6))
    assert decoded(data).shape == (48, 64, 3)
    upright = decoded(data, turn_by_exif=True)
    assert upright.shape == (64, 48, 3)
    # turned a quarter clockwise, the blue corner comes to the upper left
    assert upright[5, 5, 2] > 200 and upright[5, 5, 0] < 50


@pytest.mark.filterwarnings("ignore:.*EXIF:UserWarning")
def test_a_broken_exif_block_does_not_spoil_the_picture() -> None:
    data = picture_file(corners(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01")
    assert decoded(data, turn_by_exif=True).shape == (24, 32, 3)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (6000, 20), (2, 900)])
def test_extreme_shapes_are_pictures_like_any_other(width: int, height: int) -> None:
    data = picture_file(Image.new("RGB", (width, height), (1, 2, 3)), "PNG")
    assert decoded(data).shape == (height, width, 3)


# ---- what is no picture


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bytes([255, 0, 0] * 640), ["first bytes ff0000ff0000ff00", "not raw pixels"]),
        (bytes(640 * 360 * 3), ["691200 bytes", "first bytes 0000000000000000"]),
        (b"hello, world", ["text"]),
        (b"<!DOCTYPE html><html><body>502</body></html>", ["HTML"]),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ["SVG"]),
        (b"%PDF-1.7\n\xe2\xe3", ["PDF"]),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", ["text"]),
        (b"", ["no bytes at all"]),
        (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41", ["video"]),
    ],
)
def test_what_is_no_picture_is_refused_with_its_first_bytes(data: bytes, words: list[str]) -> None:
    with pytest.raises(BadImageError, match="Send the bytes of a JPEG or PNG file") as caught:
        decoded(data)
    assert all(word in str(caught.value) for word in words)
    assert caught.value.status == 400


def test_a_heic_file_is_named_and_the_way_out_told() -> None:
    data = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
    with pytest.raises(BadImageError, match="HEIC") as caught:
        decoded(data)
    assert "JPEG" in caught.value.hint


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.98])
@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("WEBP", {}),
        ("AVIF", {}),
    ],
)
def test_a_truncated_picture_is_refused_not_half_shown(
    file_format: str, options: dict[str, object], part: float
) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    data = picture_file(noise, file_format, **options)
    with pytest.raises(BadImageError):
        decoded(data[: int(len(data) * part)])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
def test_damaged_bytes_give_a_picture_or_a_clear_error_and_nothing_else(file_format: str) -> None:
    generator = np.random.default_rng(7)
    noise = generator.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    whole = picture_file(noise, file_format)
    refused = 0
    for _ in range(100):
        data = np.frombuffer(whole, np.uint8).copy()
        data[generator.integers(0, min(len(data), 200), 5)] = generator.integers(0, 255, 5)
        try:
            image = decode_image(data.tobytes(), max_pixels=10_000, turn_by_exif=True)
            assert image.ndim == 3 and image.dtype == np.uint8
        except (BadImageError, TooLargeError):
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (100, 100)])
def test_a_png_without_the_pixels_it_declares_is_broken(size: tuple[int, int]) -> None:
    with pytest.raises(BadImageError, match="PNG picture is broken"):
        decoded(png_declaring(*size, data=b"abc"))


# ---- what is too large


@pytest.mark.parametrize("size", [(10_000, 6_000), (65_535, 65_535), (2**31 - 1, 2**31 - 1)])
def test_oversized_pictures_are_refused_by_their_header_alone(size: tuple[int, int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TooLargeError, match=f"{size[0]}x{size[1]}") as caught:
            decoded(png_declaring(*size))
    assert caught.value.status == 413
    assert "POSE_MAX_PIXELS" in caught.value.hint


def test_a_decompression_bomb_is_never_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = picture_file(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("unpacked"))
    with pytest.raises(TooLargeError):
        decoded(bomb)


def test_the_limit_itself_is_allowed_even_where_pillow_would_warn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    data = picture_file(corners(40, 25), "PNG")
    assert decode_image(data, max_pixels=1000, turn_by_exif=True).shape == (25, 40, 3)
    with pytest.raises(TooLargeError):
        decode_image(data, max_pixels=999, turn_by_exif=True)


# ---- base64


def as_base64(text: str) -> ImageArray:
    return decode_base64_image(text, max_pixels=MAX_PIXELS, turn_by_exif=False)


PNG = picture_file(corners(), "PNG")
STANDARD = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "text",
    [
        STANDARD,
        "data:image/png;base64," + STANDARD,
        " data:image/png;charset=utf-8;base64,\n" + STANDARD,
        base64.encodebytes(PNG).decode(),
        "\r\n\t " + STANDARD + " \n",
        base64.urlsafe_b64encode(PNG).decode(),
        STANDARD.rstrip("="),
    ],
)
def test_base64_is_read_in_all_its_usual_dresses(text: str) -> None:
    np.testing.assert_array_equal(as_base64(text), corners())


@pytest.mark.parametrize("text", ["", "  \n", "data:image/png;base64,", "===="])
def test_empty_base64_is_named(text: str) -> None:
    with pytest.raises(BadImageError, match="empty"):
        as_base64(text)


@pytest.mark.parametrize(
    "text", ["{not base64}", "ff0000ff!", STANDARD[:-3] + "ä", "abcde", "[1,2]"]
)
def test_broken_base64_is_named_and_shown(text: str) -> None:
    with pytest.raises(BadImageError, match="not base64") as caught:
        as_base64(text)
    assert text[:8] in str(caught.value)


def test_base64_of_raw_pixels_is_refused_as_raw_pixels() -> None:
    with pytest.raises(BadImageError, match="not raw pixels"):
        as_base64(base64.b64encode(bytes([255, 0, 0] * 1000)).decode())


def test_base64_that_stops_midway_is_a_truncated_picture() -> None:
    with pytest.raises(BadImageError, match="broken or cut off"):
        as_base64(STANDARD[: len(STANDARD) // 2 // 4 * 4])


# ---- out


def test_png_comes_back_exactly_and_jpeg_nearly() -> None:
    image = corners(64, 48)
    np.testing.assert_array_equal(decoded(encode_png(image)), image)
    # edges are smeared by the half-size colour, areas are not
    assert np.median(np.abs(decoded(encode_jpeg(image)).astype(int) - image)) <= 5


def test_only_rgb_pictures_are_encoded() -> None:
    with pytest.raises(ValueError, match="image: expected"):
        encode_png(np.zeros((4, 4), np.uint8))


def test_real_photographs_have_their_known_sizes(shared_media: Path) -> None:
    sizes = {"pexels.jpg": (6016, 4016, 3), "skates.png": (550, 1334, 3)}
    for name, shape in sizes.items():
        assert decoded((shared_media / name).read_bytes()).shape == shape
