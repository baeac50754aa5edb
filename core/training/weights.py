"""Weights and checkpoints as they are stored: safetensors, whose header says what they are for. Never a pickle."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from core.errors import UserError

_DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
    torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip  # as safetensors calls them
MAX_HEADER_BYTES = 2**20  # a larger header in a weights file is an attack, not a description
MAX_WEIGHTS_BYTES = 2**30
# What reading a file of somebody else's making may raise, besides saying what is wrong.
NOT_OURS = (safetensors.SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError)


def weights_bytes(network: nn.Module, metadata: Mapping[str, Any]) -> bytes:
    """The content of a safetensors file that holds the weights and, in its header, what they are for."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    return safetensors.torch.save(tensors, metadata={"atlas": json.dumps(metadata, ensure_ascii=False)})


def read_metadata(path: Path) -> dict[str, Any]:
    """What a weights file says of itself. Raises `UserError` for a file that is not one of ours."""
    try:
        metadata = _described(path)
    except (*NOT_OURS, RecursionError):
        raise UserError("This weights file cannot be read: it was not written by a finished run.") from None
    return metadata


def state_parts(state: Mapping[str, Any]) -> list[memoryview]:
    """The content of a file from which `read_state` makes the same state again, bit for bit, one piece after another.

    A state consists of tensors, numbers, text, truths and None, in dicts, lists and tuples. The pieces are the tensors'
    own memory, where it lies in a row on the CPU: write them before anything changes. A copy of the 134 MB of a
    ResNet-18 took up to half a second, because the memory for it had to be found.
    """
    tensors: list[Tensor] = []
    tree = _without_tensors(state, tensors)
    header: dict[str, Any] = {"__metadata__": {"atlas": json.dumps({"state": tree})}}
    # The largest numbers first, so that each begins at a multiple of its size.
    order = sorted(range(len(tensors)), key=lambda place: -tensors[place].itemsize)
    end = 0
    for place in order:
        tensor, begin = tensors[place], end
        end += tensor.nbytes
        header[str(place)] = {
            "dtype": _DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [begin, end],
        }  # fmt: skip
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pieces = (tensors[place].reshape(-1).view(torch.uint8).numpy() for place in order)
    return [memoryview(len(text).to_bytes(8, "little") + text), *(piece.data for piece in pieces)]


def read_state(path: Path) -> dict[str, Any]:
    """What `state_parts` gave, on the CPU. Raises one of `NOT_OURS` for another file; runs nothing in it."""
    tree = _described(path)["state"]
    with safetensors.safe_open(path, "pt") as file:
        state = _with_tensors(tree, file.get_tensor)
    if not isinstance(state, dict):
        raise TypeError("a state is a dict")
    return state


def _described(path: Path) -> dict[str, Any]:
    """What our own header of a safetensors file says; its length is looked at first, for reading 60 MB took 14 s."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size > MAX_WEIGHTS_BYTES or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise ValueError("no safetensors file of ours")
        header = json.loads(file.read(length))
    described = json.loads(header["__metadata__"]["atlas"])
    if not isinstance(described, dict):
        raise TypeError("our header is a dict")
    return described


def _without_tensors(value: Any, tensors: list[Tensor]) -> Any:
    """The same as JSON, every tensor replaced by its place in the list that it is put into."""
    if isinstance(value, Tensor):
        last = value.dim() == 4 and not value.is_contiguous() and value.is_contiguous(memory_format=torch.channels_last)
        stored = value.detach().cpu().permute(0, 2, 3, 1) if last else value.detach().cpu()
        tensors.append(stored.contiguous())
        return {"tensor": len(tensors) - 1, "channels_last": last}
    if isinstance(value, Mapping):  # of an optimiser, the keys are whole numbers
        return {"dict": [[key, _without_tensors(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_without_tensors(item, tensors) for item in value]}
    assert value is None or isinstance(value, bool | int | float | str), value
    return value


def _with_tensors(tree: Any, tensor: Callable[[str], Tensor]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "tensor" in tree:
        stored = tensor(str(tree["tensor"]))
        return stored.permute(0, 3, 1, 2) if tree["channels_last"] else stored
    if "dict" in tree:
        return {key: _with_tensors(item, tensor) for key, item in tree["dict"]}
    items = [_with_tensors(item, tensor) for item in tree["tuple" if "tuple" in tree else "list"]]
    return tuple(items) if "tuple" in tree else items
