"""A visitor's own pictures: whatever is uploaded becomes a whole data set of that visitor, or a sentence."""

from __future__ import annotations

import io
import json
import os
import stat
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.networks.work_context import SentenceError, Stopped
from explorer.pictures.drawn_world import draw_scene
from explorer.runs import cleaning
from explorer.runs.data import own
from explorer.runs.data.loading import load
from explorer.runs.data.overview import overview
from explorer.runs.lessons.lesson import DataKind
from explorer.runs.listing import listing
from explorer.settings import Settings
from tests.pictures.made_files import BOMBS, QUARTERS, exif, files_of_every_kind, middles, png, saved
from tests.runs.data.listening import Listener

PNG = saved(Image.fromarray(QUARTERS), "PNG")


def coloured(colour: str, size: tuple[int, int] = (40, 40), kind: str = "PNG") -> bytes:
    return saved(Image.new("RGB", size, colour), kind)


def zipped(files: dict[str, bytes] | list) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items() if isinstance(files, dict) else files:
            packed.writestr(name, content)
    return target.getvalue()


def folders(prefix: str = "", **classes: int) -> dict[str, bytes]:
    colours = ("#ff0000", "#00ff00", "#0000ff", "#ffff00")
    return {
        f"{prefix}{name}/{number}.png": coloured(colour)
        for (name, count), colour in zip(classes.items(), colours, strict=False)
        for number in range(count)
    }


def created(root: Path, files: dict[str, bytes] | list | bytes, **options) -> own.OwnSet:  # noqa: ANN003
    data = files if isinstance(files, bytes) else zipped(files)
    return own.create(root, [("all.zip", data)], **{"owner": "anna", **options})


def is_one_sentence(text: str) -> bool:
    return text.endswith(".") and text.count(". ") == 0 and 20 < len(text) < 260 and "\n" not in text


# --- what the folders mean ---


def test_a_folder_is_a_class(tmp_path: Path) -> None:
    made = created(tmp_path, folders(cat=3, boat=2))
    assert made.classes == ("boat", "cat") and made.counts() == {"boat": 2, "cat": 3}
    assert made.kinds == ("classes", "pictures") and made.skipped == () and made.notes == ()
    pictures = own.read(tmp_path, made, side=32)
    assert pictures.labels is not None
    for label, picture in zip(pictures.labels, pictures.pixels, strict=True):
        assert tuple(picture[16, 16]) == ((0, 255, 0) if label == 0 else (255, 0, 0))


@pytest.mark.parametrize("prefix", ["photos/", "a/b/c/", "C:\\Users\\me\\", "../../", "/"])
def test_folders_around_everything_are_looked_through(tmp_path: Path, prefix: str) -> None:
    assert created(tmp_path, folders(prefix, cat=2, boat=2)).classes == ("boat", "cat")


def test_a_zip_made_on_macos(tmp_path: Path) -> None:
    files = folders("My Photos/", cat=2, boat=2)
    litter = {f"__MACOSX/{name.replace('/', '/._')}": b"\0\5\x16\7" for name in files}
    made = created(tmp_path, {**files, **litter, "My Photos/.DS_Store": b"x", "My Photos/cat/.DS_Store": b"x"})
    assert made.counts() == {"boat": 2, "cat": 2} and made.skipped == ()


def test_train_and_test_folders_are_taken_together(tmp_path: Path) -> None:
    made = created(tmp_path, {**folders("set/train/", cat=3, boat=3), **folders("set/test/", cat=1, boat=1)})
    assert made.counts() == {"boat": 4, "cat": 4}
    assert "test and train were taken together" in made.notes[0]


def test_classes_that_differ_only_in_case_are_one(tmp_path: Path) -> None:
    made = created(tmp_path, folders(cat=2, Cat=2, dog=1))
    assert made.counts() == {"cat": 4, "dog": 1} and "cat and Cat differ only in case" in made.notes[0]


