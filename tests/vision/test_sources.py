"""From paths and PIL images to RGB, and what is said of everything else."""

from __future__ import annotations

import gc
import warnings

import numpy as np
import pytest
from PIL import Image

from course.tokens import InputError
from course.vision import sources
from course.vision.sources import picture_of

COLOURS = np.arange(72, dtype=np.uint8).reshape(4, 6, 3) * 3


@pytest.fixture
def photo():
    return Image.fromarray(COLOURS)


@pytest.mark.parametrize("ending", ["png", "bmp", "tiff", "webp"])
def test_a_file_is_read_as_pillow_reads_it(tmp_path, photo, ending):
    path = tmp_path / f"a photo.{ending}"
    photo.save(path, lossless=True) if ending == "webp" else photo.save(path)
    for source in (path, str(path)):
        image, name = picture_of(source)
        assert name == path.name and image.mode == "RGB" and np.array_equal(np.asarray(image), COLOURS)
    with Image.open(path) as opened:
        image, name = picture_of(opened)
        assert name == path.name and np.array_equal(np.asarray(image), COLOURS)


def test_no_file_is_left_open(tmp_path, photo):
    photo.save(tmp_path / "photo.png")
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ResourceWarning)
        picture_of(tmp_path / "photo.png")
        gc.collect()
    assert not heard


def test_a_photo_taken_upright_is_turned(tmp_path, photo):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    photo.save(tmp_path / "turned.png", exif=exif)
    image, _ = picture_of(tmp_path / "turned.png")
    assert np.array_equal(np.asarray(image), np.rot90(COLOURS, -1))


def test_transparent_parts_are_laid_on_white():
    image = Image.new("RGBA", (2, 1), (10, 20, 30, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))  # black, were it not invisible
    found, _ = picture_of(image)
    assert [found.getpixel((x, 0)) for x in (0, 1)] == [(10, 20, 30), (255, 255, 255)]
    grey = Image.new("L", (1, 1), 7)
    grey.info["transparency"] = 7
    assert picture_of(grey)[0].getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_keep_their_shades(tmp_path):
    deep = Image.fromarray(np.array([[0, 257 * 100, 65535]], dtype=np.uint16))
    deep.save(tmp_path / "deep.png")
    for source in (deep, tmp_path / "deep.png"):
        assert [rgb[0] for rgb in np.asarray(picture_of(source)[0])[0].tolist()] == [0, 100, 255]
    with pytest.raises(InputError, match=r"32-bit pixels \(mode F\)"):
        picture_of(Image.new("F", (2, 2)))


@pytest.mark.parametrize(
    ("mode", "colour"), [("CMYK", (0, 0, 0, 0)), ("1", 1), ("P", 255), ("LA", (255, 255)), ("YCbCr", (255, 128, 128))]
)
def test_every_mode_becomes_rgb(mode, colour):
    image = Image.new("L", (2, 2), 255).convert("P") if mode == "P" else Image.new(mode, (2, 2), colour)
    assert picture_of(image)[0].getpixel((1, 1)) == (255, 255, 255)


def test_an_animation_is_refused_and_one_of_its_frames_read(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=r"'a.gif' has 2 frames: choose one, such as image.seek\(0\)"):
        picture_of(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as opened:
        opened.seek(1)
        assert picture_of(opened.copy())[0].getpixel((0, 0)) == (0, 0, 255)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>", "it looks like a web page; save the image itself"),
        (b"<svg xmlns=''>", "it looks like a drawing .SVG.; save it as PNG"),
        (b"%PDF-1.7", "it looks like a PDF"),
        (b"version https://git-lfs.github.com/spec/v1", "it is a pointer of Git LFS, not the image"),
        (b"hello, world", "it begins with b'hello, world'"),
    ],
)
def test_a_file_that_is_no_image_says_so(tmp_path, content, says):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError, match=f"'x.png' is no image that Pillow can read: {says}"):
        picture_of(tmp_path / "x.png")


def test_a_file_that_was_cut_off_says_so(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for ending in ("png", "jpg"):
        path = tmp_path / f"x.{ending}"
        Image.fromarray(noise).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(InputError, match="is damaged or cut off"):
            picture_of(path)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nothing here.png", "an eye reads images, and there is no file 'nothing here.png': give the path"),
        ("the cat sat on the mat", "an eye reads images, and there is no file"),
        ("https://example.org/cat.jpg", "is a web address: save the image"),
        ("a\0b", "cannot be opened|there is no file"),
        ("x" * 5000, "cannot be opened|there is no file"),
        ("", "is a folder|there is no file"),
        (7, "an eye reads images, not int"),
        (None, "an eye reads images, not NoneType"),
        (b"bytes", "an eye reads images, not bytes"),
    ],
)
def test_what_is_no_image_is_refused(source, says):
    with pytest.raises(InputError, match=says) as caught:
        picture_of(source, "an eye")
    assert len(str(caught.value)) < 400


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder: give the path of one image in it"):
        picture_of(tmp_path)


def test_what_would_unpack_to_too_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, photo):
    photo.save(tmp_path / "x.png")
    monkeypatch.setattr(sources, "LARGEST", 20)
    for source in (photo, tmp_path / "x.png", COLOURS):
        with pytest.raises(InputError, match=r"6 × 4 pixels|4 × 6 pixels"):
            picture_of(source)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(InputError, match="too many pixels to be opened safely"):
        picture_of(tmp_path / "x.png")


def test_names_of_files_are_shown_without_tricks(tmp_path, photo):
    path = tmp_path / "\u202egnp.exe.png"
    photo.save(path)
    assert picture_of(path)[1] == "\\u202egnp.exe.png"
