"""Groups of commands: their help in sections, and what a wrong word or value was meant to be."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from paperround.core.setting_errors import reason_of

SECTIONS: Mapping[str | None, Mapping[str, str]] = {
    "paperround": {
        "Try it": "demo try once",
        "Set up and run": "init feeds serve doctor operators keys dkim db",
        "Papers and digests": "lists digest ingest rank channels",
        "People": "subscribers suppressions bounces",
        "Look closer": "stats audit learn evaluate",
        "Run it in parts": "deliver tick scheduler worker",
    },
    "digest": {
        "Look and send": "preview test send status why missed",
        "Stop": "pause resume cancel",
        "Edit before it leaves": "hold pin drop note approve",
    },
    "feeds": {
        "Begin": "presets add list run check",
        "Change": "edit remove import export",
        "Look closer": "runs rejects kinds categories",
    },
    "subscribers": {
        "Look": "find show timeline history list",
        "Add and change": "add edit pause resend move",
        "Leave": "unsubscribe erase",
        "Files": "import export",
    },
}
"""The sections of each long help, in the order of a first day; others come last."""

_ALIKE = (
    "remove delete erase unsubscribe revoke lift archive",
    "start run serve",
    "setup install configure config init",
    "check status doctor test",
    "create new add subscribe",
    "change set update edit",
    "users people readers subscribers",
    "get info view show",
    "ls all list",
    "migrate upgrade",
)
"""Words of one meaning. One that a group does not know suggests those that it knows."""

_NAMED = {"ingest": "--file", "why": "--subscriber", "preview": "--subscriber", "test": "--to"}
"""The options that people forget to name, by command."""


class CommandGroup(TyperGroup):
    """A group whose help has sections, and that suggests commands and options by meaning."""

    def format_commands(self, _: Any, formatter: Any) -> None:
        """Write the commands, by section if there are any."""
        sections = {title: names.split() for title, names in SECTIONS.get(self.name, {}).items()}
        known = {name for names in sections.values() for name in names}
        sections["Commands"] = [name for name in self.commands if name not in known]
        width = formatter.width - 6 - max(map(len, self.commands))
        for title, names in sections.items():
            rows = [
                (name, self.commands[name].get_short_help_str(width))
                for name in names
                if name in self.commands
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that `args` names; fails with the nearest in meaning."""
        if args[0] not in self.commands and not ctx.resilient_parsing:
            near = " or ".join(f"`{ctx.command_path} {name}`" for name in self._meant(args[0]))
            hint = f": did you mean {near}?" if near else ""
            ctx.fail(f"there is no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)

    def _meant(self, word: str) -> list[str]:
        """Return the commands that `word` may mean, of this group before those inside it."""
        alike = {one for words in _ALIKE if word in words.split() for one in words.split()}
        own = [name for name in self.commands if name in alike]
        groups = [
            name for name, one in self.commands.items() if word in vars(one).get("commands", ())
        ]
        inside = [f"{group} {word}" for group in groups]
        return own + inside[:3] or get_close_matches(word, self.commands)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; errors of libraries get our words, and a word without its option is
        told the option."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            if faults := getattr(error.__cause__, "errors", None):
                error.message = reason_of(faults()[0])
            raise
        except TyperException as error:
            name = getattr(getattr(error, "ctx", None), "info_name", "")
            if name in _NAMED and name in self.commands and "unexpected extra" in error.message:
                error.message += f": write {_NAMED[name]} before it"
            raise
