"""`modstream replay`: judges a topic's past again, and shows what would change."""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import sqlite3
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from msgspec.structs import replace

from commands.arguments import CONNECTION, MEDIA, MODEL, add_json, add_settings, given, settings_of
from commands.failures import CommandFailed
from commands.replay_report import write_report
from commands.terminal import say
from processors.pack.features import FEATURES
from processors.packs import Pack, load_pack
from processors.policy import Policy, PolicyError, load_policy
from schemas.post import MAX_ID_CHARS
from streams.access import connect
from streams.replay.features import TextFeatures
from streams.replay.judging import ByChain, ByPolicy, Judge, PolicyThenChain
from streams.replay.plan import Asked, Plan, encoded, input_topics, kept_plan, new_plan, replay_grants, settings_hash
from streams.replay.question import QuestionError, Selection, selection_of
from streams.replay.rejudge import Rejudge
from streams.replay.run import Replay
from streams.replay.store import ReplayStore
from streams.settings import Settings, load_settings

MAX_IDS_BYTES = 512 * 1024 * 1024
"""Of a file of post ids: some ten million of them."""

MEDIA_FOLDER = "media"
"""Below --out, while the chain judges: media that it fetches."""

EPILOG = """
Reads posts, decisions and feedback without joining a group, and publishes nothing. With --policy alone, the policy is
applied to the published decisions and no model runs; with --pack, or neither, the whole chain judges the posts again.
Writes report.html, report.json, pairs.jsonl (a post a line) and run.json (what it took) to --out. Cut off and called
again with the same arguments, it goes on where it was; what is published meanwhile does not count.
"""


