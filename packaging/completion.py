#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""completion.py SHELL LISTING: the completion of ttmem for bash, zsh or fish.

All words come from the listing (ttmem --print-options). What is known here beside it is what
an argument is by its name, and that `run` is followed by somebody else's command line.
"""
import pathlib
import re
import sys

from listing import ALONE, Listing

HEAD = "# SPDX-License-Identifier: Apache-2.0\n# Made by packaging/completion.py.\n"
RUNS_A_PROGRAM = "run"
NAMES_A_COMMAND = "help"
FILE, DIRECTORY, PROCESS = "FILE", "DIR", "PID"  # arguments that the shells know about


def bash_quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def bash_value(option):
    """The case of one option: what its argument may be."""
    if option.values:
        return f"words={bash_quoted(' '.join(option.values))}"
    return {FILE: "compgen_of=-f", DIRECTORY: "compgen_of=-d",
            PROCESS: "words=$(cd /proc && echo [0-9]*)"}.get(option.argument, "")


def bash_cases(listing, command):
    for option in listing.all_options_of(command):
        if not option.argument:
            continue
        # an optional argument of a short option is joined to it; of a long one it follows "="
        names = [option.long + "="] if option.optional else [*option.names, option.long + "="]
        if option.detached and option.optional:
            names += option.names
        yield f"\t{'|'.join(command + ':' + n for n in names)}) {bash_value(option)} ;;\n"


def bash(listing):
    commands = [c.name for c in listing.commands]
    known = [ALONE, *commands]
    options = "".join(
        f"\t{bash_quoted(c)}) words="
        + bash_quoted(" ".join(n for o in listing.all_options_of(c) for n in o.names)) + " ;;\n"
        for c in known)
    values = "".join(case for c in known for case in bash_cases(listing, c))
    # an option whose argument stands apart takes the next word with it
    taking = "|".join(n for o in listing.all_options_of(RUNS_A_PROGRAM)
                      if o.argument and not o.optional for n in o.names)
    skip = f"\t\t{taking}) ((i++)) ;;\n" if taking else ""
    return f"""# bash completion for ttmem(1)
{HEAD}
# Where the program of "ttmem {RUNS_A_PROGRAM}" stands, in i; past the cursor while there is none.
_ttmem_find_program()
{{
	for ((i = 2; i <= COMP_CWORD; i++)); do
		case ${{COMP_WORDS[i]}} in
		--) ((i++)); return ;;
		=) ((i++)) ;;
{skip}		-*) ;;
		*) return ;;
		esac
	done
}}

_ttmem_program()
{{
	if ((i == COMP_CWORD)); then
		mapfile -t COMPREPLY < <(compgen -c -- "$current")
	elif declare -F _command_offset >/dev/null; then
		_command_offset "$i"
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}}

_ttmem_words()
{{
	if [[ $current != -* ]]; then
		((COMP_CWORD == 1)) || [[ $command == {NAMES_A_COMMAND} ]] && words=$commands
		return
	fi
	case $command in
{options}	esac
}}

