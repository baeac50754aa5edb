"""A table of a network's layers: what comes out of each, and how many numbers it learns."""

from typing import Any

import torch
from torch import Tensor, nn

from core.vision.network import build_network


def layer_table(model: str, input_shape: tuple[int, int, int], num_classes: int) -> list[dict[str, Any]]:
    """One row a layer in the order of the forward pass: name, kind, output_shape (without the batch), parameters.

    `model` is a name of the registry, `input_shape` (C,H,W). Computed by sending a picture without content through
    the network without numbers that PyTorch calls "meta": it costs no arithmetic, however large the network.
    """
    with torch.device("meta"):
        network = build_network(model, input_shape, num_classes).network.eval()
    rows: list[dict[str, Any]] = []
    handles = [
        module.register_forward_hook(_row_writer(rows, name))
        for name, module in network.named_modules()
        if not list(module.children()) and not isinstance(module, nn.Identity)
    ]
    with torch.no_grad():
        network(torch.empty(1, *input_shape, device="meta"))
    for handle in handles:
        handle.remove()
    return rows


def _row_writer(rows: list[dict[str, Any]], name: str) -> Any:
    def write(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del inputs
        rows.append(
            {
                "name": name,
                "kind": type(module).__name__,
                "output_shape": list(output.shape[1:]),
                "parameters": sum(p.numel() for p in module.parameters()),
            }
        )

    return write
