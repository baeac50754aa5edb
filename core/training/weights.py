"""Weights as they are stored: safetensors, whose header says what they are for. Never a pickle."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import nn

from core.errors import UserError

MAX_HEADER_BYTES = 2**20  # a larger header in a weights file is an attack, not a description
MAX_WEIGHTS_BYTES = 2**30


def weights_bytes(network: nn.Module, metadata: Mapping[str, Any]) -> bytes:
    """The content of a safetensors file that holds the weights and, in its header, what they are for."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    return safetensors.torch.save(tensors, metadata={"atlas": json.dumps(metadata, ensure_ascii=False)})


def read_metadata(path: Path) -> dict[str, Any]:
    """What a weights file says of itself. Raises `UserError` for a file that is not one of ours."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size > MAX_WEIGHTS_BYTES or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise ValueError
            header = json.loads(file.read(length))
        metadata = json.loads(header["__metadata__"]["atlas"])
        if not isinstance(metadata, dict):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UserError("This weights file cannot be read: it was not written by a finished run.") from None
    return metadata