def test_names_in_chinese_and_with_numbers_are_kept_and_sorted_as_people_do(tmp_path: Path) -> None:
    made = created(tmp_path, {f"{name}/1.png": PNG for name in ("猫", "class 10", "class 2", "Äpfel")})
    assert made.classes == ("class 2", "class 10", "Äpfel", "猫")
    assert {picture.name for picture in made.pictures} >= {"猫/1.png"}


def test_one_class_is_pictures_but_no_classes(tmp_path: Path) -> None:
    made = created(tmp_path, folders(cat=5))
    assert made.kinds == ("pictures",) and "two at least" in made.notes[0]
    listener = Listener(tmp_path)
    with pytest.raises(SentenceError, match="two at least"):
        load({"source": "own", "id": made.id}, seed=0, context=listener)
    assert len(load({"source": "own", "id": made.id}, seed=0, context=listener, kind="pictures").training) == 4


def test_pictures_without_any_folder_are_pictures(tmp_path: Path) -> None:
    made = own.create(tmp_path, [("a.png", PNG), ("b.png", PNG)], owner="anna")
    assert made.kinds == ("pictures",) and made.classes == ("pictures",)


def test_a_class_of_one_picture_is_learnt_from_and_never_judged(tmp_path: Path) -> None:
    made = created(tmp_path, folders(cat=5, key=1))
    assert "key has a single picture" in made.notes[0]
    divided = load({"source": "own", "id": made.id}, seed=0, context=Listener(tmp_path))
    assert divided.training.labels is not None and divided.validation.labels is not None
    assert 1 in divided.training.labels and 1 not in divided.validation.labels


@pytest.mark.parametrize("kind", ["classes", "masks", "pictures"])
def test_where_nothing_is_left_to_judge_by_the_visitor_reads_what_to_do(tmp_path: Path, kind: DataKind) -> None:
    files = scenes(1) if kind == "masks" else folders(cat=1, boat=1)
    made = created(tmp_path, files)
    with pytest.raises(SentenceError, match="to be judged by: upload at least") as refused:
        load({"source": "own", "id": made.id}, seed=0, context=Listener(tmp_path), kind=kind)
    assert is_one_sentence(str(refused.value))


def test_a_picture_beside_the_folders_is_named(tmp_path: Path) -> None:
    made = created(tmp_path, {**folders("x/", cat=2, boat=2), "x/loose.png": PNG, "x/notes.txt": b"words"})
    assert sorted(name for name, _ in made.skipped) == ["x/loose.png", "x/notes.txt"]
    assert all("no folder of a class" in sentence for _, sentence in made.skipped)


def test_webcam_pictures_and_single_files_come_class_by_class(tmp_path: Path) -> None:
    files = [
        *own.in_class("thumb up", [(f"{number}.jpg", coloured("#ff0000", kind="JPEG")) for number in range(3)]),
        *own.in_class("thumb/../down", [("0.jpg", io.BytesIO(coloured("#00ff00", kind="JPEG")))]),
    ]
    assert own.create(tmp_path, files, owner="anna").counts() == {"down": 1, "thumb up": 3}
    with pytest.raises(SentenceError, match="name"):
        own.in_class(" / ", [("0.jpg", PNG)])


# --- what a picture is ---


def test_every_kind_of_picture_is_taken(tmp_path: Path) -> None:
    kinds = files_of_every_kind()
    made = created(tmp_path, {f"{'a' if number % 2 else 'b'}/{name}": data for number, (name, data) in
                              enumerate(kinds.items())})  # fmt: skip
    assert len(made.pictures) == len(kinds) and made.skipped == ()
    assert own.read(tmp_path, made, side=32).pixels.shape == (len(kinds), 32, 32, 3)


