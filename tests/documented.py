"""What the documentation must name."""

from collections.abc import Callable, Iterator

from typer import Typer


def commands(group: Typer, words: str) -> Iterator[str]:
    """Every command of `group` as it is typed: `paperround digest send`."""
    for command in group.registered_commands:
        yield f"{words} {command.name or _spoken(command.callback)}"
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            yield from commands(inner.typer_instance, f"{words} {inner.name}")


def _spoken(function: Callable[..., object] | None) -> str:
    return getattr(function, "__name__", "").rstrip("_").replace("_", "-")
