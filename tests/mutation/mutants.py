"""What can be broken in a module: comparisons, conditions, figures, answers, members of tables."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where decisions are made.
DECIDING = (
    "zhtj/**/rules.py",
    "zhtj/**/*_rules.py",
    "zhtj/**/workflow.py",
    "zhtj/**/*checks.py",
    "zhtj/policy/*.py",
    "zhtj/rates/counting/*.py",
    "zhtj/rates/reports/targets.py",
    "zhtj/floating/*.py",
    "zhtj/cases/*.py",
    "zhtj/cases/kinds/**/*.py",
    "zhtj/transfers/entries.py",
    "zhtj/transfers/kinds.py",
    "zhtj/transfers/applying/situations.py",
)
NOT_DECIDING = frozenset({"__init__.py", "models.py", "commands.py", "messages.py", "vocabulary.py"})
SIZES = frozenset({"CHUNK", "MANY", "SHARDS"})
_OTHER: dict[type[ast.AST], Callable[[], ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One thing broken.

    Args:
        path: of the module, from the root.
        node: position of the node among all of the module.
        change: which of the node's changes.
        line: where it stands.
        said: what is done to it.
    """

    path: str
    node: int
    change: int
    line: int
    said: str

    @property
    def key(self) -> str:
        """Names it, as long as the module stays as it is."""
        return f"{self.path}:{self.line}:{self.node}:{self.change} {self.said}"


def modules() -> list[Path]:
    """The modules that decide."""
    found = {path for pattern in DECIDING for path in ROOT.glob(pattern)}
    return sorted(path for path in found if path.name not in NOT_DECIDING)


def mutants(path: Path) -> Iterator[Mutant]:
    """Everything that can be broken in a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spared = _spared(tree)
    for number, node in enumerate(ast.walk(tree)):
        if id(node) not in spared:
            for change, (said, _) in enumerate(_changes(node)):
                line = getattr(node.target if isinstance(node, ast.comprehension) else node, "lineno", 0)
                yield Mutant(path.relative_to(ROOT).as_posix(), number, change, line, said)


def broken(mutant: Mutant) -> ast.Module:
    """The module with this one thing broken."""
    tree = ast.parse((ROOT / mutant.path).read_text(encoding="utf-8"))
    node = list(ast.walk(tree))[mutant.node]
    _changes(node)[mutant.change][1]()
    return ast.fix_missing_locations(tree)


def _spared(tree: ast.Module) -> set[int]:
    """What is no decision: annotations, decorators, how wide a field is and how much is done at a time."""
    roots: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs]
            roots += [node.returns, *node.decorator_list, *(each.annotation for each in arguments)]
        elif isinstance(node, ast.ClassDef):
            roots += node.decorator_list
        elif isinstance(node, ast.AnnAssign):
            roots.append(node.annotation)
        elif _is_size(node) or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"TypeVar", "cast"}):
            roots.append(node)
    return {id(each) for root in roots if root is not None for each in ast.walk(root)}


def _is_size(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return any(getattr(each, "id", "") in SIZES for each in node.targets)
    return isinstance(node, ast.keyword) and node.arg == "width"


def _changes(node: ast.AST) -> list[tuple[str, Callable[[], None]]]:  # noqa: C901 - a kind of node a line
    found: list[tuple[str, Callable[[], None]]] = []
    if isinstance(node, ast.Compare):
        found += [_swapped(node.ops, position) for position, op in enumerate(node.ops) if type(op) in _OTHER]
    if isinstance(node, ast.BoolOp | ast.BinOp) and type(node.op) in _OTHER:
        other = _OTHER[type(node.op)]()
        found.append((f"{_name(node.op)} -> {_name(other)}", lambda: setattr(node, "op", other)))
    if isinstance(node, ast.If | ast.IfExp):
        found.append(("condition negated", lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), node.test))))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        found.append(("not taken away", lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), node.operand))))
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        found.append((f"{node.value} -> {not node.value}", lambda: setattr(node, "value", not node.value)))
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        found.append((f"{node.value} -> {node.value + 1}", lambda: setattr(node, "value", node.value + 1)))
    if isinstance(node, ast.Return) and not (node.value is None or isinstance(node.value, ast.Constant)):
        found.append(("answers nothing", lambda: setattr(node, "value", ast.Constant(None))))
    if isinstance(node, ast.Set | ast.Tuple | ast.List) and len(node.elts) > 1 and isinstance(_context(node), ast.Load):
        found.append(("last one taken away", lambda: node.elts.__delitem__(-1)))
    if isinstance(node, ast.comprehension) and node.ifs:
        found.append(("condition taken away", node.ifs.clear))
    return found


def _context(node: ast.Set | ast.Tuple | ast.List) -> ast.AST:
    return getattr(node, "ctx", ast.Load())


def _swapped(ops: list[ast.cmpop], position: int) -> tuple[str, Callable[[], None]]:
    other = _OTHER[type(ops[position])]()
    return f"{_name(ops[position])} -> {_name(other)}", lambda: ops.__setitem__(position, other)  # type: ignore[call-overload]  # a comparison for one


def _name(op: ast.AST) -> str:
    return type(op).__name__