@pytest.mark.parametrize("kind", ["JPEG", "HEIF"])
def test_pictures_are_turned_upright(tmp_path: Path, kind: str) -> None:
    turned = Image.fromarray(np.rot90(QUARTERS))  # a camera held sideways: orientation 6 turns it back
    made = own.create(tmp_path, [("a.heic", saved(turned, kind, exif=exif(6), quality=100))], owner="anna")
    picture = own.read(tmp_path, made, side=64, fit="pad").pixels[0]
    stripe = picture[11:53]  # 48 × 32 in a square of 64
    assert np.abs(middles(stripe) - middles(QUARTERS)).max() < 25


def test_a_photo_of_48_megapixels_is_kept_small(tmp_path: Path) -> None:
    photo = saved(Image.new("RGB", (8000, 6000), "#335577"), "JPEG")
    made = own.create(tmp_path, [("large.jpg", photo)], owner="anna", settings=Settings(upload_megapixels=64))
    with Image.open(own.data_folder(tmp_path, "anna") / made.id / made.pictures[0].file) as kept:
        assert kept.size == (341, 256)


def test_small_pictures_are_kept_exactly_and_without_colours_if_wanted(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    made = own.create(tmp_path, [("a.png", saved(Image.fromarray(noise), "PNG"))], owner="anna")
    with Image.open(own.data_folder(tmp_path, "anna") / made.id / made.pictures[0].file) as kept:
        assert np.array_equal(np.asarray(kept), noise)
    assert own.read(tmp_path, made, side=32, grey=True).pixels.shape == (1, 32, 32, 1)


def test_a_wide_picture_is_cut_to_its_middle_or_gets_a_border(tmp_path: Path) -> None:
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, :40], wide[:, 40:80], wide[:, 80:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    made = own.create(tmp_path, [("wide.png", saved(Image.fromarray(wide), "PNG"))], owner="anna")
    cut, whole = (own.read(tmp_path, made, side=48, fit=fit).pixels[0].astype(int) for fit in ("crop", "pad"))
    assert np.abs(cut[:, 3:-3] - (0, 255, 0)).max() < 12
    assert np.all(whole[0] == 128) and np.all(whole[-1] == 128)
    assert np.abs(whole[24, [8, 24, 40]] - np.eye(3) * 255).max() < 12


# --- masks ---


def scenes(count: int = 4, ending: str = "", void: bool = False) -> dict[str, bytes]:
    files = {}
    for number in range(count):
        scene = draw_scene(1, number, size=96, classes=[0, 1, 2])
        mask = scene.label_map.copy()
        if void:
            mask[:8] = 255
        files[f"set/images/{number}.jpg"] = saved(Image.fromarray(scene.pixels), "JPEG", quality=95)
        files[f"set/masks/{number}{ending}.png"] = saved(Image.fromarray(mask), "PNG")
    return files


@pytest.mark.parametrize("ending", ["", "_mask"])
def test_two_folders_with_equal_names_are_pictures_and_masks(tmp_path: Path, ending: str) -> None:
    made = created(tmp_path, scenes(ending=ending))
    assert made.kinds == ("masks", "pictures") and made.classes == ("background", "class 1", "class 2", "class 3")
    pictures = own.read(tmp_path, made, side=96)
    truth = [draw_scene(1, number, size=96, classes=[0, 1, 2]).label_map for number in range(4)]
    assert pictures.masks is not None and np.array_equal(pictures.masks, np.stack(truth))
    shares = np.bincount(np.stack(truth).ravel(), minlength=4) / np.stack(truth).size
    assert np.allclose(made.pixel_shares, shares)


def test_void_counts_as_background_and_the_page_says_how_much_it_is(tmp_path: Path) -> None:
    made = created(tmp_path, scenes(void=True))
    assert made.classes == ("background", "class 1", "class 2", "class 3")
    assert f"{8 / 96:.1%} of the pixels are void" in made.notes[0]
    masks = own.read(tmp_path, made, side=96).masks
    assert masks is not None and masks[:, :8].max() == 0 and masks.max() == 3


def test_numbers_with_gaps_become_classes_without(tmp_path: Path) -> None:
    mask = np.zeros((32, 48), np.uint8)
    mask[:, 24:], mask[16:, 24:] = 7, 20
    files = {"images/a.png": PNG, "labels/a.png": saved(Image.fromarray(mask), "PNG")}
    made = created(tmp_path, files)
    assert made.classes == ("background", "class 7", "class 20")
    found = own.read(tmp_path, made, side=32).masks
    assert found is not None and np.array_equal(np.unique(found[0]), [0, 1, 2])


def test_black_and_white_masks_are_background_and_object(tmp_path: Path) -> None:
    mask = np.zeros((32, 48), np.uint8)
    mask[8:24, 12:36] = 255
    made = created(tmp_path, {"images/a.png": PNG, "masks/a.png": saved(Image.fromarray(mask), "PNG")})
    assert made.classes == ("background", "object") and made.notes == ()
    assert made.pixel_shares == pytest.approx((0.75, 0.25))
    smooth = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (32, 1))
    made = created(tmp_path, {"images/a.png": PNG, "masks/a.png": saved(Image.fromarray(smooth), "PNG")})
    assert made.classes == ("background", "object") and "smooth edges" in made.notes[0]
    assert made.pixel_shares == pytest.approx((0.5, 0.5))


