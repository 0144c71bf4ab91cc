"""The settings: one typed tree, read from environment, file and flags, with the source of every value."""

from __future__ import annotations

from streams.settings.catalogue import Entry, catalogue, shown
from streams.settings.console import ConsoleSettings
from streams.settings.insights import InsightSettings
from streams.settings.kafka import (
    GroupProtocol,
    KafkaSettings,
    SaslMechanism,
    SecurityProtocol,
    SecuritySettings,
    TopicSettings,
)
from streams.settings.load import Loaded, SettingsError, Source, load_settings
from streams.settings.media import (
    AsrSettings,
    HallucinationCheck,
    KnownSettings,
    MediaSettings,
    OcrSettings,
    StoreSettings,
)
from streams.settings.privacy import PrivacySettings
from streams.settings.private import Overrides, Secret
from streams.settings.shadow import CanarySettings, ShadowSettings
from streams.settings.tree import (
    Delivery,
    HttpSettings,
    MetricSettings,
    Settings,
    TracingSettings,
)
from streams.settings.work import (
    BatchSettings,
    BreakerSettings,
    Device,
    LimitSettings,
    RetrySettings,
    StageBatch,
    WorkerSettings,
)

__all__ = [
    "AsrSettings",
    "BatchSettings",
    "BreakerSettings",
    "CanarySettings",
    "ConsoleSettings",
    "Delivery",
    "Device",
    "Entry",
    "GroupProtocol",
    "HallucinationCheck",
    "HttpSettings",
    "InsightSettings",
    "KafkaSettings",
    "KnownSettings",
    "LimitSettings",
    "Loaded",
    "MediaSettings",
    "MetricSettings",
    "OcrSettings",
    "Overrides",
    "PrivacySettings",
    "RetrySettings",
    "SaslMechanism",
    "Secret",
    "SecurityProtocol",
    "SecuritySettings",
    "Settings",
    "SettingsError",
    "ShadowSettings",
    "Source",
    "StageBatch",
    "StoreSettings",
    "TopicSettings",
    "TracingSettings",
    "WorkerSettings",
    "catalogue",
    "load_settings",
    "shown",
]
