"""Where a network looked: Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, §3)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.threads import one_thread


@one_thread()  # the maps are small, and onnxruntime's threads, which gave the features, may still spin
def grad_cam(logits: Tensor, features: Tensor, classes: Tensor, size: tuple[int, int]) -> Tensor:
    """Heat maps (B,H,W) of that size, from 0 to 1: how much each place spoke for the classes (B,).

    `features` (B,F,h,w) is what a late layer said of each place of B pictures, and `logits` (B,K) what autograd
    recorded on the way from there: one forward pass gives both, and the way back is short.
    """
    scores = logits.gather(1, classes[:, None])  # (B,1)
    gradients = torch.autograd.grad(scores.sum(), features)[0]  # (B,F,h,w)
    weights = gradients.mean(dim=(2, 3), keepdim=True)  # (B,F,1,1), the α of equation 1
    maps = (weights * features.detach()).sum(dim=1, keepdim=True).relu()  # (B,1,h,w), equation 2
    maps = F.interpolate(maps, size=size, mode="bilinear", align_corners=False)[:, 0]
    highest = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(highest > 0, maps / highest.clamp(min=1e-12), torch.zeros_like(maps))


def watched(network: nn.Module, layer: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """The logits (B,K) of pictures (B,C,H,W), and what `layer` gave on the way: a leaf from which they follow."""
    given: list[Tensor] = []

    def cut(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        del module, inputs
        given.append(output.detach().requires_grad_())
        return given[-1].clone()  # the next layer may write into it

    handle = layer.register_forward_hook(cut)
    try:
        with torch.enable_grad():
            logits = network(images)
    finally:
        handle.remove()
    return logits, given[-1]


def last_spatial_convolution(network: nn.Module, image: Tensor) -> nn.Module:
    """The last convolution that still has more than one place of a picture (1,C,H,W) to tell apart."""
    seen: list[nn.Module] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del inputs
        if output.shape[-1] * output.shape[-2] > 1:
            seen.append(module)

    handles = [m.register_forward_hook(note) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        network(image)
    for handle in handles:
        handle.remove()
    assert seen, "a picture network has a convolution"
    return seen[-1]