def photo(number: int, kind: str = "PNG", mode: str = "RGB") -> bytes:
    """A picture with shades, each number another one."""
    noise = np.random.default_rng(number).normal(128, 40, (12, 12, 3)).clip(0, 255).astype(np.uint8)
    smooth = Image.fromarray(noise).resize((64, 48), Image.Resampling.BICUBIC)
    return saved(smooth.convert(mode), kind)


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("PNG", "RGBA"), ("JPEG", "L"), ("PNG", "L")]
)
def test_pictures_in_folders_named_images_and_masks_are_two_classes(tmp_path: Path, kind: str, mode: str) -> None:
    ending = "jpg" if kind == "JPEG" else "png"
    files = {
        f"{folder}/{number}.{ending}": photo(number + start, kind, mode)
        for folder, start in (("images", 0), ("masks", 50))
        for number in range(4)
    }
    made = created(tmp_path, files)
    assert made.kinds == ("classes", "pictures") and made.counts() == {"images": 4, "masks": 4}
    assert "images and masks were taken as classes" in made.decided and is_one_sentence(made.decided)


def test_the_visitor_can_say_what_folders_named_images_and_masks_are(tmp_path: Path) -> None:
    files = scenes(2)
    assert created(tmp_path, files).decided == "What lies in masks was taken as the masks of the pictures in images."
    said = created(tmp_path, files, folders="classes")
    assert said.counts() == {"images": 2, "masks": 2} and said.decided == ""
    pictures = {f"{folder}/{n}.jpg": photo(n, "JPEG") for folder in ("images", "masks") for n in range(2)}
    with pytest.raises(SentenceError, match="Its mask: A mask in a JPEG file may have lost its exact values"):
        created(tmp_path, pictures, folders="masks")
    with pytest.raises(SentenceError, match="have no masks"):
        created(tmp_path, folders(cat=2, dog=2), folders="masks")


def test_masks_of_colours_without_numbers_stay_masks_and_are_refused_as_such(tmp_path: Path) -> None:
    mask = np.zeros((32, 48, 3), np.uint8)
    mask[8:20, 10:30], mask[20:, :9] = (128, 0, 0), (0, 128, 0)
    with pytest.raises(SentenceError, match="colours and no palette"):
        created(tmp_path, {"images/a.png": PNG, "masks/a.png": saved(Image.fromarray(mask), "PNG")})


