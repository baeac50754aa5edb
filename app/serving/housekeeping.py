"""What the server does by itself: it ends the sessions of browsers that are gone, and gives their memory back.

Streamlit keeps a session for two minutes (``server.disconnectedSessionTTL``) after its browser is gone, so that a
laptop that was closed finds its page again. It forgets an older one only when yet another browser leaves, and what it
held, uploads included, is freed by some later garbage collection: after the last student has left, by none.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

from streamlit import config, runtime

from core.machine import give_back_freed_memory


async def keep_house(note_error: Callable[[Exception], None]) -> None:
    """Look four times within the time that a session is kept; what goes wrong once is noted, and does not end it."""
    while True:
        await asyncio.sleep(config.get_option("server.disconnectedSessionTTL") / 4)
        try:
            if end_expired_sessions():
                gc.collect()
                give_back_freed_memory()
        except Exception as error:
            note_error(error)


def end_expired_sessions() -> int:
    """End the sessions that nobody may come back to any more; how many. To be called in the server's event loop."""
    manager: Any = runtime.get_instance()._session_mgr
    expired = manager._session_storage._cache.expire()  # there is no public way to ask for them
    for _id, info in expired:
        info.session.shutdown()
    return len(expired)
