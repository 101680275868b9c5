"""Every knob of a deployment, typed, read from the environment (`CNN_EXPLORER_…`)."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_weights_folder() -> Path:
    """Return the folder for downloaded weights where this system keeps caches.

    Linux and others follow the XDG base directory specification (`$XDG_CACHE_HOME`, else `~/.cache`),
    macOS uses `~/Library/Caches` and Windows `%LOCALAPPDATA%`.
    """
    home = Path.home()
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = home / "Library" / "Caches"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return root / "cnn-explorer" / "weights"


class Settings(BaseSettings):
    """The settings of one installation; each field `x` is set by the variable `CNN_EXPLORER_X`."""

    model_config = SettingsConfigDict(env_prefix="CNN_EXPLORER_", env_ignore_empty=True, frozen=True)

    weights_folder: Path = Field(
        default_factory=default_weights_folder, description="Where downloaded ImageNet weights are kept"
    )
    allow_downloads: bool = Field(default=True, description="May visitors download ImageNet weights?")
    upload_megabytes: int = Field(
        default=40, ge=1, le=1000, description="Largest file that a visitor may upload, in MB"
    )
    upload_megapixels: int = Field(
        default=64, ge=1, le=1000, description="Largest picture that is decoded, in megapixels"
    )
    picture_side: int = Field(
        default=1024, ge=64, le=8192, description="Longest side, in pixels, at which a picture is kept"
    )
    network_cache_megabytes: int = Field(
        default=1500, ge=64, description="How much memory a worker uses for loaded networks, in MB"
    )
    cluster_address: str | None = Field(
        default=None,
        description="Address of an existing Dask cluster; without one the app starts its own workers",
    )
    worker_memory_megabytes: int | None = Field(
        default=None, ge=256, description="A worker above this is restarted, in MB; unset: no limit"
    )
    worker_threads: int | None = Field(
        default=None, ge=1, description="Threads that one worker computes with; unset: all cores"
    )
    warm_network: str = Field(default="drawn_plain", description="Network that is loaded before the first visitor asks")

    @field_validator("weights_folder")
    @classmethod
    def _expand_home(cls, folder: Path) -> Path:
        return folder.expanduser()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process, read from the environment at the first call."""
    return Settings()
