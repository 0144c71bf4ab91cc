"""Who needs which object, and how an object goes when nobody does.

Writers note a reference first and write the object after it; whoever removes an object moves it into a grave first and
looks for references once more after that. So whatever the order in which the two meet, in one process or in several:

* a reference noted before that second look is seen by it, and the object is put back;
* a reference noted after it is followed by a write that finds the object gone, and writes it.

Once both are through, an object with a reference is there. In between it may be missing for as long as a rename and a
listing take. A process that is killed on the way leaves at most markers without an object, objects without a reference
and graves: the next sweep settles them. Every removal has a grave of its own, so that two removals of one object never
take each other's copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

from processors.media.backend import Backend
from processors.media.layout import ObjectKey, Reference, posts_folder, reference_at_post


class References:
    """The markers of one store. All methods block, and raise `StoreAway`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def note(self, reference: Reference) -> None:
        """Found from the post before it is found from the object: a deletion of the post misses nothing."""
        self._backend.write(reference.at_post, b"")
        self._backend.write(reference.at_object, b"")

    def drop(self, reference: Reference) -> bool:
        """Whether it was there. From the post first: what is cut off half-way is found again from the object."""
        self._backend.delete_with_folder(reference.at_post)
        return self._backend.delete_with_folder(reference.at_object)

    def of_post(self, post: str) -> list[Reference]:
        """All references of a post, by its hash."""
        found = (reference_at_post(entry.path) for entry in self._backend.list(posts_folder(post)))
        return [reference for reference in found if reference is not None]

    def retire(self, key: ObjectKey) -> bool:
        """Remove an object, unless it is needed; whether it is gone by this."""
        if self._needed(key):
            return False
        grave = key.grave(uuid4().hex)
        return self._backend.rename(key.path, grave) and self.settle(key, grave)

    def settle(self, key: ObjectKey, grave: str) -> bool:
        """Remove what is in a grave, or put it back if it is needed after all; whether it is gone by this."""
        if self._needed(key):
            self._backend.rename(grave, key.path)
            return False
        return self._backend.delete(grave)

    def _needed(self, key: ObjectKey) -> bool:
        found: Iterator[object] = self._backend.list(key.refs)
        return next(found, None) is not None
