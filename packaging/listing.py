# SPDX-License-Identifier: Apache-2.0
"""What `ttmem --print-options` says, as data; src/tool/main.c describes the lines."""
import dataclasses

ANY = "*"    # in Option.command: an option of every command
ALONE = ""   # an option of ttmem without a command


@dataclasses.dataclass(frozen=True)
class Command:
    name: str
    help: str


@dataclasses.dataclass(frozen=True)
class Option:
    command: str
    long: str        # with its dashes
    short: str       # likewise; empty: none
    argument: str    # its name; empty: takes none
    optional: bool   # the argument may be left out
    detached: bool   # it may follow as a word of its own
    values: tuple    # all that the argument may be; empty: not a list
    help: str

    @property
    def names(self):
        return [name for name in (self.short, self.long) if name]


class Listing:
    def __init__(self, text):
        self.commands, self.options = [], []
        for line in text.splitlines():
            kind, *fields = line.split("\t")
            if kind == "command":
                self.commands.append(Command(*fields))
            elif kind == "option":
                self.options.append(self._option(*fields))
            else:
                raise ValueError(f"what is this line of the listing? {line!r}")
        if not self.commands or not self.options:
            raise ValueError("the listing is empty")

    @staticmethod
    def _option(command, long, short, argument, values, text):
        optional = argument.startswith("[")
        return Option(command, long, short and "-" + short.lstrip("-"), argument.strip("[=]"),
                      optional, bool(argument) and not argument.startswith("[="),
                      tuple(filter(None, values.split(","))), text)

    def options_of(self, command):
        """What a command takes beside the options of all."""
        return [option for option in self.options if option.command == command]

    def all_options_of(self, command):
        return self.options_of(command) + self.options_of(ANY)
