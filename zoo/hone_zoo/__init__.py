"""Hone's detectors in PyTorch: definitions, readers of published checkpoints, ONNX export, training on a world of their
own."""
