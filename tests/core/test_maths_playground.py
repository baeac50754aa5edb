"""Points in the plane, and the models that tell them apart; the network against torch's own layers and optimiser."""

import base64

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch import nn

from core.errors import UserError
from core.maths import playground
from core.maths.plane import (
    EMPTY,
    GAPS,
    MOST_BY_HAND,
    SHADES,
    STEP,
    add_point,
    check,
    make_points,
    read_points,
    remove_last,
    shades,
    split,
    starter,
    write_points,
)

CLASSICS = ("logistic", "tree", "forest", "neighbours", "svm", "bayes")


def sample(kind="moons", count=120, noise=0.2, share=0.3, seed=0):
    return split(*make_points(kind, count, noise, seed), share, seed)


def fitted(name, one, **settings):
    return playground.fit(name, one.points, one.labels, one.held_out, one.box, **settings)


def trained(one, **settings):
    return playground.train_network(one.points, one.labels, one.held_out, one.box, **settings)


@pytest.mark.parametrize("kind", GAPS)
def test_points_are_seeded_balanced_and_in_the_picture(kind):
    points, labels = make_points(kind, 300, 0.0, 3)
    again, _labels = make_points(kind, 300, 0.0, 3)
    assert np.array_equal(points, again)
    assert not np.array_equal(points, make_points(kind, 300, 0.0, 4)[0]) or kind == "blobs"
    assert np.bincount(labels).max() - np.bincount(labels).min() <= 1
    assert np.abs(points).max() <= 1.01


@pytest.mark.parametrize("kind", ["circles", "moons"])
def test_the_gap_is_the_distance_between_the_classes(kind):
    points, labels = make_points(kind, 6000, 0.0, 0)
    apart = np.linalg.norm(points[labels == 0][:, None] - points[labels == 1], axis=2).min()
    assert apart == pytest.approx(GAPS[kind], rel=0.05)


def test_noise_is_measured_in_gaps():
    clean, _labels = make_points("circles", 5000, 0.0, 0)
    noisy, _labels = make_points("circles", 5000, 0.5, 0)
    assert (noisy - clean).std() == pytest.approx(0.5 * GAPS["circles"], rel=0.05)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=60), st.floats(0, 1), st.integers(0, 2**31))
def test_a_split_keeps_every_class_for_training(labels, share, seed):
    labels = np.array(labels)
    points = np.linspace(-1, 1, 2 * len(labels)).reshape(-1, 2)
    if len(np.unique(labels)) < 2:
        with pytest.raises(UserError, match="one class"):
            split(points, labels, share, seed)
        return
    one = split(points, labels, share, seed)
    assert set(one.labels[~one.held_out]) == set(labels.tolist())
    assert abs(one.held_out.sum() - share * len(labels)) <= 3 * 1.5


@pytest.mark.parametrize(
    ("points", "labels", "sentence"),
    [
        (np.empty((0, 2)), [], "at least two points"),
        ([[0, 0]], [0], "not 1"),
        ([[0, 0], [1, 1]], [1, 1], "one class"),
        ([[0.5, 0], [0.5, 0]], [0, 1], "same place"),
        ([[0, 0], [np.nan, 1]], [0, 1], "Every coordinate"),
        ([[0, 0], [np.inf, 1]], [0, 1], "Every coordinate"),
        ([[0, 0], [1e308, 1]], [0, 1], "Every coordinate"),
    ],
)
def test_points_from_which_nothing_can_be_learnt(points, labels, sentence):
    points, labels = np.array(points, dtype=float), np.array(labels, dtype=int)
    nothing = np.zeros(len(points), dtype=bool)
    with pytest.raises(UserError, match=sentence):
        check(points, labels)
    with pytest.raises(UserError, match=sentence):
        playground.fit("tree", points, labels, nothing, 1.0)
    with pytest.raises(UserError, match=sentence):
        playground.train_network(points, labels, nothing, 1.0)


def test_unknown_names():
    with pytest.raises(UserError, match="no data set named nonsense"):
        make_points("nonsense", 10, 0.1, 0)
    with pytest.raises(KeyError):
        playground.classic("nonsense")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 40)), max_size=MOST_BY_HAND))
def test_points_survive_the_link(chosen):
    labels = np.array([label for label, _x, _y in chosen], dtype=np.int64)
    at = (np.array([place for _label, *place in chosen], dtype=float).reshape(-1, 2) - 20) / 20
    text = write_points(at, labels)
    assert len(text) <= 3 * MOST_BY_HAND
    points, found = read_points(text)
    assert np.array_equal(points, at)
    assert np.array_equal(found, labels)


@given(st.text(max_size=700))
def test_a_link_is_read_or_gets_a_sentence(text):
    try:
        points, labels = read_points(text)
    except UserError:
        return
    assert len(points) == len(labels) <= MOST_BY_HAND
    assert np.abs(points).max(initial=0) <= 1


