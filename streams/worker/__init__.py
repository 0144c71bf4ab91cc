"""The worker: a segment of the chain between Kafka and Kafka."""

from streams.worker.delivery import Committed
from streams.worker.identity import IdentityTaken
from streams.worker.loop import Broken, Fenced
from streams.worker.outcomes import Versions
from streams.worker.worker import Worker

__all__ = ["Broken", "Committed", "Fenced", "IdentityTaken", "Versions", "Worker"]
