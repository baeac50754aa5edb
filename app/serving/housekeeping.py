"""What the server does by itself: it ends the sessions of browsers that are gone, and gives their memory back.

Streamlit keeps a session for two minutes (``server.disconnectedSessionTTL``) after its browser is gone, so that a
laptop that was closed finds its page again. It forgets an older one only when yet another browser leaves, and what it
held, uploads included, is freed by some later garbage collection: after the last student has left, by none.
"""

import asyncio
import contextlib
import ctypes
import gc
from typing import Any

from streamlit import config, runtime


async def keep_house() -> None:
    """Look four times within the time that a session is kept."""
    while True:
        await asyncio.sleep(config.get_option("server.disconnectedSessionTTL") / 4)
        if end_expired_sessions():
            gc.collect()
            give_memory_back()


def end_expired_sessions() -> int:
    """End the sessions that nobody may come back to any more; how many. To be called in the server's event loop."""
    manager: Any = runtime.get_instance()._session_mgr
    expired = manager._session_storage._cache.expire()  # there is no public way to ask for them
    for _id, info in expired:
        info.session.shutdown()
    return len(expired)


def give_memory_back() -> None:
    """Have the C library (glibc) return what it keeps for later; others do it by themselves or not at all."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
