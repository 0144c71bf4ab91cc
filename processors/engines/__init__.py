"""Inference engines, and how rows of different lengths go through one without influencing each other."""

from processors.engines.bucketed import BucketedRunner
from processors.engines.engine import DEVICES, Device, Engine, EngineError, EngineStatistics, TensorSpec
from processors.engines.isolated import IsolatedRunner
from processors.engines.onnx_runtime import OnnxEngine
from processors.engines.opening import open_engine
from processors.engines.runner import RowModel, Rows, Runner
from processors.engines.tensorrt import TensorRtEngine

__all__ = [
    "DEVICES",
    "BucketedRunner",
    "Device",
    "Engine",
    "EngineError",
    "EngineStatistics",
    "IsolatedRunner",
    "OnnxEngine",
    "RowModel",
    "Rows",
    "Runner",
    "TensorRtEngine",
    "TensorSpec",
    "open_engine",
]
