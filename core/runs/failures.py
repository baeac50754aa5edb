"""What went wrong, as a sentence for whoever presses the buttons. Tracebacks go to the logs."""

import errno

from core.errors import UserError


def too_slow(seconds: float) -> UserError:
    return UserError("This took longer than {seconds} seconds and was stopped.", seconds=round(seconds, 1))


def too_large() -> UserError:
    return UserError("This needed more memory than is allowed and was stopped.")


def ended_unexpectedly() -> UserError:
    return UserError("The background process ended while it worked on this. Try again, or try something smaller.")


def busy() -> UserError:
    return UserError("The machine is busy with the work of others. Try again in a minute.")


# What torch says of it, on a CPU, in its C++ libraries, and where CUDA's libraries allocate for themselves.
_NO_MEMORY = (
    "can't allocate memory", "not enough memory", "std::bad_alloc", "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "MPS backend out of memory", "Cannot allocate memory",
)  # fmt: skip


def out_of_memory(error: BaseException) -> bool:
    """Whether Python, the CPU allocator of torch or a GPU ran out of memory. Knows torch by its words only."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY))
    )


def disk_full(error: BaseException) -> bool:
    """Whether a write found no room: torch, safetensors and SQLite say so in their own ways."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left on device" in str(error) or "disk is full" in str(error)


def training_failed(error: BaseException) -> UserError:
    """Why a run failed, for the student who started it."""
    if isinstance(error, UserError):
        return error
    if out_of_memory(error):
        return UserError("The run needed more memory than there is. Choose a smaller batch, picture size or model.")
    if disk_full(error):
        return UserError("The disk is full. Delete runs that nobody needs, then resume this one.")
    return UserError("The run failed by a mistake in this program. Its log is {file} in the run's folder.",
                     file="worker.log")  # fmt: skip


def training_too_long(minutes: int) -> UserError:
    """Why a run was stopped though nobody asked for it."""
    return UserError("Stopped after {minutes} minutes, as long as one run may train here. Resume it to go on.",
                     minutes=minutes)  # fmt: skip


def training_killed(times: int) -> UserError:
    """Why a run was given up after its process died again and again without a new checkpoint."""
    return UserError(
        "The training process was ended {times} times without getting further, perhaps because memory ran out. "
        "Resume the run, or train with a smaller batch or model.",
        times=times,
    )