@pytest.mark.parametrize("text", ["NaN", "1e308", "nan,nan,0", "0K", "9KK", "0KZ0K", "0K🎈", "<b>", "0KK" * 201])
def test_garbage_in_a_link(text):
    with pytest.raises(UserError):
        read_points(text)


def test_adding_and_undoing():
    text = add_point(EMPTY, (0.0, 0.0), 0)
    assert remove_last(text) == EMPTY == remove_last(EMPTY)
    both = add_point(text, (0.5, 0.5), 1)
    assert remove_last(both) == text
    assert add_point(both, (0.5, 0.5), 2) != both  # a taken place changes its class
    assert len(read_points(add_point(both, (0.5, 0.5), 2))[0]) == 2
    assert add_point(both, (np.nan, 0), 1) == add_point(both, (1e308, 0), 1) == both
    line = np.linspace(-1, 1, 21)
    places = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    full = write_points(places[:MOST_BY_HAND], np.zeros(MOST_BY_HAND, dtype=int))
    with pytest.raises(UserError, match="at most 200"):
        add_point(full, (1.0, 1.0), 1)


def test_the_starter_has_two_classes_that_no_line_parts():
    points, labels = read_points(starter())
    assert LogisticRegression().fit(points, labels).score(points, labels) < 0.8


@given(st.lists(st.lists(st.floats(1e-3, 1), min_size=3, max_size=3), min_size=1, max_size=20))
def test_shades_keep_the_class_and_how_sure_it_is(weights):
    three = np.array(weights)
    three /= three.sum(axis=1, keepdims=True)
    code = shades(three).astype(int)
    assert np.array_equal(code // STEP, three.argmax(axis=1))
    assert np.allclose(code % STEP / (STEP - 2), (three.max(axis=1) - 1 / 3) * 1.5, atol=0.6 / (STEP - 2))
    two = three[:, :2] / three[:, :2].sum(axis=1, keepdims=True)
    assert np.allclose(shades(two) / SHADES, two[:, 1], atol=0.51 / SHADES)


def test_certain_pictures_cost_no_escapes():
    for k in range(3):
        code = shades(np.tile(np.eye(3)[k], (30, 1)))
        assert b"/" not in base64.b64encode(code.tobytes())
    assert b"/" not in base64.b64encode(shades(np.tile([0.0, 1.0], (30, 1))).tobytes())


@pytest.mark.parametrize("name", CLASSICS)
@pytest.mark.parametrize("kind", ["moons", "blobs"])
def test_every_classic_learns(name, kind):
    one = sample(kind)
    made = fitted(name, one)
    assert made["grid"].shape == (playground.GRID, playground.GRID)
    assert made["grid"].dtype == np.uint8
    assert made["train_error"] < 0.2
    assert made["test_error"] < 0.3


@pytest.mark.parametrize("name", ["logistic", "svm", "neighbours"])
@pytest.mark.parametrize("kind", ["circles", "blobs"])
def test_errors_are_those_of_scikit_learn(name, kind):
    one = sample(kind, noise=0.5)
    model = playground.classic(name).fit(one.points[~one.held_out], one.labels[~one.held_out])
    made = fitted(name, one)
    assert made["test_error"] == pytest.approx(1 - model.score(one.points[one.held_out], one.labels[one.held_out]))
    at = playground.grid_points(one.box)
    says = model.predict(at)
    code = made["grid"].reshape(-1).astype(int)
    if kind == "blobs":
        assert np.array_equal(code // STEP, says)
    else:
        sure = code != SHADES // 2
        assert np.array_equal(code[sure] > SHADES // 2, says[sure] == 1)


def test_features_let_a_line_part_circles():
    one = sample("circles")
    assert fitted("logistic", one)["test_error"] > 0.3
    assert fitted("logistic", one, squares=True)["test_error"] < 0.1
    assert fitted("logistic", sample("xor", noise=0.0), product=True)["test_error"] < 0.1
    assert playground.linear_features(one.points, True, True, True).shape == (120, 7)


def test_more_neighbours_than_points():
    one = split(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 2]), 0.5, 0)
    made = fitted("neighbours", one, neighbours=50)
    assert made["test_error"] is None
    for name in CLASSICS:
        assert 0 <= fitted(name, one)["train_error"] <= 1


MODULES = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "none": nn.Identity}


@pytest.mark.parametrize("activation", MODULES)
@pytest.mark.parametrize("depth", [0, 1, 4])
def test_the_network_is_that_of_torch(activation, depth):
    layers = playground.new_layers(depth, 7, 3, activation, torch.Generator().manual_seed(1))
    layers = [(weight.detach().double(), bias.detach().double() + 0.1) for weight, bias in layers]
    modules = []
    for place, (weight, bias) in enumerate(layers):
        linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=torch.float64)
        linear.load_state_dict({"weight": weight, "bias": bias})
        modules += [linear] if place == depth else [linear, MODULES[activation]()]
    x = torch.randn(11, 2, dtype=torch.float64)
    theirs = nn.Sequential(*modules)(x)
    assert torch.allclose(playground.network(layers, activation, x), theirs, atol=1e-6, rtol=1e-6)