def configure(parser: ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--since", metavar="TIME", help="posts from this time on: ISO, or how long ago (90m, 2h, 7d)")
    parser.add_argument("--until", metavar="TIME", help="posts before this time")
    parser.add_argument(
        "--offsets", action="append", default=[], metavar="TOPIC-P:FROM-TO", help="a stretch of a partition; repeatable"
    )
    parser.add_argument(
        "--tenant", type=_name, action="append", default=[], metavar="NAME", help="of this tenant; repeatable"
    )
    parser.add_argument(
        "--post-id", type=_name, action="append", default=[], metavar="ID", help="this post; repeatable"
    )
    parser.add_argument("--post-ids", type=Path, metavar="FILE", help="the posts whose ids are in FILE, one a line")
    parser.add_argument(
        "--sample", type=_share, default=1.0, metavar="SHARE", help="a share of the posts, by a hash of the id: 0.1"
    )
    parser.add_argument("--full", action="store_true", help="judge with the whole chain, with --policy alone too")
    parser.add_argument(
        "--full-where-needed", action="store_true", help="with --policy alone: the chain for what that cannot decide"
    )
    parser.add_argument(
        "--policy-before", type=Path, metavar="FILE", help="the policy that made the decisions; default: that in force"
    )
    parser.add_argument("--with-text", action="store_true", help="show the beginning of the posts' texts")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the report")
    add_json(parser, "print a summary as JSON")
    add_settings(parser, (*CONNECTION, *MODEL, *MEDIA))
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = settings_of(args)
    began_s = time.monotonic()
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        with closing(ReplayStore(args.out)) as store:
            return _replay(args, settings, store, began_s)
    except sqlite3.DatabaseError as error:
        raise CommandFailed(
            f"{args.out}/replay.sqlite: {error}: expected a folder that no other replay is writing to, with room left"
        ) from None


def _replay(args: Namespace, settings: Settings, store: ReplayStore, began_s: float) -> int:
    pack = load_pack(settings.pack)
    policy = load_policy(settings.policy, pack.thresholds, FEATURES)
    live = load_settings(args.config, os.environ, _without_models(args)).settings
    live_pack = pack if live.pack == settings.pack else load_pack(live.pack)
    alone = policy_alone(args, pack, live_pack)
    for option, value in {"--policy-before": args.policy_before, "--full-where-needed": args.full_where_needed}.items():
        if value and not alone:
            raise CommandFailed(
                f"{option} is for a policy alone: expected --policy, and neither --full nor another --pack"
            )
    before = _policy_before(args, live, settings, pack) if alone else None
    ids = _ids(args)
    asked = Asked(
        since=args.since,
        until=args.until,
        offsets=tuple(sorted(args.offsets)),
        tenants=tuple(sorted(set(args.tenant))),
        post_ids=len(ids),
        post_ids_sha256=hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest() if ids else None,
        sample=args.sample,
        mode="policy" if alone else "chain",
        full_where_needed=alone and args.full_where_needed,
        with_text=args.with_text,
        pack=pack.version,
        policy=policy.reference,
        policy_before=before.reference if before is not None else None,
        prefix=settings.topics.prefix,
        code=version("modstream"),
        settings_sha256=settings_hash(settings),
        authors=_check_value(settings),
    )
    plan = _planned(args, settings, store, asked, ids)
    judge, posts = _judge(settings, pack, policy, before, live_pack, asked, args.out)
    try:
        Replay(settings, store, plan, judge, posts=posts).run(say)
    finally:
        shutil.rmtree(args.out / MEDIA_FOLDER, ignore_errors=True)
    return write_report(store, asked, args.out, time.monotonic() - began_s, as_json=args.json)


def policy_alone(args: Namespace, pack: Pack, live_pack: Pack) -> bool:
    """Whether no model runs: --policy was given, and no pack but the one in force."""
    flags = given(args)
    return "policy" in flags and not args.full and pack.version == live_pack.version


def _planned(args: Namespace, settings: Settings, store: ReplayStore, asked: Asked, ids: Sequence[str]) -> Plan:
    """Raises CommandFailed."""
    try:
        plan = kept_plan(store, asked, str(args.out))
        if plan is not None:
            say(f"{args.out} holds this replay: going on where it was")
            return plan
        selection: Selection = selection_of(
            since=args.since,
            until=args.until,
            offsets=args.offsets,
            tenants=args.tenant,
            post_ids=ids,
            sample=args.sample,
            topics=input_topics(settings.topics.prefix),
            now_ms=time.time_ns() // 1_000_000,
        )
        admin = connect(settings, replay_grants(settings))
        plan = new_plan(settings, admin, asked, selection)
    except QuestionError as error:
        raise CommandFailed(str(error)) from None
    store.settle(encoded(plan))
    return plan


def _judge(
    settings: Settings, pack: Pack, policy: Policy, before: Policy | None, live_pack: Pack, asked: Asked, out: Path
) -> tuple[Judge, bool]:
    """The judge, and whether posts are read."""
    rejudge = Rejudge(pack, policy, before)
    features = TextFeatures(pack, settings) if rejudge.needs.features else None
    by_policy = ByPolicy(rejudge, features)
    if asked.mode == "policy" and not asked.full_where_needed:
        return by_policy, rejudge.needs.post or asked.with_text
    chain = _chain(settings, live_pack, asked.code, out)
    return (PolicyThenChain(by_policy, chain) if asked.mode == "policy" else chain), True


def _chain(settings: Settings, live_pack: Pack, code: str, out: Path) -> ByChain:
    """The processors of `modstream score`, but that media are written beside the live store, which is swept by nobody
    here, and that no evidence is looked for in texts: it is not compared."""
    from processors.chain import MediaParts, build_chain
    from streams.assembly import media_of, models_of, options_of
    from streams.replay.media import BesideStore
    from streams.topology import STAGES

    quiet = replace(
        settings,
        store=replace(settings.store, retention_days=0),
        limits=replace(settings.limits, evidence_rows=0),
    )
    live = media_of(quiet)
    shutil.rmtree(out / MEDIA_FOLDER, ignore_errors=True)  # of a run that was killed
    beside = BesideStore(out / MEDIA_FOLDER, live.store)
    options = options_of(quiet, code, max_attempts=0)
    processors = build_chain(options, models_of(quiet), MediaParts(beside, live.known), stages=STAGES)
    return ByChain(processors, beside, live_pack)


def _policy_before(args: Namespace, live: Settings, settings: Settings, pack: Pack) -> Policy | None:
    if args.policy_before is not None:
        return load_policy(args.policy_before, pack.thresholds, FEATURES)
    if live.policy == settings.policy:
        return None
    try:
        return load_policy(live.policy, pack.thresholds, FEATURES)
    except PolicyError as error:
        say(f"note: the policy in force cannot be used to tell what made the decisions: {error}")
        return None


def _without_models(args: Namespace) -> dict[str, str]:
    return {name: value for name, value in given(args).items() if name not in MODEL}


def _ids(args: Namespace) -> list[str]:
    """The post ids that were named, each once. Raises CommandFailed."""
    found = dict.fromkeys(args.post_id)
    if args.post_ids is not None:
        if (size := args.post_ids.stat().st_size) > MAX_IDS_BYTES:
            raise CommandFailed(f"{args.post_ids}: {size:,} bytes; expected at most {MAX_IDS_BYTES:,}")
        try:
            lines = args.post_ids.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise CommandFailed(
                f"{args.post_ids}: not UTF-8 at byte {error.start}; expected a post id a line"
            ) from None
        found |= dict.fromkeys(line for line in lines if line)
        if not found:
            raise CommandFailed(f"{args.post_ids}: empty; expected a post id a line")
    for post_id in found:
        if len(post_id) > MAX_ID_CHARS:
            raise CommandFailed(
                f"{post_id[:40]}…: {len(post_id):,} characters; expected a post id, at most {MAX_ID_CHARS}"
            )
    return list(found)


def _check_value(settings: Settings) -> str | None:
    """Tells one key of the authors' hashes from another, and nothing else about it."""
    key = settings.privacy.hash_key
    return None if key is None else hmac.new(key.reveal().encode(), b"replay", hashlib.sha256).hexdigest()[:8]


def _name(text: str) -> str:
    """What may name something in a post."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError(f"{text!r}: not UTF-8; no post has such a name") from None
    return text


def _share(text: str) -> float:
    """Above 0, at most 1."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise ArgumentTypeError(f"{text!r}: expected a share above 0 and at most 1, such as 0.1")
    return found
