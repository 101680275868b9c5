"""One picture per session: chosen, bound to the link, carried along, and never invented."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.interface.current_picture import plain
from explorer.interface.picture_picker import another, webcam_allowed
from explorer.pictures.sources import DEFAULT_SOURCE, resolve


def page() -> None:
    import streamlit as st

    from explorer.interface.current_picture import bind_to_link
    from explorer.interface.picture_picker import current_picture, picture_controls

    bind_to_link()
    picture_controls("page")
    picture_controls("page", second=True)
    first, second = current_picture("page"), current_picture("page", second=True)
    st.session_state.seen = [None if picture is None else picture.source for picture in (first, second)]
    st.session_state.shape = None if first is None else first.pixels.shape


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(page, default_timeout=20)


def jpeg(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def give(app: AppTest, name: str, data: bytes, slot: str = "picture") -> AppTest:
    app.session_state[f"page_{slot}_kind"] = "upload"
    app.run()
    uploader = next(field for field in app.file_uploader if field.key.startswith(f"page_{slot}_upload"))
    uploader.upload(name, data)
    return app.run()


def test_the_first_visit_shows_the_drawn_default(app):
    app.run()
    assert not app.exception
    assert app.session_state.seen == [DEFAULT_SOURCE, None]
    assert "picture" not in app.query_params


def test_a_link_brings_its_pictures(app):
    app.query_params["picture"] = "drawn:fish:12"
    app.query_params["picture2"] = "sample:coffee"
    app.run()
    assert app.session_state.seen == ["drawn:fish:12", "sample:coffee"]


@pytest.mark.parametrize(
    "nonsense",
    ["drawn:dragon:1", "drawn:cat:-1", "drawn:cat:99999", "sample:../../etc/passwd", "x", "~", "😀"],
)
def test_a_link_that_makes_no_sense_says_so_and_shows_the_default(app, nonsense):
    app.query_params["picture"] = nonsense
    app.run()
    assert not app.exception
    assert app.session_state.seen == [DEFAULT_SOURCE, None]
    assert len(app.warning) == (0 if nonsense == "~" else 1)


def test_choosing_a_class_changes_picture_and_link(app):
    app.run()
    app.pills(key="page_picture_class").set_value("umbrella").run()
    assert app.session_state.seen[0].startswith("drawn:umbrella:")
    assert app.query_params["picture"] == app.session_state.seen[0]


def test_another_one_is_of_the_same_kind_and_never_the_same():
    for source in ("drawn:cat:0", "drawn:cat:9999", "scene:17"):
        others = {another(source) for _ in range(300)}
        assert source not in others
        assert len(others) > 250
        assert all(other.rpartition(":")[0] == source.rpartition(":")[0] for other in others)
        assert all(0 <= int(other.rpartition(":")[2]) <= 9999 for other in others)


@pytest.mark.parametrize("source", ["drawn:cat:3:5000001:unseen", "scene:3:5000000:plain:10"])
def test_another_picture_of_a_training_run_is_of_the_same_world(source):
    other = another(source)
    assert other != source and resolve(other).source == other
    assert other.split(":")[-2:] == source.split(":")[-2:]


def test_the_second_picture_comes_and_goes(app):
    app.query_params["picture2"] = "scene:4"
    app.run()
    assert app.session_state.seen[1] == "scene:4"
    app.button(key="page_picture2_none").click().run()
    assert app.session_state.seen[1] is None
    assert "picture2" not in app.query_params


def test_an_upload_becomes_current_reduced_and_its_name_stands_in_the_link(app):
    give(app, "my holiday.jpg", jpeg(1600, 1200))
    assert not app.exception
    source = app.session_state.seen[0]
    assert source.startswith("upload:")
    assert app.session_state.shape == (768, 1024, 3)
    assert app.query_params["picture"] == f"{source}~my holiday.jpg"


def test_the_bytes_of_an_upload_are_let_go(app, monkeypatch):
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

    removed: list[str] = []
    real = MemoryUploadedFileManager.remove_file

    def remove(self, session_id, file_id):
        removed.append(file_id)
        real(self, session_id, file_id)

    monkeypatch.setattr(MemoryUploadedFileManager, "remove_file", remove)
    give(app, "a.jpg", jpeg(64, 48))
    assert len(removed) == 1


def test_a_file_that_is_no_picture_leaves_the_one_before(app):
    app.query_params["picture"] = "drawn:key:7"
    give(app, "photo.png", b"dear diary")
    assert not app.exception
    assert app.session_state.seen[0] == "drawn:key:7"
    assert len(app.error) == 1
    assert "text" in app.error[0].value
    app.button(key="page_picture_another").click().run()
    assert not app.error, "the complaint ends with the next choice"


@pytest.mark.slow
def test_a_session_holds_only_a_few_uploads(app):
    for side in range(40, 47):
        give(app, f"{side}.jpg", jpeg(side, side))
    held = app.session_state["_held_pictures"]
    assert len(held) <= 3
    assert app.session_state.seen[0] in held


def test_an_upload_that_the_session_lacks_is_asked_for_by_name(app):
    app.query_params["picture"] = f"upload:{'ab' * 32}~my [holiday].jpg"
    app.run()
    assert app.session_state.seen[0] is None
    assert plain("my [holiday].jpg") in app.warning[0].value
    app.button(key="page_picture_without").click().run()
    assert app.session_state.seen[0] == DEFAULT_SOURCE


def test_file_names_are_shown_letter_by_letter():
    assert plain("**a** [b](http://c) :red[d]\n$e$") == (r"\*\*a\*\* \[b\]\(http\://c\) \:red\[d\] \$e\$")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:8501/", True),
        ("http://127.0.0.1:8501/x", True),
        ("http://[::1]:8501/", True),
        ("https://lab.example.org/", True),
        ("http://lab.example.org/", False),
        ("http://192.168.0.4:8501/", False),
        (None, True),
    ],
)
def test_browsers_give_a_webcam_only_to_secure_pages(url, allowed):
    assert webcam_allowed(url) is allowed


def test_without_a_secure_page_the_webcam_is_explained(app):
    app.context = {"url": "http://192.168.0.4:8501/"}
    app.run()
    app.session_state["page_picture_kind"] = "webcam"
    app.run()
    assert any("HTTPS" in note.value for note in app.info)
    assert not app.camera_input


def test_a_webcam_shot_becomes_current(app):
    app.run()
    app.session_state["page_picture_kind"] = "webcam"
    app.run()
    app.camera_input[0].upload("shot.jpg", jpeg(320, 240))
    app.run()
    assert not app.exception
    assert app.session_state.seen[0].startswith("webcam:")