def test_black_and_white_masks_in_jpeg_files_stay_masks_and_are_refused_as_such(tmp_path: Path) -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[16:48, 30:70] = 255
    files = {"images/a.png": saved(Image.fromarray(QUARTERS).resize((96, 64)), "PNG")}
    with pytest.raises(SentenceError, match="JPEG file may have lost its exact values"):
        created(tmp_path, {**files, "masks/a.jpg": saved(Image.fromarray(mask), "JPEG")})


def test_masks_that_do_not_fit_are_named(tmp_path: Path) -> None:
    files = scenes(3)
    files["set/images/lonely.png"] = PNG
    files["set/masks/orphan.png"] = saved(Image.fromarray(QUARTERS[..., 0]), "PNG")
    files["set/masks/0.png"] = saved(Image.new("L", (50, 96)), "PNG")
    files["set/masks/1.png"] = saved(Image.fromarray(QUARTERS), "PNG")
    made = created(tmp_path, files)
    assert len(made.pictures) == 1
    told = dict(made.skipped)
    assert "no mask" in told["set/images/lonely.png"] and "no picture" in told["set/masks/orphan.png"]
    assert "50 × 96 pixels" in told["set/images/0.jpg"] and "palette" in told["set/images/1.jpg"]
    assert all(is_one_sentence(sentence) for sentence in told.values())


def plain_mask(value: int) -> bytes:
    return saved(Image.new("L", (40, 40), value), "PNG")


@pytest.mark.parametrize("around", ["", "set/"])
def test_pictures_of_one_name_in_train_and_test_each_keep_their_own_mask(tmp_path: Path, around: str) -> None:
    shades = {"train": 1, "test": 2}
    files = {f"{around}{split}/images/1.png": coloured("#0a0a0a", (40, 40)) for split in shades}
    files |= {f"{around}{split}/masks/1.png": plain_mask(value) for split, value in shades.items()}
    made = created(tmp_path, {**files, f"{around}test/images/2.png": PNG})
    names = [picture.name for picture in made.pictures]
    assert sorted(names) == [f"{around}test/images/1.png", f"{around}train/images/1.png"]
    masks = own.read(tmp_path, made, side=32).masks
    assert masks is not None
    for name, mask in zip(names, masks, strict=True):
        assert np.unique(mask).tolist() == [2 if "test" in name else 1]
    # A mask of the same name in another split is no mask of it.
    assert [name for name, _ in made.skipped] == [f"{around}test/images/2.png"]
    assert any("test and train were taken together" in note for note in made.notes)


def test_of_two_files_of_one_name_the_second_is_named(tmp_path: Path) -> None:
    files = {"images/a.png": PNG, "images/a.jpg": coloured("#ff0000", kind="JPEG"), "images/b.png": PNG}
    masks = {f"masks/{name}.png": saved(Image.new("L", (48, 32), 1), "PNG") for name in ("a", "a_mask", "b")}
    made = created(tmp_path, {**files, **masks})
    assert sorted(picture.name for picture in made.pictures) == ["images/a.png", "images/b.png"]
    assert sorted(name for name, _ in made.skipped) == ["images/a.jpg", "masks/a_mask.png"]
    assert all("Another file of this name" in told and is_one_sentence(told) for _, told in made.skipped)


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_a_mask_is_fitted_as_its_picture_is(tmp_path: Path, fit: own.Fit) -> None:
    yy, xx = np.mgrid[:150, :260]
    disc = ((xx - 140) ** 2 + (yy - 70) ** 2 < 50**2).astype(np.uint8)
    files = {
        "images/a.png": saved(Image.fromarray(np.repeat(disc[..., None] * 255, 3, axis=2)), "PNG"),
        "masks/a.png": saved(Image.fromarray(disc), "PNG"),
    }
    pictures = own.read(tmp_path, created(tmp_path, files), side=64, fit=fit)
    assert pictures.masks is not None
    seen, mask = pictures.pixels[0, ..., 0] > 190, pictures.masks[0] > 0
    assert (seen & mask).sum() / (seen | mask).sum() > 0.93


