"""Where the media store keeps what: paths below its root, and what their names mean.

    objects/<tenant>/<xx>/<sha256>                      the bytes
    refs/<tenant>/<xx>/<sha256>/<post>.<hour>           empty: the object is needed by this post since that hour
    posts/<post>/<tenant>.<sha256>.<hour>               empty: the same, to be found from the post
    graves/<tenant>.<sha256>.<one removal's own name>   an object that is just being removed

`<tenant>` and `<post>` are hashes: names come from producers and may hold anything, `/` and `..` among it. `<xx>` are
the first two digits of the object's sha256, so that no folder, and no listing, grows without bounds. A reference has
its hour in its name, so that one that has expired is never the same marker as one that is being written now.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

OBJECTS = "objects"
REFS = "refs"
POSTS = "posts"
GRAVES = "graves"

HOUR_S = 3_600
"""References are as old as the hour that they were made in: fine enough for a retention of days, and coarse enough that
retries of a post do not each leave one."""

KEY_DIGITS = 32
"""128 bits of a hash: collisions cannot be made."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One tenant's object. Tenants share nothing: the same bytes are one object for each of them."""

    tenant: str
    """Hash of the tenant's name."""
    sha256: str

    @property
    def shard(self) -> str:
        return self.sha256[:2]

    @property
    def path(self) -> str:
        return f"{OBJECTS}/{self.tenant}/{self.shard}/{self.sha256}"

    @property
    def refs(self) -> str:
        return f"{REFS}/{self.tenant}/{self.shard}/{self.sha256}"

    def grave(self, name: str) -> str:
        return f"{GRAVES}/{self.tenant}.{self.sha256}.{name}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A post needs an object since an hour (counted from the epoch); kept as two markers."""

    object: ObjectKey
    post: str
    """Hash of the post's id."""
    hour: int

    @property
    def at_object(self) -> str:
        return f"{self.object.refs}/{self.post}.{self.hour}"

    @property
    def at_post(self) -> str:
        return f"{posts_folder(self.post)}/{self.object.tenant}.{self.object.sha256}.{self.hour}"

    def expired(self, older_than_s: float, now_s: float) -> bool:
        """Whether all of its hour is further back than that: never early, and at most an hour late."""
        return (self.hour + 1) * HOUR_S + older_than_s <= now_s


def is_sha256(text: str) -> bool:
    return _SHA256.fullmatch(text) is not None


def key_of(name: str) -> str:
    """What stands for a tenant's name or a post's id in a path."""
    return hashlib.sha256(name.encode()).hexdigest()[:KEY_DIGITS]


def object_key(tenant: str, sha256: str) -> ObjectKey:
    """Raises ValueError for what is no sha256 in lower-case hex: it would become part of a path."""
    if not is_sha256(sha256):
        raise ValueError(f"{sha256[:80]!r} is no address of an object, expected 64 digits of lower-case hex")
    return ObjectKey(key_of(tenant), sha256)


def posts_folder(post: str) -> str:
    return f"{POSTS}/{post}"


def object_at(path: str) -> ObjectKey | None:
    """The object whose bytes lie there; None for a name that is none of ours."""
    match path.split("/"):
        case [_, tenant, _, sha256]:
            return _key(tenant, sha256)
        case _:
            return None


def object_in_grave(path: str) -> ObjectKey | None:
    match path.rpartition("/")[2].split("."):
        case [tenant, sha256, _]:
            return _key(tenant, sha256)
        case _:
            return None


def reference_at_object(path: str) -> Reference | None:
    match path.replace(".", "/").split("/"):
        case [_, tenant, _, sha256, post, hour]:
            return _reference(_key(tenant, sha256), post, hour)
        case _:
            return None


def reference_at_post(path: str) -> Reference | None:
    match path.replace(".", "/").split("/"):
        case [_, post, tenant, sha256, hour]:
            return _reference(_key(tenant, sha256), post, hour)
        case _:
            return None


def _key(tenant: str, sha256: str) -> ObjectKey | None:
    return ObjectKey(tenant, sha256) if is_sha256(sha256) else None


def _reference(key: ObjectKey | None, post: str, hour: str) -> Reference | None:
    return Reference(key, post, int(hour)) if key is not None and hour.isdecimal() else None
