"""Reads a formula a person has typed into a graph of operations. Nothing of it is ever run as Python.

    sum     := product (("+" | "-") product)*
    product := signed (("*" | "/") signed)*
    signed  := "-" signed | power
    power   := atom ("**" signed)?
    atom    := number | name | function "(" sum ("," sum)* ")" | "(" sum ")"
"""

import re
from dataclasses import dataclass, field

from core.errors import UserError

MOST_LETTERS, MOST_NODES, DEEPEST = 300, 60, 20
FUNCTIONS = {"exp": 1, "log": 1, "sin": 1, "cos": 1, "tanh": 1, "sigmoid": 1, "relu": 1,
             "abs": 1, "sqrt": 1, "max": 2}  # fmt: skip
_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z]\w*)|(\*\*|[-+*/(),]))", re.ASCII)
_NAME = re.compile(r"[A-Za-z]\w{0,7}", re.ASCII)


@dataclass(frozen=True)
class Node:
    """An operation on earlier nodes, given by their places; a "variable" with its name; or a "constant"."""

    operation: str
    inputs: tuple[int, ...] = ()
    name: str = ""
    constant: float = 0.0


@dataclass
class Expression:
    """The nodes of a formula, every one after its inputs, so that the last is the result."""

    nodes: list[Node] = field(default_factory=list)
    variables: dict[str, int] = field(default_factory=dict)  # name → place: one node, however often it is used

    def add(self, node: Node) -> int:
        if len(self.nodes) >= MOST_NODES:
            raise UserError("The formula has more than {most} parts; make it shorter.", most=MOST_NODES)
        self.nodes.append(node)
        return len(self.nodes) - 1


def parse(text: str) -> Expression:
    """The graph of a formula such as ``sigmoid(w*x + b)``. Raises `UserError` that says what is wrong, and where."""
    if len(text) > MOST_LETTERS:
        raise UserError("The formula is longer than {most} letters.", most=MOST_LETTERS)
    if not text.strip():
        raise UserError("The formula is empty. Type one, such as {example}.", example="x*y + sin(x)")
    parser = _Parser(_tokens(text))
    parser.sum(0)
    if parser.peek():
        raise UserError("The formula goes on after its end, at “{rest}”.", rest=parser.peek())
    return parser.expression


def _tokens(text: str) -> list[str]:
    found, place = [], 0
    while text[place:].strip():
        token = _TOKEN.match(text, place)
        if token is None:
            raise UserError("“{sign}” cannot stand in a formula.", sign=text[place:].strip()[0])
        found.append(token[0].strip())
        place = token.end()
    return found


class _Parser:
    """One method for each line of the grammar; each gives the place of its node."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.place, self.expression = tokens, 0, Expression()

    def peek(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if expected and token != expected:
            raise UserError("Here “{expected}” is missing: before “{found}”.", expected=expected, found=token or "…")
        self.place += 1
        return token

    def sum(self, depth: int) -> int:
        if depth > DEEPEST:
            raise UserError("The formula is nested more than {most} deep.", most=DEEPEST)
        left = self.product(depth)
        while self.peek() in ("+", "-"):
            sign = self.take()
            left = self.expression.add(Node(sign, (left, self.product(depth))))
        return left

    def product(self, depth: int) -> int:
        left = self.signed(depth)
        while self.peek() in ("*", "/"):
            sign = self.take()
            left = self.expression.add(Node(sign, (left, self.signed(depth))))
        return left

    def signed(self, depth: int) -> int:
        if self.peek() == "-":
            if depth > DEEPEST:
                raise UserError("The formula is nested more than {most} deep.", most=DEEPEST)
            self.take()
            return self.expression.add(Node("neg", (self.signed(depth + 1),)))
        base = self.atom(depth)
        if self.peek() == "**":
            self.take()
            return self.expression.add(Node("**", (base, self.signed(depth + 1))))
        return base

    def atom(self, depth: int) -> int:
        word = self.take()
        if word == "(":
            inside = self.sum(depth + 1)
            self.take(")")
            return inside
        if word[:1].isdigit() or word[:1] == ".":
            return self.number(word)
        if word in FUNCTIONS:
            return self.function(word, depth)
        if _NAME.fullmatch(word):
            return self.variable(word)
        if word[:1].isalpha():
            raise UserError("The name “{name}” is longer than 8 letters.", name=word[:20])
        raise UserError("A number, a name or “(” is missing: before “{found}”.", found=word or "…")

    def number(self, token: str) -> int:
        value = float(token)
        if value > 1e100:
            raise UserError("The number {number} is too large.", number=token[:20])
        return self.expression.add(Node("constant", constant=value))

    def function(self, name: str, depth: int) -> int:
        self.take("(")
        inputs = [self.sum(depth + 1)]
        while self.peek() == ",":
            self.take()
            inputs.append(self.sum(depth + 1))
        self.take(")")
        if len(inputs) != FUNCTIONS[name]:
            raise UserError(
                "{name} takes {wanted} numbers, not {given}.", name=name, wanted=FUNCTIONS[name], given=len(inputs)
            )
        return self.expression.add(Node(name, tuple(inputs)))

    def variable(self, name: str) -> int:
        if self.peek() == "(":
            raise UserError(
                "There is no function {name}; there are {known}.", name=name, known=", ".join(FUNCTIONS)
            )
        if name not in self.expression.variables:
            self.expression.variables[name] = self.expression.add(Node("variable", name=name))
        return self.expression.variables[name]
