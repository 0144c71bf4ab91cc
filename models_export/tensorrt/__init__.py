"""TensorRT engines of a pack's graphs, built ahead for one GPU: which shapes, how a graph is made ready, the build."""
