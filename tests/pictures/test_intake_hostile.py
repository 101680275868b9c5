"""Files made to hurt end in one sentence: at once, in little memory, with no error but a PictureError."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from explorer.pictures import intake
from explorer.pictures.headers import TRUNCATED, exif_orientation, read_header
from explorer.pictures.intake import decode
from explorer.pictures.picture import PictureError
from explorer.settings import Settings
from tests.pictures.made_files import BOMBS, HARMLESS_BOMBS, QUARTERS, files_of_every_kind, png, saved

FILES = files_of_every_kind()

# Runs in a process of its own: a decoder that crashes, hangs or takes gigabytes is then seen as that.
FUZZ = """
import json, sys, time
import numpy as np
from explorer.pictures.intake import decode
from explorer.pictures.picture import PictureError
from tests.pictures.made_files import files_of_every_kind

chance = np.random.default_rng(7)
escaped, slowest, runs = [], 0.0, 0

def attempt(name, data):
    global slowest, runs
    began = time.thread_time()
    try:
        decode(data)
    except PictureError as error:
        text = str(error)
        if not (20 < len(text) < 250 and text.endswith(".") and text[0].isupper()):
            escaped.append([name, "odd sentence", text])
    except BaseException as error:
        escaped.append([name, type(error).__name__, str(error)])
    slowest, runs = max(slowest, time.thread_time() - began), runs + 1

for name, file in files_of_every_kind().items():
    for length in np.unique(np.linspace(0, len(file) - 1, 30).astype(int)):
        attempt(name, file[:length])
    for turn in range(120):
        broken = bytearray(file)
        reach = len(broken) if turn % 2 else min(len(broken), 400)
        for place in chance.integers(0, reach, chance.integers(1, 8)):
            broken[place] = chance.integers(0, 256)
        attempt(name, bytes(broken))
    attempt(name, chance.bytes(12) + file[12:])
    attempt(name, file[:16] + chance.bytes(500))

peak = None
if sys.platform == "linux":
    peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
print(json.dumps({"escaped": escaped[:9], "slowest": slowest, "runs": runs, "peak": peak}))
"""

MEMORY = """
import json, sys
from explorer.pictures.intake import decode
from explorer.pictures.picture import PictureError
from tests.pictures.made_files import BOMBS, HARMLESS_BOMBS

def used(what):
    return int(open("/proc/self/status").read().split(what)[1].split()[0]) / 1024

grown = {}
for name, make in {**BOMBS, **HARMLESS_BOMBS}.items():
    data = make()
    open("/proc/self/clear_refs", "w").write("5")
    before = used("VmRSS:")
    try:
        decode(data)
    except PictureError:
        pass
    grown[name] = used("VmHWM:") - before
