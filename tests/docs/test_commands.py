"""What the pages tell people to type is accepted: targets, commands, options, settings. Nothing is executed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commands.main import COMMANDS, build_parser
from streams.settings import load_settings
from tests.docs.pages import PAGES, ROOT, SHELL, Command, blocks, commands, exports, in_line_code, name_of

TARGETS = frozenset(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
ALL = [command for page in PAGES for command in commands(page)]

OF_A_CHANGED_COPY = "docs/add-a-stage.md"
"""Its commands know a stage that this code does not have; test_add_a_stage.py runs them where it is."""

MODSTREAM = [
    command for command in ALL if Path(command.words[0]).name == "modstream" and command.page != OF_A_CHANGED_COPY
]
MAKE = [command for command in ALL if command.words[0] == "make"]
SCRIPTS = [command for command in ALL if command.words[0].startswith(".venv/") and command not in MODSTREAM]

TOOLS = frozenset({"pre-commit", "pytest", "python"})
"""What requirements/dev.lock puts beside `modstream` into .venv/bin."""

EXPORTING = [(name_of(page), found) for page in PAGES for block in blocks(page, SHELL) if (found := exports(block))]


@pytest.mark.parametrize("command", MODSTREAM, ids=str)
def test_a_command_is_accepted(command: Command) -> None:
    arguments = list(command.words[1:])
    assert arguments, "no command is named"
    assert callable(build_parser(arguments).parse_args(arguments).run)


@pytest.mark.parametrize("command", MAKE, ids=str)
def test_a_target_exists(command: Command) -> None:
    targets = [word for word in command.words[1:] if "=" not in word]
    assert targets
    assert TARGETS.issuperset(targets)


@pytest.mark.parametrize("command", SCRIPTS, ids=str)
def test_a_script_of_the_environment_is_one_that_setup_puts_there(command: Command) -> None:
    assert Path(command.words[0]).name in TOOLS


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_targets_and_commands_that_the_text_names_exist(page: Path) -> None:
    for code in in_line_code(page):
        program, _, rest = code.partition(" ")
        named = re.match(r"[a-z][a-z-]*", rest)
        if program == "make" and named:
            assert named[0] in TARGETS, code
        elif program == "modstream" and named:
            assert named[0] in COMMANDS, code


@pytest.mark.parametrize(("page", "environment"), EXPORTING, ids=str)
def test_what_is_exported_is_a_setting_with_a_valid_value(page: str, environment: dict[str, str]) -> None:
    # A path on the reader's machine stands for a file that is there.
    here = {name: str(ROOT / "README.md") if value.startswith("/") else value for name, value in environment.items()}
    assert load_settings(env=here).settings


def test_there_is_something_to_check() -> None:
    assert len(MODSTREAM) > 15
    assert len(MAKE) > 5
    assert EXPORTING