def test_masks_are_no_classes_and_classes_no_masks(tmp_path: Path) -> None:
    masks, classes = created(tmp_path, scenes()), created(tmp_path, folders(a=3, b=3))
    listener = Listener(tmp_path)
    with pytest.raises(SentenceError, match="no classes"):
        load({"source": "own", "id": masks.id}, seed=0, context=listener)
    with pytest.raises(SentenceError, match="no masks"):
        load({"source": "own", "id": classes.id}, seed=0, context=listener, kind="masks")
    divided = load({"source": "own", "id": masks.id, "validation_share": 0.5}, seed=0, context=listener, kind="masks")
    assert len(divided.training) == len(divided.validation) == 2 and divided.training.masks is not None


# --- hostile files ---


def test_broken_files_cost_a_sentence_each(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a/link.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    hostile = [
        ("a/text.png", b"This is a text that somebody called a picture."),
        ("a/cut.png", PNG[:60]),
        ("a/empty.png", b""),
        ("a/inner.zip", zipped({"cat/1.png": PNG})),
        ("a/zeros.png", bytes(60 * 2**20)),
        ("a/huge.png", png(60_000, 60_000, 8, 2, b"")),
        (link, b"/etc/passwd"),
    ]
    made = created(tmp_path, [*folders(a=2, b=2).items(), *hostile])
    assert made.counts() == {"a": 2, "b": 2} and made.skipped_count == len(hostile)
    assert all(is_one_sentence(sentence) for _, sentence in made.skipped)
    data = bytearray(zipped(folders(a=2, b=2)))
    at = data.index(b"PK\1\2")
    data[at + 8] |= 1  # encrypted
    assert "password" in created(tmp_path, bytes(data)).skipped[0][1]


@pytest.mark.parametrize("name", sorted(BOMBS)[::4])
def test_picture_bombs_are_skipped(tmp_path: Path, name: str) -> None:
    made = created(tmp_path, {**folders(a=1, b=1), "a/bomb": BOMBS[name]()})
    assert len(made.pictures) == 2 and is_one_sentence(made.skipped[0][1])


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (zipped({"[Content_Types].xml": b"<xml/>", "word/media/image1.png": PNG}), "Office"),
        (zipped({"a/": b""}), "empty"),
        (b"PK\3\4" + bytes(500), "damaged"),
        (zipped({"a/1.png": b"nothing", "b/1.png": b"nothing"}), "None of these files"),
        (zipped([(f"a/{number}", b"") for number in range(1009)]), "far more than the 2 pictures"),
    ],
)
def test_a_zip_of_which_nothing_comes_ends_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, data: bytes, word: str
) -> None:
    with pytest.raises(SentenceError, match=word):
        created(tmp_path, data, settings=Settings(data_pictures=2))
    assert list(own.data_folder(tmp_path, "anna").glob("*")) == []


def test_nothing_is_written_but_the_data_set(tmp_path: Path) -> None:
    names = ["../../evil.png", "/etc/passwd.png", "..\\..\\up.png", "a/../../../b.png", "C:\\Windows\\win.png"]
    made = created(tmp_path / "runs", {f"x/{name}": PNG for name in names})
    everything = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    inside = f"{(own.data_folder(tmp_path / 'runs', 'anna') / made.id).relative_to(tmp_path).as_posix()}/"
    assert everything == {f"{inside}{each.file}" for each in made.pictures} | {f"{inside}pictures.json"}
    # What lies in no folder once its path is made harmless is not taken.
    assert sorted(each.name for each in made.pictures) == ["x/C:/Windows/win.png", "x/a/b.png", "x/etc/passwd.png"]


