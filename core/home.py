"""Where the program keeps what must outlive it: runs, imported pictures, downloaded data."""

import os
import sys
from pathlib import Path


def atlas_home() -> Path:
    """The folder named by ``ATLAS_HOME``, else the user's data folder of this system; made when missing."""
    named = os.environ.get("ATLAS_HOME")
    home = Path(named).expanduser().resolve() if named else _user_data_folder() / "concept-atlas"
    home.mkdir(parents=True, exist_ok=True)
    return home


def cache_folder() -> Path:
    """For what can be made again at any time, and so may be removed at any time; made when missing."""
    folder = atlas_home() / "cache"
    folder.mkdir(exist_ok=True)
    return folder


def _user_data_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local")))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share")))
