"""How an epoch is cut into batches.

A single example that is left over joins the batch before it: batch normalisation has nothing to compare one value
with, and torch refuses it.
"""

from torch import Tensor


def batches_in(examples: int, batch_size: int) -> int:
    """How many batches an epoch of so many examples has."""
    whole, left = divmod(examples, batch_size)
    return whole if left == 0 or (left == 1 and whole) else whole + 1


def batch_at(order: Tensor, place: int, batch_size: int) -> Tensor:
    """The examples (B,) of the batch at `place`, from 0, of an epoch's order (N,)."""
    last = place + 1 == batches_in(len(order), batch_size)
    return order[place * batch_size :] if last else order[place * batch_size : (place + 1) * batch_size]