def test_random_damage_ends_in_a_data_set_or_a_sentence(tmp_path: Path) -> None:
    whole = zipped(folders(a=2, b=2))
    chance = np.random.default_rng(1)
    for number in range(60):
        data = bytearray(whole)
        for at in chance.integers(4, len(data), 4):
            data[at] = chance.integers(0, 256)
        try:
            made = created(tmp_path, bytes(data), owner=f"visitor {number}")
        except SentenceError as error:
            assert str(error).endswith(".")
        else:
            own.read(tmp_path, made, side=32)
    assert not list((tmp_path / own.DATA).glob("*/.*"))


# --- limits ---


def test_a_limit_cuts_all_classes_alike(tmp_path: Path) -> None:
    made = created(tmp_path, folders(a=20, b=20, c=3), settings=Settings(data_pictures=12))
    assert made.counts() == {"a": 5, "b": 4, "c": 3}
    assert "at most 12 pictures, so 31 more were left out, from all classes alike" in made.notes[0]


def test_broken_files_take_no_place(tmp_path: Path) -> None:
    broken = {f"a/{number}.txt": b"words" for number in range(30)}
    assert len(created(tmp_path, {**broken, **folders(b=4, c=4)}, settings=Settings(data_pictures=8)).pictures) == 8


def test_there_is_a_limit_to_bytes_too(tmp_path: Path) -> None:
    small = Settings(data_megabytes=1)
    with pytest.raises(SentenceError, match="limit is 1 MB"):
        created(tmp_path, {"a/1.png": PNG, "a/2.bin": os.urandom(2**20)}, settings=small)
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    heavy = saved(Image.fromarray(np.kron(noise, np.ones((5, 5, 1), np.uint8))), "PNG")
    files = {f"{name}/{number}.png": heavy for name in "ab" for number in range(25)}
    made = created(tmp_path, files, settings=small)
    assert made.nbytes < 1.1 * 2**20 and "room for 1 MB" in made.notes[0]
    assert abs(made.counts()["a"] - made.counts()["b"]) <= 1


def test_a_visitor_keeps_so_many_sets(tmp_path: Path) -> None:
    for _ in range(own.MOST_SETS):
        created(tmp_path, folders(a=1, b=1))
    with pytest.raises(SentenceError, match="delete one first"):
        created(tmp_path, folders(a=1, b=1))
    created(tmp_path, folders(a=1, b=1), owner="bob")
    own.delete(tmp_path, own.mine(tmp_path, "anna")[0].id, "anna")
    created(tmp_path, folders(a=1, b=1))


def test_many_pictures_of_a_large_size_are_refused_before_they_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "MOST_BYTES_IN_MEMORY", 20_000)
    made = created(tmp_path, folders(a=2, b=2))
    with pytest.raises(SentenceError, match="smaller size"):
        own.read(tmp_path, made, side=64)


# --- whose they are, and what becomes of them ---


def test_nobody_else_sees_reads_or_deletes_them(tmp_path: Path) -> None:
    made = created(tmp_path, folders(a=4, b=4))
    data = {"source": "own", "id": made.id}
    assert [each.id for each in own.mine(tmp_path, "anna")] == [made.id] and own.mine(tmp_path, "bob") == []
    attempts = [
        lambda: own.describe(tmp_path, made.id, "bob"),
        lambda: own.describe(tmp_path, made.id, ""),
        lambda: own.delete(tmp_path, made.id, "bob"),
        lambda: load(data, seed=0, context=Listener(tmp_path, owner="bob")),
        lambda: overview(data, seed=0, root=tmp_path, owner="bob"),
    ]
    for attempt in attempts:
        with pytest.raises(SentenceError) as refused:
            attempt()
        assert str(refused.value) == own.NO_SUCH_SET  # nor that there is one
    with pytest.raises(SentenceError, match="owner"):
        load(data, seed=0)
    assert len(load(data, seed=0, context=Listener(tmp_path)).training) == 6


def test_data_sets_are_no_runs(tmp_path: Path) -> None:
    created(tmp_path, folders(a=1, b=1))
    found = listing(tmp_path)
    assert found.runs == () and found.broken == ()


