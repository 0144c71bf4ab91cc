"""`modstream policy`: check a policy, and show what it says for a tenant, a region and a language."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from commands.arguments import add_json, add_settings, settings_of
from commands.terminal import counted, put_json, put_table, say
from processors.pack.features import FEATURES
from processors.packs import load_pack
from processors.policy import Level, check_policy, describe, load_policy

EPILOG = """
Problems go to stderr, each with line and column; then, if there is no error, what is in effect, each with the layer
that set it. Thresholds that no layer sets are those of the pack.
"""


def configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="check a policy and show what is in effect",
        description="Check a policy and show what is in effect for a tenant, a region and a language.",
        epilog=EPILOG,
    )
    check.add_argument("file", type=Path, metavar="FILE", help="the policy (YAML)")
    check.add_argument("--tenant", metavar="NAME", help="as posts name it (default: none)")
    check.add_argument("--region", metavar="NAME", help="as posts name it (default: none)")
    check.add_argument("--lang", metavar="CODE", help="language, ISO 639 (default: none)")
    add_json(check, "print one JSON object: policy, effective and problems")
    add_settings(check, ("pack",))
    check.set_defaults(run=run_check)


def run_check(args: Namespace) -> int:
    thresholds = load_pack(settings_of(args).pack).thresholds
    problems = check_policy(args.file, thresholds, FEATURES)
    for problem in problems:
        say(str(problem))
    if errors := sum(problem.level is Level.ERROR for problem in problems):
        if args.json:
            put_json({"problems": msgspec.to_builtins(problems)})
        say(f"modstream: {args.file} has {counted(errors, 'error')} and cannot be used")
        return 1
    policy = load_policy(args.file, thresholds, FEATURES)
    effective = describe(policy.effective(args.tenant, args.region, args.lang))
    if args.json:
        put_json(
            {"policy": policy.reference, "effective": effective, "problems": msgspec.to_builtins(problems)},
        )
    else:
        put_table(("SETTING", "VALUE", "FROM"), list(_rows(effective)))
    say(f"{args.file} is valid: {policy.reference}, layers {', '.join(cast('list[str]', effective['layers']))}")
    return 0


def _rows(effective: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, rule in effective["rules"].items():
        yield f"rules.{name}", f"{rule['action']} when {rule['when']}", rule["from"]
    for name, layer in effective["disabled_rules"].items():
        yield f"rules.{name}", "disabled", layer
    for section, settings in effective.items():
        if section in ("layers", "rules", "disabled_rules"):
            continue
        if "value" in settings:
            yield section, _cell(settings["value"]), settings["from"]
        else:
            for name, setting in settings.items():
                yield f"{section}.{name}", _cell(setting["value"]), setting["from"]


def _cell(value: Any) -> str:
    return ", ".join(map(str, cast("list[object]", value))) if isinstance(value, list | tuple) else str(value)
