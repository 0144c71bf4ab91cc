"""`modstream media`: the store of what was fetched, for operators."""

from __future__ import annotations

import asyncio
import time
from argparse import ArgumentParser, Namespace

from commands.arguments import add_json, add_settings, settings_of
from commands.failures import CommandFailed
from commands.terminal import counted, put_json, say
from processors.media.retention import DAY_S
from processors.media.store import MediaStore

SWEEP_EPILOG = """
Removes every reference to media that is older than store.retention_days, and every object that no post refers to any
more. Workers that fetch do the same once an hour; this does it now.
"""

FORGET_EPILOG = """
Removes the references of this post, in all tenants, and the objects that no other post refers to. Publishing a delete
(`modstream publish --delete POST_ID`) does the same and takes the post's decision back too: this is for media alone.
"""


def configure(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    sweep = actions.add_parser(
        "sweep",
        help="remove what is past its retention",
        description="Remove media past their retention.",
        epilog=SWEEP_EPILOG,
    )
    sweep.set_defaults(run=run_sweep)
    forget = actions.add_parser(
        "forget", help="remove one post's media", description="Remove one post's media.", epilog=FORGET_EPILOG
    )
    forget.add_argument("post_id", metavar="POST_ID", help="the post whose media go")
    forget.set_defaults(run=run_forget)
    for action in (sweep, forget):
        add_json(action, "print what was removed as JSON, on one line")
    add_settings(sweep, ("store.url", "store.retention_days"))
    add_settings(forget, ("store.url",))


def run_sweep(args: Namespace) -> int:
    store = settings_of(args).store
    if not store.retention_days:
        raise CommandFailed("store.retention_days is 0, which keeps media until their posts are deleted: expected more")
    swept = asyncio.run(MediaStore.open(store.url).sweep(store.retention_days * DAY_S, time.time()))
    if args.json:
        put_json({"objects": swept.objects, "bytes": swept.bytes, "references": swept.references})
    say(
        f"{counted(swept.objects, 'object')} ({swept.bytes / 1e6:,.1f} MB) and {counted(swept.references, 'reference')}"
        f" removed; older than {store.retention_days:g} days, or needed by no post"
    )
    return 0


def run_forget(args: Namespace) -> int:
    gone = asyncio.run(MediaStore.open(settings_of(args).store.url).forget(args.post_id))
    if args.json:
        put_json({"post_id": args.post_id, "objects": gone})
    say(f"{counted(gone, 'object')} removed" + ("" if gone else ": the post has none there that no other post needs"))
    return 0