@pytest.mark.parametrize("name", ["", "..", "../runs", "20260101-000000-0123456789abcde/", "x" * 10_000, None, 7])
def test_an_id_is_no_path(tmp_path: Path, name: str) -> None:
    created(tmp_path, folders(a=1, b=1))
    with pytest.raises(SentenceError):
        own.describe(tmp_path, name, "anna")


def test_a_set_without_an_owner_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SentenceError, match="visitor"):
        created(tmp_path, folders(a=1, b=1), owner="")


def test_giving_up_or_failing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    with pytest.raises(Stopped):
        created(tmp_path, folders(a=5, b=5), report=lambda *words: seen.append(words), stopped=lambda: len(seen) > 3)
    assert seen[-1] == (3, 10) and list(own.data_folder(tmp_path, "anna").glob("*")) == []
    monkeypatch.setattr(own, "_small", lambda image: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        created(tmp_path, folders(a=5, b=5))
    assert list(own.data_folder(tmp_path, "anna").glob("*")) == [] and own.mine(tmp_path, "anna") == []


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*words: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own, "_write", full)
    with pytest.raises(SentenceError, match="disk"):
        created(tmp_path, folders(a=1, b=1))


def test_a_damaged_description_is_no_data_set(tmp_path: Path) -> None:
    made = created(tmp_path, folders(a=1, b=1))
    path = own.data_folder(tmp_path, "anna") / made.id / own.ABOUT
    content = json.loads(path.read_text())
    content["pictures"][0]["file"] = "../../secret.png"
    path.write_text(json.dumps(content))
    assert own.mine(tmp_path, "anna") == []


def test_a_set_deleted_meanwhile_is_missed_in_a_sentence(tmp_path: Path) -> None:
    made = created(tmp_path, folders(a=2, b=2))
    own.delete(tmp_path, made.id, "anna")
    assert own.mine(tmp_path, "anna") == [] and list(own.data_folder(tmp_path, "anna").glob("*")) == []
    with pytest.raises(SentenceError, match="deleted"):
        own.read(tmp_path, made, side=32)


def test_old_sets_go_with_the_old_runs_and_used_ones_stay(tmp_path: Path) -> None:
    old, used = (created(tmp_path, folders(a=2, b=2)) for _ in range(2))
    half = own.data_folder(tmp_path, "anna") / f"{own.MAKING}x"
    half.mkdir()
    long_ago = time.time() - 40 * 86_400
    for folder in (own.data_folder(tmp_path, "anna") / old.id, own.data_folder(tmp_path, "anna") / used.id, half):
        os.utime(folder, (long_ago, long_ago))
    own.read(tmp_path, used, side=32)
    assert cleaning.clean(tmp_path, days=30) == []  # no runs
    assert [each.id for each in own.mine(tmp_path, "anna")] == [used.id] and not half.exists()


def test_a_run_reads_them_again_in_the_same_order(tmp_path: Path) -> None:
    made = created(tmp_path, {**folders(a=8, b=8), "a/broken.png": b"words"})
    first, again = (
        load({"source": "own", "id": made.id, "side": 48}, seed=3, context=Listener(tmp_path)) for _ in range(2)
    )
    assert first.training.names == again.training.names
    assert np.array_equal(first.validation.pixels, again.validation.pixels)
    assert first.notes == ("1 file was skipped, a/broken.png: " + made.skipped[0][1],)


def test_the_page_sees_classes_and_counts_before_the_run(tmp_path: Path) -> None:
    made = created(tmp_path, folders(a=10, b=5))
    shown = overview({"source": "own", "id": made.id, "side": 32}, seed=0, n=2, root=tmp_path, owner="anna")
    assert shown.training == {"a": 8, "b": 4} and shown.validation == {"a": 2, "b": 1}
    assert shown.of_class(0).shape == (2, 32, 32, 3) and tuple(shown.of_class(1)[0, 5, 5]) == (0, 255, 0)
