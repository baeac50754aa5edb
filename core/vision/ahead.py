"""Batches read ahead: while one is computed, the pictures of the next are fetched."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from core.machine import resident_limit
from core.vision.pictures import Pictures
from core.vision.stored import CAN_ASK, StoredPixels

CARD_SHARE = 0.5  # of what is free on a GPU, for pictures; the network and its batches need the rest


def room_for_pictures(device: torch.device) -> int:
    """Bytes of pictures that may lie on a device other than the CPU."""
    if device.type == "cuda":
        return int(CARD_SHARE * torch.cuda.mem_get_info(device)[0])
    return resident_limit()  # MPS shares the machine's memory


class Reader:
    """Hands over batches of a part, on the device, wherever its pictures lie.

    What is in memory beside the processor, or on the card that computes, is cut out on the spot. For what is not,
    `expect` says what comes next, and it is fetched while the batch before is computed: from a file to the processor by
    the system itself, which only has to be asked; for a GPU by one thread, into pinned memory. A processor that
    computes has no core to spare for a thread: beside a small net it cost ten per cent (``tests/bench/LOG.md``).
    """

    def __init__(self, pictures: Pictures, device: torch.device) -> None:
        self.pictures, self.device = pictures, device
        in_file = isinstance(pictures.whole, StoredPixels)
        self.far = in_file or pictures.device.type != device.type
        with_thread = self.far and not (in_file and device.type == "cpu" and CAN_ASK)
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead") if with_thread else None
        self.coming: tuple[Tensor, Callable[[], Tensor]] | None = None  # which, and what hands them over

    def expect(self, indices: Tensor) -> None:
        """These pictures, (B,) on the CPU, will be asked for next."""
        if self.thread is not None:
            self.coming = indices, self.thread.submit(self._read, indices).result
        elif self.far:
            self.coming = indices, self.pictures.begin(indices)

    def batch(self, indices: Tensor) -> Tensor:
        """(B,C,H,W) bytes on the device; `indices` (B,) lie there or, when the pictures are far, on the CPU."""
        if not self.far:
            return self.pictures.at(indices)
        coming, self.coming = self.coming, None
        expected = coming is not None and torch.equal(indices, coming[0])
        found = coming[1]() if coming is not None and expected else self._read(indices)
        return found.to(self.device, non_blocking=True)

    def in_order(self, size: int) -> Iterator[Tensor]:
        """All of them, (size,C,H,W) bytes at a time, on the device."""
        if not self.far:
            yield from self.pictures.chunks(size)
            return
        batches = torch.arange(len(self.pictures)).split(size)
        self.expect(batches[0])
        for place, indices in enumerate(batches):
            images = self.batch(indices)
            if place + 1 < len(batches):
                self.expect(batches[place + 1])
            yield images

    def _read(self, indices: Tensor) -> Tensor:
        found = self.pictures.at(indices, pinned=self.device.type == "cuda")
        return found.pin_memory() if self.device.type == "cuda" and not found.is_pinned() else found
