"""What a command says when it cannot do its work: one line in Chinese on standard error, and the exit status.

Click's own sentences are English and stand under a usage message; ``speak_plainly`` puts ours in their place for
every command of an application.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from weakref import WeakSet

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from zhtj.kernel.errors import DomainError

P = ParamSpec("P")
R = TypeVar("R")
NOT_SO, WRONG_USE = 1, 2
# Commands belong to their modules, and several applications of one process share them.
_known: WeakSet[click.Command] = WeakSet()


def speak_plainly(command: click.Command) -> None:
    """Let ``command`` and all below it refuse in one line: wrong use 2, a rule's refusal 1."""
    if command in _known:
        return
    _known.add(command)
    command.make_context = _plainly(command.make_context)  # type: ignore[method-assign]
    if isinstance(command, click.Group):
        command.resolve_command = _plainly(command.resolve_command)  # type: ignore[method-assign]
        for child in command.commands.values():
            speak_plainly(child)
    else:
        command.invoke = _plainly(command.invoke)  # type: ignore[method-assign]


def _plainly(step: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(step)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return step(*args, **kwargs)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            status, sentence = WRONG_USE, f"{_wrong_use(error)}；用法见 --help"
        except DomainError as error:
            status, sentence = NOT_SO, str(error)
        except (OperationalError, ProgrammingError) as error:
            reason = str(error.orig).partition("\n")[0]
            status, sentence = WRONG_USE, f"数据库不能使用（{reason}）；新的数据库请先执行 flask --app app db upgrade"
        click.echo(sentence, err=True)
        raise SystemExit(status)

    return run


def _wrong_use(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}"
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} 的写法不对"
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = error.param.opts[0] if isinstance(error.param, click.Option) else error.param.human_readable_name
        if isinstance(error, click.MissingParameter):
            return f"缺少 {name}"
        kind = error.param.type
        choices = f"，可选：{'、'.join(map(str, kind.choices))}" if isinstance(kind, click.Choice) else ""
        return f"{name} 的值不对{choices}"
    return "没有这样的命令或参数"