print(json.dumps(grown))
"""


def in_its_own_process(program: str, seconds: float):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_cut_and_damaged_files_raise_nothing_but_a_picture_error():
    outcome = in_its_own_process(FUZZ, 170)
    assert outcome["escaped"] == []
    assert outcome["runs"] > 3500
    assert outcome["slowest"] < 5
    assert outcome["peak"] is None or outcome["peak"] < 1500


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name):
    bomb = BOMBS[name]()
    assert len(bomb) < 40 * 2**20
    began = time.thread_time()
    with pytest.raises(PictureError):
        decode(bomb)
    assert time.thread_time() - began < 2


@pytest.mark.parametrize("name", HARMLESS_BOMBS)
def test_a_bomb_beside_the_pixels_is_not_even_unpacked(name):
    bomb = HARMLESS_BOMBS[name]()
    began = time.thread_time()
    assert decode(bomb).pixels.tolist() == [[[1, 2, 3]]]
    assert time.thread_time() - began < 1


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_no_bomb_takes_memory():
    # Joining the parts that are kept of a 40 MB file is the most that any may cost.
    assert max(in_its_own_process(MEMORY, 170).values()) < 60


@pytest.mark.parametrize("name", sorted(set(FILES) - {"GIF animated", "TIFF pages"}))
def test_a_file_cut_in_half_is_refused(name):
    with pytest.raises(PictureError):
        decode(FILES[name][: len(FILES[name]) // 2])


@pytest.mark.parametrize("name", ["GIF animated", "TIFF pages"])
def test_a_file_cut_behind_its_first_frame_shows_that_frame(name):
    whole = decode(FILES[name])
    assert np.array_equal(decode(FILES[name][: len(FILES[name]) // 2]).pixels, whole.pixels)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WebP", "BMP", "TIFF", "HEIC", "AVIF"])
def test_a_file_that_was_cut_off_is_told_from_a_damaged_one(name):
    with pytest.raises(PictureError) as caught:
        decode(FILES[name][: int(len(FILES[name]) * 0.8)])
    assert str(caught.value) == TRUNCATED


def test_the_pixel_limit_is_checked_before_any_decoder_is_called(monkeypatch):
    monkeypatch.setattr(intake, "_open", lambda *_: pytest.fail("a decoder was called"))
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"):
        from PIL import Image

        file = saved(Image.new("RGB", (1200, 900)), kind)
        with pytest.raises(PictureError, match="1200 × 900 pixels"):
            decode(file, settings=Settings(upload_megapixels=1))


def test_every_jpeg_part_that_an_application_added_is_left_out_before_decoding():
    from PIL import Image

    extra = b"\xff\xe1\0\x0asecret!!" + b"\xff\xfe\0\x0asecret!!" + b"\xff\xed\0\x0asecret!!"
    file = saved(Image.fromarray(QUARTERS), "JPEG")
    header = read_header("JPEG", file[:2] + extra + file[2:])
    assert header.data == file


@pytest.mark.parametrize("name", ["PNG", "GIF"])
def test_comments_are_left_out_before_decoding(name):
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Author", "secret")
    options = {"comment": b"secret"} if name == "GIF" else {"pnginfo": texts}
    file = saved(Image.fromarray(QUARTERS), name, **options)
    assert b"secret" in file and b"secret" not in read_header(name, file).data


def test_exif_nonsense_means_upright():
    chance = np.random.default_rng(3)
    for head in (b"", b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0MM\0*", b"II*\0\x08\0\0\0\xff\xff"):
        for _ in range(200):
            assert exif_orientation(head + chance.bytes(60)) in range(1, 9)
    assert exif_orientation(None) == exif_orientation(b"") == 1


@pytest.mark.parametrize(("side", "most_at_once"), [(6000, 1), (3000, 3), (1000, 12)])
def test_only_so_many_pixels_are_decoded_at_a_time(monkeypatch, side, most_at_once):
    from PIL import Image

    file = saved(Image.new("L", (side, side)), "PNG", compress_level=1)
    inside, most, guard = 0, 0, threading.Lock()

    def counted(image, *_):
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
        time.sleep(0.03)
        with guard:
            inside -= 1
        return Image.new("L", (1, 1)), image.size, ()

    monkeypatch.setattr(intake, "_load_small", counted)
    threads = [threading.Thread(target=decode, args=(file,)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most <= most_at_once
    assert intake._gate._free == intake._PIXELS_AT_ONCE


def test_a_failure_gives_its_room_back():
    for name in ("JPEG", "HEIC", "AVIF"):
        with pytest.raises(PictureError):
            decode(FILES[name][: len(FILES[name]) // 2])
    assert intake._gate._free == intake._PIXELS_AT_ONCE


def test_a_limit_above_that_of_the_decoder_ends_in_a_sentence():
    file = png(20_000, 20_000, 8, 2, b"")
    with pytest.raises(PictureError, match="more pixels than can be decoded"):
        decode(file, settings=Settings(upload_megapixels=1000))


def test_many_visitors_may_upload_at_once():
    results: dict[int, bytes] = {}
    names = list(FILES)

    def visit(number: int) -> None:
        results[number] = decode(FILES[names[number % len(names)]]).pixels.tobytes()

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(3 * len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3 * len(names)
    for number, pixels in results.items():
        assert pixels == results[number % len(names)]
