"""Recipes: what is wrong is named, and a recipe survives every way it travels."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import tasks
from core.errors import UserError
from core.vision.recipe import PictureRecipe


@pytest.mark.parametrize("name", PictureRecipe.presets)
def test_presets_are_valid_and_travel_as_json(name):
    recipe = PictureRecipe.preset(name)
    assert PictureRecipe.from_json(recipe.to_json()) == recipe
    assert tasks.recipe_from_json(recipe.to_json()) == recipe


def test_a_link_carries_only_what_differs():
    base = PictureRecipe.preset("quick-look")
    recipe = PictureRecipe.preset("quick-look", epochs="7", flip="true", learning_rate="0.5")
    assert recipe.changes(base) == {"epochs": 7, "flip": True, "learning_rate": 0.5}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rate": -1}, "learning_rate must be at least 1e-07, not -1.0."),
        ({"learning_rate": float("nan")}, "learning_rate must be at least 1e-07, not nan."),
        ({"learning_rate": 1e9}, "learning_rate must be at most 100, not 1000000000.0."),
        ({"epochs": 2.5}, "epochs must be a whole number, not “2.5”."),
        ({"epochs": True}, "epochs must be a whole number, not “True”."),
        ({"epochs": None}, "epochs must be a whole number, not “None”."),
        ({"flip": 1}, "flip must be true or false, not “1”."),
        ({"model": 3}, "model must be text, not “3”."),
        ({"colour": "red"}, "“colour” is not a field of a recipe."),
    ],
)
def test_a_wrong_value_is_named(values, message):
    with pytest.raises(UserError) as caught:
        PictureRecipe.from_mapping(values)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["", "[1]", "nonsense", '{"task": "cooking"}', "[" * 100_000, '{"epochs": 0}'])
def test_json_that_is_no_recipe(text):
    with pytest.raises(UserError):
        PictureRecipe.from_json(text)
    with pytest.raises(UserError):
        tasks.recipe_from_json(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*PictureRecipe.settings(), "other"]), json_values))
def test_any_values_give_a_recipe_or_a_user_error(values):
    try:
        recipe = PictureRecipe.from_mapping(values)
    except UserError as error:
        again = UserError.from_json(json.loads(json.dumps(error.to_json())))
        if str(again) != str(error):
            pytest.fail(f"{error!r} became {again!r}")
    else:
        assert PictureRecipe.from_json(recipe.to_json()) == recipe
