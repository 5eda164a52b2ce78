"""The plugins of TensorRT that Hone has as operators of its own, for programs that ask whether they are there."""

from dataclasses import dataclass
from typing import Any

from ._api import Api, Extensible

_NAMES = ("BatchedNMSDynamic_TRT", "BatchedNMS_TRT", "EfficientNMS_TRT")


@dataclass(frozen=True)
class PluginCreator(Extensible):
    """A plugin's name. It needs no creating: the operator in the ONNX model is enough."""

    name: str
    plugin_version: str = "1"
    plugin_namespace: str = ""


class IPluginRegistry(Api):
    @property
    def plugin_creator_list(self) -> list[PluginCreator]:
        return [PluginCreator(name) for name in _NAMES]

    all_creators = plugin_creator_list

    def get_plugin_creator(self, type: str, version: str,  # noqa: A002
                           plugin_namespace: str = "") -> PluginCreator | None:
        return PluginCreator(type) if type in _NAMES and version == "1" else None

    get_creator = get_plugin_creator


def get_plugin_registry() -> IPluginRegistry:
    return IPluginRegistry()


def init_libnvinfer_plugins(logger: Any, namespace: str) -> bool:
    """True: they are always there."""
    return True
