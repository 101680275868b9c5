"""Settings come from the environment, have sane defaults, and refuse nonsense."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from explorer.settings import Settings, default_runs_folder, default_weights_folder


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


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [
        ("linux", "XDG_DATA_HOME", ()),
        ("linux", None, (".local", "share")),
        ("win32", "LOCALAPPDATA", ()),
        ("darwin", None, ("Library", "Application Support")),
    ],
)
def test_runs_lie_where_the_system_keeps_data(monkeypatch, tmp_path, platform, variable, tail):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
    assert default_runs_folder() == tmp_path.joinpath(*tail, "cnn-explorer", "runs")
    assert default_runs_folder() != default_weights_folder()


def test_runs_have_limits_unless_they_are_lifted(monkeypatch):
    settings = Settings()
    limits = settings.runs_waiting_limit, settings.runs_running_limit, settings.runs_at_a_time, settings.runs_seconds
    assert limits == (3, 1, 1, 3600)
    assert settings.runs_memory_megabytes is None
    assert (settings.runs_keep_days, settings.runs_keep_megabytes) == (30, 20_000)
    assert (settings.data_megabytes, settings.data_pictures) == (500, 5000)
    assert settings.runs_show_all is False
    for name in ("RUNS_WAITING_LIMIT", "RUNS_RUNNING_LIMIT", "RUNS_AT_A_TIME", "RUNS_SECONDS", "DATA_MEGABYTES"):
        monkeypatch.setenv(f"CNN_EXPLORER_{name}", "0")
        with pytest.raises(ValidationError, match=name.lower()):
            Settings()
        monkeypatch.delenv(f"CNN_EXPLORER_{name}")


@pytest.mark.parametrize(
    ("text", "value"), [("auto", "auto"), ("true", True), ("no", False), ("1", True), ("True", True), ("", "auto")]
)
def test_a_process_stands_by_always_never_or_where_there_is_memory(monkeypatch, text, value):
    monkeypatch.setenv("CNN_EXPLORER_RUNS_STANDBY", text)
    assert Settings().runs_standby == value
    monkeypatch.setenv("CNN_EXPLORER_RUNS_STANDBY", "perhaps")
    with pytest.raises(ValidationError):
        Settings()


def test_the_runs_folder_is_the_same_from_everywhere(monkeypatch):
    monkeypatch.setenv("CNN_EXPLORER_RUNS_FOLDER", "somewhere")
    assert Settings().runs_folder == Path.cwd() / "somewhere"


def test_every_field_stands_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"CNN_EXPLORER_{name.upper()}" not in readme]
    assert not missing


def test_streamlit_takes_uploads_as_large_as_the_app_does():
    import tomllib

    config = tomllib.loads((Path(__file__).parents[1] / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] == Settings().upload_megabytes
