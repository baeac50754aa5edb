"""What is sent of a classified picture."""

import io

import numpy as np
import pytest
from PIL import Image

from app.components.pixels import encoded
from app.figures.classification import COLOURS, heat_over
from tests.app.opening import charts, opened


def read(file):
    image = Image.open(io.BytesIO(file))
    return image.format, np.asarray(image)


def test_pixels_of_a_small_picture_stay_squares():
    digit = np.random.default_rng(0).integers(0, 256, (28, 28, 1), dtype=np.uint8)
    kind, seen = read(encoded(digit))
    assert kind == "PNG"
    np.testing.assert_array_equal(seen, np.kron(digit[:, :, 0], np.ones((4, 4), np.uint8)))


def test_a_photograph_is_sent_as_a_small_file():
    rows, columns = np.mgrid[0:480, 0:640]
    photograph = np.stack([rows // 2, columns // 3, (rows + columns) // 5], axis=2).astype(np.uint8)
    kind, seen = read(file := encoded(photograph))
    assert kind == "JPEG"
    assert len(file) < 60_000
    assert np.abs(seen.astype(int) - photograph).mean() < 2


def test_the_warmer_the_more_of_the_map_is_seen():
    picture = np.full((1, 3, 3), 200, np.uint8)
    heat = np.array([[0, 0.5, 1]], np.float32)
    blended = heat_over(picture, heat).astype(float)
    np.testing.assert_array_equal(blended[0, 0], [200, 200, 200])
    np.testing.assert_allclose(blended[0, 1], 0.7 * 200 + 0.3 * COLOURS[1], atol=1)
    np.testing.assert_allclose(blended[0, 2], 0.4 * 200 + 0.6 * COLOURS[2], atol=1)


@pytest.mark.usefixtures("atlas_home")
def test_a_photograph_of_twelve_megapixels():
    file = io.BytesIO()
    Image.new("RGB", (4000, 3000), (30, 90, 200)).save(file, "JPEG")
    app = opened("classify")
    app.file_uploader[0].upload("sky.jpg", file.getvalue(), "image/jpeg").run()
    assert not app.exception
    assert not app.error
    assert len(app.get("progress")) == 5
    assert not charts(app)
    assert len(app.get("image")) == 3
