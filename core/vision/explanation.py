"""Where a network looked: Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391, §3)."""

from collections.abc import Callable

import captum.attr
import torch
from torch import Tensor, nn
from torch.nn import functional as F


def grad_cam(network: nn.Module, logits: Callable[[Tensor], Tensor], images: Tensor, classes: Tensor) -> Tensor:
    """Heat maps (B,H,W) from 0 to 1: how much each place of (B,C,H,W) pictures spoke for the classes (B,).

    `logits` maps the pictures to (B,K) by way of `network`, whose last convolution is looked at.
    """
    layer = last_spatial_convolution(network, logits, images[:1])
    method = captum.attr.LayerGradCam(logits, layer)
    maps = method.attribute(images, target=classes, relu_attributions=True).detach()  # (B,1,h,w)
    maps = F.interpolate(maps, size=images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    highest = maps.amax(dim=(1, 2), keepdim=True)
    return torch.where(highest > 0, maps / highest.clamp(min=1e-12), torch.zeros_like(maps))


def last_spatial_convolution(network: nn.Module, logits: Callable[[Tensor], Tensor], image: Tensor) -> nn.Module:
    """The last convolution that still has more than one place to tell apart, found by one forward pass."""
    seen: list[nn.Module] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del inputs
        if output.shape[-1] * output.shape[-2] > 1:
            seen.append(module)

    handles = [m.register_forward_hook(note) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        logits(image)
    for handle in handles:
        handle.remove()
    assert seen, "a picture network has a convolution"
    return seen[-1]
