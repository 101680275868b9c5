"""Settings come from the environment, have sane defaults, and refuse nonsense."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from explorer.settings import Settings, default_weights_folder


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("CNN_EXPLORER_"):
            monkeypatch.delenv(name)


def test_nothing_needs_to_be_set():
    settings = Settings()
    assert (settings.upload_megabytes, settings.upload_megapixels, settings.picture_side) == (40, 64, 1024)
    assert settings.cluster_address is None
    assert settings.weights_folder == default_weights_folder()


def test_a_variable_sets_its_field(monkeypatch):
    monkeypatch.setenv("CNN_EXPLORER_UPLOAD_MEGABYTES", "7")
    monkeypatch.setenv("CNN_EXPLORER_WEIGHTS_FOLDER", "~/weights")
    monkeypatch.setenv("CNN_EXPLORER_ALLOW_DOWNLOADS", "no")
    settings = Settings()
    assert settings.upload_megabytes == 7
    assert settings.weights_folder == Path.home() / "weights"
    assert settings.allow_downloads is False


def test_an_empty_variable_is_as_good_as_none(monkeypatch):
    monkeypatch.setenv("CNN_EXPLORER_CLUSTER_ADDRESS", "")
    assert Settings().cluster_address is None


def test_nonsense_is_refused(monkeypatch):
    monkeypatch.setenv("CNN_EXPLORER_UPLOAD_MEGABYTES", "0")
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [
        ("linux", "XDG_CACHE_HOME", ()),
        ("win32", "LOCALAPPDATA", ()),
        ("darwin", None, ("Library", "Caches")),
    ],
)
def test_weights_lie_where_the_system_keeps_caches(monkeypatch, tmp_path, platform, variable, tail):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    assert default_weights_folder() == tmp_path.joinpath(*tail, "cnn-explorer", "weights")


def test_every_field_stands_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"CNN_EXPLORER_{name.upper()}" not in readme]
    assert not missing


def test_streamlit_takes_uploads_as_large_as_the_app_does():
    import tomllib

    config = tomllib.loads((Path(__file__).parents[1] / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] == Settings().upload_megabytes
