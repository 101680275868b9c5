"""Many pictures at once: whatever a zip holds, each file of it ends as a picture or as one sentence."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.pictures import archive
from explorer.pictures.archive import BATCH_SIDE, MOST_ENTRIES, MOST_PICTURES, safe_name, take_in, unpack
from explorer.settings import Settings
from tests.pictures.made_files import QUARTERS, png, saved

PNG = saved(Image.fromarray(QUARTERS), "PNG")
SMALL = Settings(upload_megabytes=1)


def zipped(
    files: dict[str, bytes] | list[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as packed:
        for name, content in files.items() if isinstance(files, dict) else files:
            packed.writestr(name, content)
    return target.getvalue()


def is_one_sentence(text: str) -> bool:
    return text.endswith(".") and text.count(". ") == 0 and 20 < len(text) < 220 and "\n" not in text


def test_a_zip_of_pictures_gives_them_in_its_order_by_their_names() -> None:
    made = {f"{name}.png": saved(Image.new("RGB", (8, 6), colour), "PNG") for name, colour in
            (("red", "#ff0000"), ("green", "#00ff00"), ("blue", "#0000ff"))}  # fmt: skip
    found = unpack(zipped(made))
    assert [one.name for one in found] == ["red.png", "green.png", "blue.png"]
    assert [tuple(one.picture.pixels[0, 0]) for one in found if one.picture] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    assert all(one.sentence == "" and one.picture and one.picture.source.startswith("upload:") for one in found)


def test_single_files_and_zips_may_come_together() -> None:
    found = list(take_in([("a.png", PNG), ("more.zip", zipped({"b.png": PNG})), ("c.txt", b"hello there")]))
    assert [one.name for one in found] == ["a.png", "b.png", "c.txt"]
    assert [one.picture is not None for one in found] == [True, True, False]


def test_fifty_pictures_with_three_broken_ones_are_forty_seven_and_three_sentences() -> None:
    files = {f"{number:02}.png": saved(Image.new("RGB", (20, 20), (number, 0, 0)), "PNG") for number in range(50)}
    files["07.png"] = PNG[: len(PNG) // 2]
    files["23.png"] = b"This is a text that somebody called a picture."
    files["41.png"] = b""
    found = unpack(zipped(files))
    assert len(found) == 50
    broken = {one.name: one.sentence for one in found if one.picture is None}
    assert sorted(broken) == ["07.png", "23.png", "41.png"]
    assert all(is_one_sentence(sentence) for sentence in broken.values())
    assert "text file" in broken["23.png"] and "empty" in broken["41.png"]


def test_the_fifty_first_picture_waits_for_the_next_go() -> None:
    found = unpack(zipped([(f"{number}.png", PNG) for number in range(MOST_PICTURES + 3)]))
    assert sum(one.picture is not None for one in found) == MOST_PICTURES
    assert all("At most 50 pictures" in one.sentence and is_one_sentence(one.sentence) for one in found[MOST_PICTURES:])


def test_broken_files_take_no_place_from_the_pictures() -> None:
    files = [(f"{number}.txt", b"words, words") for number in range(10)]
    found = unpack(zipped([*files, *((f"{number}.png", PNG) for number in range(5))]), most=5)
    assert sum(one.picture is not None for one in found) == 5


def test_folders_and_what_systems_leave_behind_are_no_pictures() -> None:
    files = {"photos/": b"", "photos/cat.png": PNG, "__MACOSX/photos/._cat.png": b"\0\5\x16\7"}
    found = unpack(zipped({**files, ".DS_Store": b"x", "photos/Thumbs.db": b"x"}))
    assert [one.name for one in found] == ["cat.png"]


def test_nothing_of_a_path_is_kept_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["../../etc/cron.d/evil.png", "/etc/passwd.png", "C:\\Windows\\win.png", "..\\..\\up.png", "....//a.png"]
    found = unpack(zipped([(name, PNG) for name in names]))
    assert [one.name for one in found] == ["evil.png", "passwd.png", "win.png", "up.png", "a.png"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..", ".", "\u202e\u200b", "\n\t", "/", "a/.."])
def test_a_name_of_nothing_gets_one_of_ours(name: str) -> None:
    assert safe_name(name) == ""
    (found,) = take_in([(name, PNG)])
    assert found.name == "picture 1"


def test_names_are_short_and_without_control_or_direction_characters() -> None:
    assert safe_name("a\0b\x1b[31m\u202egnp.exe") == "ab[31mgnp.exe"
    assert len(safe_name("x" * 60_000)) == 60
    assert safe_name("=cmd|'/c calc'!A1.png") == "c calc'!A1.png"
    assert safe_name("<img src=x onerror=alert(1)>.png") == "<img src=x onerror=alert(1)>.png"


def test_equal_names_are_told_apart_also_where_case_does_not_count() -> None:
    found = list(take_in([("cat.png", PNG), ("a/cat.png", PNG), ("CAT.PNG", PNG), ("cat.png (2)", PNG)]))
    assert len({one.name.casefold() for one in found}) == 4


def test_links_are_not_followed() -> None:
    link = zipfile.ZipInfo("innocent.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    device = zipfile.ZipInfo("device.png")
    device.external_attr = (stat.S_IFCHR | 0o666) << 16
    found = unpack(zipped([(link, b"/etc/passwd"), (device, b""), ("cat.png", PNG)]))
    assert "link" in found[0].sentence and "ordinary" in found[1].sentence
    assert all(is_one_sentence(one.sentence) for one in found[:2])
    assert found[2].picture is not None


def test_archives_inside_are_not_opened() -> None:
    inner = zipped({"cat.png": PNG})
    found = unpack(zipped({"inner.zip": inner, "inner.png": inner, "inner.gz": b"\x1f\x8b\x08" + bytes(40)}))
    assert [one.picture for one in found] == [None] * 3
    assert all("archive" in one.sentence for one in found)


def test_a_locked_file_is_said_to_be_locked() -> None:
    data = bytearray(zipped({"secret.png": PNG, "open.png": PNG}))
    at = data.index(b"PK\1\2")
    data[at + 8] |= 1  # the flag in the table of contents
    found = unpack(bytes(data))
    assert "password" in found[0].sentence and is_one_sentence(found[0].sentence)
    assert found[1].picture is not None


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_that_can_explode_in_one_step_are_not_read(method: int) -> None:
    (found,) = unpack(zipped({"cat.png": PNG}, method))
    assert "ordinary zip" in found.sentence


def test_a_bomb_of_zeros_is_recognised_by_its_first_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped({"zeros.png": bytes(80 * 2**20)})
    assert len(bomb) < 100_000
    unpacked = []
    real = zipfile.ZipExtFile.read

    def counted(file: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
        unpacked.append(len(content := real(file, n)))
        return content

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    tracemalloc.start()
    (found,) = unpack(bomb, settings=Settings(upload_megabytes=1000))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.picture is None and is_one_sentence(found.sentence)
    assert 0 < sum(unpacked) < 10_000 and most < 5_000_000


def test_a_file_that_unpacks_to_more_than_one_may_have_is_refused_before_it_is_unpacked() -> None:
    large = PNG + bytes(3 * 2**20)
    tracemalloc.start()
    (found,) = unpack(zipped({"large.png": large}), settings=SMALL)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "1 MB" in found.sentence and most < 2_000_000


def test_a_size_that_the_zip_lies_about_is_not_believed() -> None:
    data = bytearray(zipped({"liar.png": PNG + bytes(3 * 2**20)}))
    at = data.index(b"PK\1\2")
    data[at + 24 : at + 28] = struct.pack("<I", 1000)  # the unpacked size in the table of contents
    (found,) = unpack(bytes(data), settings=SMALL)
    # No more than it says is unpacked; the checksum then tells.
    assert found.picture is None and "damaged" in found.sentence


def test_all_pictures_together_have_a_limit_too() -> None:
    # Ten megabytes are allowed where one file may have one.
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    heavy = saved(Image.fromarray(noise), "BMP")
    heavy += bytes(900_000 - len(heavy))
    found = unpack(zipped([(f"{number}.bmp", heavy) for number in range(20)]), settings=SMALL)
    good = sum(one.picture is not None for one in found)
    assert good == 10 * 2**20 // 900_000
    assert all("10 MB" in one.sentence and is_one_sentence(one.sentence) for one in found[good + 1 :])


def test_overlapping_entries_end_in_sentences() -> None:
    """One piece of data that many entries point at (Fifield, "A better zip bomb", 2019)."""
    data = zipped({"a.png": PNG})
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry = data[start:end]
    count = 40
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(entry) * count, start, 0)
    found = unpack(data[:start] + entry * count + tail)
    assert len(found) == count
    assert all(one.picture is not None or is_one_sentence(one.sentence) for one in found)


class Counting(io.BytesIO):
    """A file that counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        self.count += len(content := super().read(size))
        return content


