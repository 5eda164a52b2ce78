"""YOLOv7 and YOLOv7-tiny: definition, published checkpoints, export, training."""
