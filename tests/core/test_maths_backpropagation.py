"""Formulas are read as Python would read them, and backpropagation agrees with autograd."""

import ast
import contextlib
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import UserError
from core.maths.autograd_check import autograd
from core.maths.backpropagation import OPERATIONS, finite_difference, forward, sigmoid, steps
from core.maths.expression import FUNCTIONS, parse

NAMES = {name: getattr(math, name, None) for name in FUNCTIONS} | {
    "sigmoid": sigmoid, "relu": lambda a: max(a, 0.0), "max": max, "abs": abs,
}  # fmt: skip
leaf = st.sampled_from(["x", "y", "z1", "2", "0.5", "1e-3", ".25"])
formula = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("{}({})".format, st.sampled_from([name for name, n in FUNCTIONS.items() if n == 1]), inner),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("-{}".format, inner),
        st.builds("{} ** 2".format, leaf),
        st.builds("({}) ** {}".format, inner, leaf),
    ),
    max_leaves=8,
)
values = st.fixed_dictionaries({name: st.floats(-3, 3) for name in ("x", "y", "z1")})


@given(formula, values)
def test_reads_and_computes_like_python_and_autograd(text, variables):
    assume(len(text) <= 300)
    try:
        expression = parse(text)
        ours = forward(expression, variables)[-1]
    except UserError:
        assume(False)
    tree = compile(ast.parse(text, mode="eval"), "", "eval")
    theirs = eval(tree, {"__builtins__": {}}, NAMES | variables)  # the test's own formula
    assert ours == pytest.approx(theirs, rel=1e-12)
    try:
        walk = steps(expression, variables)
    except UserError:
        assume(False)
    gradients = walk[-1].gradients
    for place, by in enumerate(autograd(text, variables)):
        if by is not None:
            np.testing.assert_allclose(gradients.get(place, 0.0), by, rtol=1e-6, atol=1e-9)
    every = autograd(text, variables)
    assert all(every[place] is not None for place in expression.variables.values())


@pytest.mark.parametrize(
    "text", ["2 - 3 - 4", "2/3/4", "-2**2", "2**3**2", "2*-3", "1 - -1", "2**-1", "1+2*3", "(1+2)*3"]
)
def test_precedence_is_that_of_mathematics(text):
    assert forward(parse(text), {})[-1] == pytest.approx(eval(text))


def test_a_variable_used_twice_adds_up():
    walk = steps(parse("x*y + sin(x)"), {"x": 0.5, "y": 3.0})
    place = parse("x*y + sin(x)").variables["x"]
    back = [step for step in walk if step.kind == "backward" and step.to == place]
    assert len(back) == 2
    assert back[-1].gradients[place] == pytest.approx(3 + math.cos(0.5))
    assert sum(step.contribution for step in back) == pytest.approx(back[-1].gradients[place])


def test_every_step_is_one_edge_or_one_node():
    expression = parse("sigmoid(w*x + b)")
    kinds = [step.kind for step in steps(expression, {"w": 1, "x": 2, "b": 0})]
    assert kinds == ["forward"] * 3 + ["seed"] + ["backward"] * 5


def test_constants_get_no_gradient():
    walk = steps(parse("3*x"), {"x": 1.0})
    assert [step.kind for step in walk] == ["forward", "seed", "backward"]
    assert [step.kind for step in steps(parse("1 + 2"), {})] == ["forward", "seed"]
    assert [step.kind for step in steps(parse("x"), {"x": 1.0})] == ["seed"]


@given(st.floats(-2, 2))
def test_finite_differences_come_near(x):
    expression = parse("tanh(x) * exp(x)")
    exact = steps(expression, {"x": x})[-1].gradients[0]
    assert finite_difference(expression, {"x": x}, "x", 1e-5) == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"), ("   ", "empty"), ("x +", "missing"), ("(x", "missing"), ("x)", "goes on"), ("x y", "goes on"),
        ("foo(x)", "no function foo"), ("__import__('os')", "cannot stand"), ("x = 3", "cannot stand"),
        ("max(x)", "takes 2 numbers"), ("sin(x, y)", "takes 1 numbers"), ("1e308 * 10", "too large"),
        ("averylongname", "longer than 8"), ("(" * 100 + "x" + ")" * 100, "nested more than"),
        ("(" * 1000 + "x" + ")" * 1000, "longer than"), ("-" * 200 + "x", "nested more than"),
        ("+".join(["x"] * 100), "more than"), ("x.real", "cannot stand"), ("交", "cannot stand"), ("2**", "missing"),
        ("**2", "missing"), ("()", "missing"), (",", "missing"), ("sin", "missing"), ("x" * 400, "longer than 300"),
    ],
)  # fmt: skip
def test_a_wrong_formula_gets_a_sentence(text, sentence):
    with pytest.raises(UserError, match=sentence):
        parse(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1/x", r"1 / 0 cannot be computed: nothing can be divided by zero"), ("x**(0-1)", "divided by zero"),
        ("log(x)", r"log\(0\) is not a real number"), ("sqrt(x - 1)", "not a real number"),
        ("exp(exp(exp(9)))", "too large"), ("(x-2)**0.5", r"\(-2\) \*\* 0.5 is not a real number"),
        ("10**(10**9)", "too large"), ("1e99*1e99*1e99*1e99*x", "too large"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_gets_a_sentence(text, sentence):
    with pytest.raises(UserError, match=sentence):
        steps(parse(text), {"x": 0.0})


@pytest.mark.parametrize(
    "text",
    ["relu(x)", "abs(x)", "sqrt(x)", "max(x, 0)", "max(2, x + 2)", "x**0.5", "(x-2)**(x+2)", "x**x", "0*relu(x)"],
)
def test_a_slope_that_does_not_exist_gets_a_sentence(text):
    expression = parse(text)
    assert math.isfinite(forward(expression, {"x": 0.0})[-1])
    with pytest.raises(UserError, match="has a value but no slope"):
        steps(expression, {"x": 0.0})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 / (x / 1e90 / 1e90 / 1e90)", "slope of"),
        ("1e99*(1e99*(1e99*(1e99*x/1e99)/1e99)/1e99)", None),
        ("x / 1e99 / 1e99 / 1e99 * 1e99 * 1e99 * 1e99", None),
        ("(0*x) * 1e99 * 1e99 * 1e99 * 1e99", "On the way back the gradient at u"),
    ],
)
def test_a_gradient_that_overflows_gets_a_sentence(text, sentence):
    variables = {"x": 1.0}
    assert math.isfinite(forward(parse(text), variables)[-1])
    if sentence is None:
        assert all(math.isfinite(value) for value in steps(parse(text), variables)[-1].gradients.values())
    else:
        with pytest.raises(UserError, match=sentence):
            steps(parse(text), variables)


@given(st.text(max_size=60))
def test_any_text_is_a_formula_or_a_sentence(text):
    with contextlib.suppress(UserError):
        assert steps(parse(text), dict.fromkeys(parse(text).variables, 0.7))


def test_every_operation_has_a_rule_for_each_slope():
    for operation in OPERATIONS.values():
        assert len(operation.slopes) == len(operation.rules)
