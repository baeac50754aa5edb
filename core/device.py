"""The machine, in one place: where to compute, how precisely, in which memory format, on how many threads."""

import contextlib
import ctypes
import os
import platform
from typing import Any

import torch

from core.errors import UserError
from core.machine import usable_cores


def choose_device(name: str = "auto") -> torch.device:
    """The device named "auto", "cpu", "cuda" or "mps". Raises `UserError` when this machine has none such."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("This machine has no CUDA device. Choose auto or cpu.")
    if name == "mps" and not torch.backends.mps.is_available():
        raise UserError("This machine has no MPS device. Choose auto or cpu.")
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """What a person calls the device, such as "NVIDIA H100" or "CPU, 2 threads"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU ({platform.machine()}), {torch.get_num_threads()} threads"


def autocast(device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """bfloat16 where it pays: on CUDA cards that compute in it. On a CPU without it, it is nine times slower."""
    if computes_in_bfloat16(device):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether the device has bfloat16 in hardware; emulated, as `is_bf16_supported` allows by default, it is slower."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def replays_steps(device: torch.device) -> bool:
    """Whether a training step is recorded once and replayed (`core.training.step`): where launching kernels costs.

    A CUDA graph does in a few milliseconds what `torch.compile` needs tens of seconds for: more than a short run has.
    """
    return device.type == "cuda"


def prepare(device: torch.device) -> None:
    """Settings of the process that make training fast without making it vary."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
    elif device.type == "cpu":
        torch.set_flush_denormal(True)  # weights that decay to nothing would slow the CPU down a hundredfold
        keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed for the next step, instead of giving it back to the system and asking anew.

    A step frees and allocates the same megabytes again and again; handing them back and forth took a third of its
    time (``python -m tests.bench.training``). Whether this C library (glibc) can be told.
    """
    mmap_threshold, trim_threshold, never = -3, -1, 1 << 30
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False  # Windows, macOS, musl
    return bool(mallopt(mmap_threshold, never)) and bool(mallopt(trim_threshold, never))


def describe() -> dict[str, Any]:
    """What this machine is, as plain values for the Home page."""
    device = choose_device()
    return {
        "device": device.type,
        "device_name": device_name(device),
        "threads": torch.get_num_threads(),
        "cores": usable_cores(),
        "memory_gib": _memory_gib(),
        "device_memory_gib": torch.cuda.get_device_properties(device).total_memory / 2**30
        if device.type == "cuda"
        else None,
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """The software a figure was computed with."""
    return {"python": platform.python_version(), "torch": str(torch.__version__), "system": platform.system()}


def _memory_gib() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return None
