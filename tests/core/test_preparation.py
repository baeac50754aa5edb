"""Pictures made ready for a network: the centre, or what is lifted off its paper."""

import numpy as np
import pytest
import torch
from PIL import Image

from core.vision.preparation import prepare

DIGIT = (1, 8, 8)


def written_one(paper=200, ink=50, slope=0, noise=0.0):
    """A photographed sheet, (300,200,3): an upright bar of 20 × 100 pixels, the lamp on the right by `slope`."""
    sheet = np.full((300, 200), float(paper))
    sheet[120:220, 60:80] = ink
    sheet += np.linspace(-slope, slope, 200) + np.random.default_rng(0).normal(0, noise, sheet.shape)
    return np.repeat(sheet.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def is_a_bar(image):
    """Light in the two middle columns of 8×8, from the first row to the last, dark elsewhere."""
    columns = image[0].float().mean(0)
    return bool((columns[3:5] > 100).all() and columns[:2].max() < 30 and columns[6:].max() < 30)


@pytest.mark.parametrize(
    ("photograph", "inverted"),
    [
        (written_one(), True),
        (written_one(paper=110, ink=30), True),  # too dark a photograph
        (written_one(slope=50, noise=8), True),  # one side nearly as dark as the ink of the other
        (written_one(paper=20, ink=220), False),  # chalk on a blackboard
    ],
)
def test_what_is_written_is_lifted_off_its_ground(photograph, inverted):
    result = prepare(photograph, DIGIT, dark_ground=True)
    assert result.image.shape == DIGIT
    assert result.image.dtype == torch.uint8
    assert is_a_bar(result.image), result.image
    assert (result.inverted, result.trimmed) == (inverted, True)


def test_networks_that_learnt_from_another_ground_get_the_plain_centre():
    result = prepare(written_one(), DIGIT)
    assert not result.inverted
    assert not result.trimmed
    assert result.image.float().mean() > 127


def test_a_picture_of_the_networks_own_kind_is_left_alone():
    own = np.zeros((8, 8, 3), dtype=np.uint8)
    own[1:7, 2:5] = 180
    result = prepare(own, DIGIT, dark_ground=True)
    assert torch.equal(result.image[0], torch.from_numpy(own[:, :, 0]))
    assert not result.inverted
    assert torch.equal(prepare(255 - own, DIGIT, dark_ground=True).image, result.image)


def test_a_blank_sheet_is_nothing_much():
    result = prepare(np.full((100, 80, 3), 230, dtype=np.uint8), DIGIT, dark_ground=True)
    assert int(result.image.max()) == 0


def test_the_centre_is_what_pillow_cuts_out():
    photograph = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(photograph).resize((200, 120), Image.Resampling.BICUBIC))
    result = prepare(smooth, (3, 32, 32)).image
    expected = Image.fromarray(smooth[:, 40:160]).resize((32, 32), Image.Resampling.BICUBIC)
    difference = result.permute(1, 2, 0).int() - torch.from_numpy(np.asarray(expected).astype(np.int32))
    assert difference.abs().max() <= 1


@pytest.mark.parametrize("size", [(1, 1024), (1024, 1), (1, 1), (3, 7)])
@pytest.mark.parametrize("shape", [(3, 224, 224), (1, 28, 28), (3, 48, 64)])
def test_odd_proportions_cost_nothing(size, shape):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    for dark_ground in (False, True):
        assert prepare(picture, shape, share=0.875, dark_ground=dark_ground).image.shape == shape