def test_training_is_that_of_torch():
    """The same batches through torch's modules, its optimiser in its plainest form, end in the same losses."""
    one = sample(count=40)
    made = trained(one, depth=2, width=5, activation="tanh", epochs=6, weight_decay=0.1, seed=3)
    random = torch.Generator().manual_seed(3)
    layers = playground.new_layers(2, 5, 2, "tanh", random)
    net = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 2))
    with torch.no_grad():
        for linear, (weight, bias) in zip(net[::2], layers, strict=True):
            linear.weight.copy_(weight)
            linear.bias.copy_(bias)
    learnt = torch.from_numpy(~one.held_out)
    x, y = torch.tensor(one.points, dtype=torch.float32), torch.tensor(one.labels)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.1, foreach=False)
    loss_of = nn.CrossEntropyLoss()
    expected = [loss_of(net(x[learnt]), y[learnt]).item()]
    for _epoch in range(6):
        for batch in torch.randperm(int(learnt.sum()), generator=random).split(playground.BATCH):
            optimiser.zero_grad()
            loss_of(net(x[learnt][batch]), y[learnt][batch]).backward()
            optimiser.step()
        expected.append(loss_of(net(x[learnt]), y[learnt]).item())
    assert np.allclose(made["train_loss"], expected, rtol=1e-4)


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 400), ("tanh", 1 / 400)])
def test_weights_begin_at_the_right_size(activation, variance):
    layers = playground.new_layers(2, 400, 2, activation, torch.Generator().manual_seed(0))
    assert layers[1][0].var().item() == pytest.approx(variance, rel=0.02)


def test_a_film_shows_how_the_network_learns():
    one = sample()
    made = trained(one, epochs=120)
    assert made["grids"].shape == (playground.FRAMES, playground.GRID, playground.GRID)
    assert (made["frames"][0], made["frames"][-1]) == (0, 120)
    assert len(made["train_loss"]) == 121
    assert made["train_loss"][-1] < 0.3 * made["train_loss"][0]
    assert made["train_error"] < 0.1
    assert made["parameters"] == 2 * 16 + 16 + 2 * (16 * 16 + 16) + 2 * 16 + 2
    assert made["units"].shape == (playground.UNITS, playground.GRID // 2, playground.GRID // 2)
    assert made["units"].max() == SHADES
    again = trained(one, epochs=120)
    assert np.array_equal(made["grids"], again["grids"])


def test_depth_without_activation_is_a_line():
    one = sample("circles")
    assert trained(one, depth=4, activation="none", epochs=40)["train_error"] > 0.25
    assert trained(one, depth=2, epochs=100)["train_error"] < 0.1


def test_it_ends_before_the_numbers_do():
    one = sample()
    made = trained(one, depth=8, width=64, activation="none", learning_rate=10.0, weight_decay=10.0, epochs=30)
    assert made["broken"] is not None
    assert len(made["grids"]) == len(made["frames"])
    assert np.isfinite(made["train_loss"]).all()
    assert len(made["units"]) == 0


def test_it_ends_where_the_loss_overflows_though_the_answers_are_finite(monkeypatch):
    one = sample(count=60)
    seen = []
    measure = playground._measure

    def watched(logits, *rest):
        seen.append((bool(logits.isfinite().all()), measure(logits, *rest)))
        return seen[-1][1]

    monkeypatch.setattr(playground, "_measure", watched)
    made = trained(one, depth=2, width=64, activation="none", learning_rate=10.0, weight_decay=10.0, epochs=60)
    finite, losses = seen[-1]
    assert finite
    assert not np.isfinite(losses[:2]).all()
    assert made["broken"] == len(seen) - 1 == len(made["train_loss"])
    assert np.isfinite(made["train_loss"]).all()
    assert np.isfinite(made["test_loss"]).all()
    assert len(made["grids"]) == len(made["frames"]) >= 1


def test_training_leaves_the_threads_as_they_were():
    before = torch.get_num_threads()
    trained(sample(count=20), epochs=1)
    assert torch.get_num_threads() == before


@settings(max_examples=15)
@given(
    st.integers(0, 8), st.integers(1, 64), st.sampled_from(list(MODULES)), st.floats(1e-4, 10), st.floats(0, 10),
    st.integers(2, 60),
)  # fmt: skip
def test_any_setting_gives_a_film(depth, width, activation, rate, decay, count):
    one = sample("blobs" if count > 4 else "xor", count=count)
    chosen = {"depth": depth, "width": width, "activation": activation, "learning_rate": rate, "weight_decay": decay}
    made = trained(one, epochs=5, **chosen)
    assert 1 <= len(made["grids"]) == len(made["frames"]) <= 6
    assert np.isfinite(made["train_loss"]).all()
    assert len(made["units"]) == (min(width, 12) if depth and made["broken"] is None else 0)