def test_a_huge_number_of_entries_is_refused_before_they_are_read() -> None:
    data = zipped({"a.png": PNG})
    start, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entry = data[start:end]
    count = 500_000
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(entry) * count, start, 0)
    file = Counting(data[:start] + entry * count + tail)
    (found,) = archive.look_into([("pictures.zip", file)], room=archive.Room(MOST_PICTURES, 10**9))
    assert found.path == ("pictures.zip",) and is_one_sentence(found.sentence)
    # No more than the end of the file, where a zip says how many entries it has: 64 KB, as a comment may follow.
    assert 0 < file.count < 100_000 < len(entry) * count
    several = unpack(zipped([(f"{number}", b"") for number in range(MOST_ENTRIES + 1)]))
    assert len(several) == 1 and "1,001 entries" in several[0].sentence


def test_an_office_document_is_not_taken_for_a_zip_of_pictures() -> None:
    (found,) = unpack(zipped({"[Content_Types].xml": b"<xml/>", "word/media/image1.png": PNG}), name="essay.docx")
    assert found.name == "essay.docx" and "Office" in found.sentence


@pytest.mark.parametrize("data", [b"PK\3\4", b"PK\5\6" + bytes(18), b"PK\3\4" + bytes(1000), b"PK\5\6" + b"\xff" * 18])
def test_a_damaged_zip_ends_in_one_sentence(data: bytes) -> None:
    (found,) = unpack(data)
    assert found.picture is None and is_one_sentence(found.sentence)


