"""Every knob of a deployment, typed, read from the environment (`CNN_EXPLORER_…`)."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Literal

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


def default_runs_folder() -> Path:
    """Return the folder for training runs where this system keeps a user's data.

    Linux and others follow the XDG base directory specification (`$XDG_DATA_HOME`, else `~/.local/share`),
    macOS uses `~/Library/Application Support` and Windows `%LOCALAPPDATA%`.
    """
    home = Path.home()
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = home / "Library" / "Application Support"
    else:
        root = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return root / "cnn-explorer" / "runs"


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
    runs_folder: Path = Field(
        default_factory=default_runs_folder,
        description="Where training runs are kept; web processes and workers must all see it at this path",
    )
    runs_waiting_limit: int = Field(default=3, ge=1, description="Training runs of one visitor that may wait")
    runs_running_limit: int = Field(default=1, ge=1, description="Training runs of one visitor at a time")
    runs_at_a_time: int = Field(
        default=1, ge=1, le=256, description="Training runs at a time on the CPU; with GPUs it is one for each"
    )
    runs_seconds: float = Field(default=3600, ge=1, description="How long one training run may take")
    runs_memory_megabytes: int | None = Field(
        default=None, ge=256, description="A training run above this is ended, in MB; unset: no limit"
    )
    runs_keep_days: float = Field(
        default=30,
        ge=0,
        description="Days that a run is kept after its end, and own pictures after they were used last; 0: no limit",
    )
    runs_keep_megabytes: int = Field(
        default=20_000,
        ge=0,
        description="What all runs may take on the disk, in MB; above it the oldest go; 0: no limit",
    )
    runs_standby: Literal["auto"] | bool = Field(
        default="auto", description="Keep a process with Keras ready for the next run? auto: from 8 GB of memory on"
    )
    runs_show_all: bool = Field(
        default=False, description="Show, stop and delete everybody's runs, for everybody who opens this installation"
    )
    data_megabytes: int = Field(default=500, ge=1, description="Largest own data set of a visitor, in MB")
    data_pictures: int = Field(default=5000, ge=2, description="Pictures in an own data set at most")

    @field_validator("weights_folder")
    @classmethod
    def _expand_home(cls, folder: Path) -> Path:
        return folder.expanduser()

    @field_validator("runs_folder")
    @classmethod
    def _anchor(cls, folder: Path) -> Path:
        return folder.expanduser().absolute()  # other processes start elsewhere


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings of this process, read from the environment at the first call."""
    return Settings()
