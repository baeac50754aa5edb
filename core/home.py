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


def _user_data_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home() / "AppData" / "Local")))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local" / "share")))