def test_random_damage_never_escapes() -> None:
    whole = zipped({f"{number}.png": PNG for number in range(3)})
    chance = np.random.default_rng(3)
    for _ in range(120):
        data = bytearray(whole)
        for at in chance.integers(4, len(data), 4):
            data[at] = chance.integers(0, 256)
        for one in unpack(bytes(data[: chance.integers(10, len(data) + 1)] if chance.random() < 0.3 else data)):
            assert one.picture is not None or is_one_sentence(one.sentence), one.sentence


def test_a_picture_bomb_inside_a_zip_is_refused_by_its_header() -> None:
    (found,) = unpack(zipped({"huge.png": png(60_000, 60_000, 8, 2, b"")}))
    assert "megapixels" in found.sentence


def test_pictures_of_a_batch_are_kept_small() -> None:
    large = saved(Image.new("RGB", (2000, 1000), "#335577"), "PNG")
    (found,) = unpack(zipped({"large.png": large}))
    assert found.picture is not None and found.picture.pixels.shape == (BATCH_SIDE // 2, BATCH_SIDE, 3)
    assert found.picture.original_size == (1000, 2000)


def test_pictures_are_handed_over_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []
    real = archive.decode
    monkeypatch.setattr(archive, "decode", lambda *a, **k: decoded.append(1) or real(*a, **k))
    coming = take_in([("all.zip", zipped([(f"{number}.png", PNG) for number in range(9)]))])
    next(coming)
    assert len(decoded) == 1


# --- looking without reading ---


def looked_into(files: list, pictures: int = 100) -> list[archive.Packed]:
    return list(archive.look_into(files, room=archive.Room(pictures, 10**9, entries=4000)))


def test_looking_tells_the_folders_and_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_content", lambda *a: pytest.fail("a file was read"))
    found = looked_into([("all.zip", zipped({"pets/cat/1.png": PNG, "pets/dog/../2.png": PNG, "/etc/3.png": PNG}))])
    assert [one.path for one in found] == [("pets", "cat", "1.png"), ("pets", "dog", "2.png"), ("etc", "3.png")]


def test_a_zip_may_be_an_open_file_and_its_entries_are_read_one_by_one_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(zipped({"a/1.png": PNG, "a/2.png": PNG[:-9] + b"otherwise"}))
    with path.open("rb") as file:
        found = looked_into([("all.zip", file)])
        assert found[1].read() == PNG[:-9] + b"otherwise" and found[0].read() == PNG


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_names_survive_also_without_the_flag_that_says_how_they_are_written(encoding: str) -> None:
    name = "猫和狗/小猫.png"
    data = zipped({name.encode(encoding).decode("cp437"): PNG})
    raw = name.encode(encoding)
    written = name.encode(encoding).decode("cp437").encode("utf-8")  # what Python has written, with the flag
    entry = struct.pack("<H", len(raw))
    for signature, at_length, at_flag in ((b"PK\3\4", 26, 6), (b"PK\1\2", 28, 8)):
        at = data.index(signature)
        flags = struct.unpack("<H", data[at + at_flag : at + at_flag + 2])[0] & ~0x800
        data = data[: at + at_flag] + struct.pack("<H", flags) + data[at + at_flag + 2 :]
        data = data[: at + at_length] + entry + data[at + at_length + 2 :]
        data = data.replace(written, raw, 1)
    at = data.index(b"PK\5\6")
    start, size = data.index(b"PK\1\2"), at - data.index(b"PK\1\2")
    data = data[: at + 12] + struct.pack("<LL", size, start) + data[at + 20 :]
    (found,) = looked_into([("all.zip", data)])
    assert found.path == ("猫和狗", "小猫.png") and found.read() == PNG


def test_other_old_names_stay_as_they_are_read() -> None:
    assert looked_into([("all.zip", zipped({"Übung/é.png": PNG}))])[0].path == ("Übung", "é.png")