_ttmem()
{{
	local commands={bash_quoted(' '.join(commands))}
	local current=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}}
	local command='' words='' compgen_of='' i
	COMPREPLY=()

	if ((COMP_CWORD > 1)) && [[ " $commands " == *" ${{COMP_WORDS[1]}} "* ]]; then
		command=${{COMP_WORDS[1]}}
	fi
	if [[ $command == {RUNS_A_PROGRAM} ]]; then
		_ttmem_find_program
		if ((i <= COMP_CWORD)); then
			_ttmem_program
			return
		fi
	fi

	# "--format=json" is three words where COMP_WORDBREAKS has "=", and one where not
	if [[ $current == = ]]; then
		option+== current=''
	elif [[ $option == = ]]; then
		option=${{COMP_WORDS[COMP_CWORD - 2]}}=
	elif [[ $current == --*=* ]]; then
		option=${{current%%=*}}= current=${{current#*=}}
	fi
	case $command:$option in
{values}	*=) ;;
	*) _ttmem_words ;;
	esac
	if [[ $compgen_of ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen "$compgen_of" -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	fi
}}
complete -F _ttmem ttmem
"""


def zsh_text(text):
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def zsh_quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_argument(option):
    name = zsh_text(option.argument.lower())
    if option.values:
        return f":{name}:({' '.join(option.values)})"
    action = {FILE: "_files", DIRECTORY: "_files -/", PROCESS: "_pids"}.get(option.argument, " ")
    return f"{':' if option.optional else ''}:{name}:{action}"


def zsh_options(listing, command):
    """One specification for each name; the names of one option exclude each other."""
    for option in listing.all_options_of(command):
        for name in option.names:
            long = name.startswith("--")
            joined = ""
            if option.argument:
                joined = ("=-" if long else "-") if option.optional and not option.detached else \
                         ("=" if long else "+")
            others = f"({' '.join(option.names)})" if len(option.names) > 1 else ""
            yield zsh_quoted(f"{others}{name}{joined}[{zsh_text(option.help)}]"
                             + (zsh_argument(option) if option.argument else ""))


def zsh(listing):
    def arguments(command, operands):
        rows = [*zsh_options(listing, command), *operands]
        return " \\\n".join(f"\t\t\t\t{row}" for row in rows)

    described = "\n".join(f"\t\t{zsh_quoted(c.name + ':' + zsh_text(c.help))}"
                          for c in listing.commands)
    operands = {RUNS_A_PROGRAM: ["'(-)1:program:_command_names -e'", "'*::argument:_normal'"],
                NAMES_A_COMMAND: [f"'1:command:({' '.join(c.name for c in listing.commands)})'"]}
    cases = "".join(f"\t\t{c.name})\n\t\t\t_arguments -s -S \\\n"
                    f"{arguments(c.name, operands.get(c.name, []))} ;;\n" for c in listing.commands)
    return f"""#compdef ttmem
{HEAD}
_ttmem() {{
	local curcontext=$curcontext state line
	local -a subcommands
	typeset -A opt_args
	subcommands=(
{described}
	)
	_arguments -C -s \\
{arguments(ALONE, ["'(-)1:command:->command'", "'(-)*::argument:->arguments'"])} && return
	case $state in
	command)
		_describe -t commands command subcommands ;;
	arguments)
		curcontext=${{curcontext%:*:*}}:ttmem-$words[1]:
		case $words[1] in
{cases}		esac ;;
	esac
}}

_ttmem "$@"
"""


def fish_quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_option(option, condition):
    parts = ["complete -c ttmem", f"-n {fish_quoted(condition)}", f"-l {option.long[2:]}"]
    if option.short:
        parts.append(f"-s {option.short[1:]}")
    if option.argument and not option.optional:
        parts.append("-r")
    if option.values:
        parts.append(f"-f -a {fish_quoted(' '.join(option.values))}")
    elif option.argument in (FILE, DIRECTORY, PROCESS):
        parts.append({FILE: "-F", DIRECTORY: "-f -a '(__fish_complete_directories)'",
                      PROCESS: "-f -a '(__fish_complete_pids)'"}[option.argument])
    elif option.argument:
        parts.append("-f")
    return " ".join([*parts, f"-d {fish_quoted(option.help)}"])


def fish(listing):
    lines = [f"# fish completion for ttmem(1)\n{HEAD}",
             "# the command is the first word after ttmem, nowhere else",
             "function __ttmem_is",
             "    set -l words (commandline -opc)",
             "    test (count $words) -gt 1; and test $words[2] = $argv[1]",
             "end", "",
             "function __ttmem_alone",
             "    set -l words (commandline -opc)",
             "    test (count $words) -eq 1; or string match -q -- '-*' $words[2]",
             "end", "",
             "function __ttmem_first",
             "    test (count (commandline -opc)) -eq 1",
             "end", "",
             "# is the word at the cursor the program of run, or does it stand behind that?",
             "function __ttmem_program",
             "    set -l words (commandline -opc) (commandline -ct)",
             f"    test (count $words) -gt 2; and test $words[2] = {RUNS_A_PROGRAM}; or return 1",
             "    string match -q -- '--' $words[3..-2]; or string match -qv -- '-*' $words[3..-1]",
             "end", "",
             "complete -c ttmem -f"]
    for command in listing.commands:
        lines.append(f"complete -c ttmem -n __ttmem_first -a {command.name} "
                     f"-d {fish_quoted(command.help)}")
    lines += [fish_option(o, "__ttmem_alone") for o in listing.all_options_of(ALONE)]
    for command in listing.commands:
        free = "; and not __ttmem_program" if command.name == RUNS_A_PROGRAM else ""
        lines += [fish_option(o, f"__ttmem_is {command.name}{free}")
                  for o in listing.all_options_of(command.name)]
    names = " ".join(c.name for c in listing.commands)
    lines += [f"complete -c ttmem -n '__ttmem_is {NAMES_A_COMMAND}' -a '{names}'",
              "complete -c ttmem -n __ttmem_program -x "
              "-a '(__fish_complete_subcommand --fcs-skip=2)'"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    rows = Listing(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    sys.stdout.write({"bash": bash, "zsh": zsh, "fish": fish}[sys.argv[1]](rows))
