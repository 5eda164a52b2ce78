"""SessionOptions, RunOptions and the enumerations they take."""

from __future__ import annotations

import enum


class GraphOptimizationLevel(enum.IntEnum):
    """From ORT_ENABLE_EXTENDED on, kernels are chosen by measuring them when a session is created."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class _Options:
    """Attributes with defaults; others can be neither read nor set."""

    _defaults: dict[str, object] = {}

    def __init__(self):
        self.__dict__.update(self._defaults)
        self.__dict__["_entries"] = {}

    def __setattr__(self, name: str, value):
        if name not in self._defaults:
            raise AttributeError(self._absent(name))
        self.__dict__[name] = value

    def __getattr__(self, name: str):
        raise AttributeError(self._absent(name))

    def _absent(self, name: str) -> str:
        return f"hone.onnxruntime.{type(self).__name__}.{name} isn't there yet"


class SessionOptions(_Options):
    """`intra_op_num_threads` (0: as many as the process may use) and `graph_optimization_level` are honoured. The
    others are taken and change nothing, since an engine works without them; profiling and saving the optimized model
    are refused when a session is created.
    """

    _defaults = {
        "enable_cpu_mem_arena": True,
        "enable_mem_pattern": True,
        "enable_mem_reuse": True,
        "enable_profiling": False,
        "execution_mode": ExecutionMode.ORT_SEQUENTIAL,
        "graph_optimization_level": GraphOptimizationLevel.ORT_ENABLE_ALL,
        "inter_op_num_threads": 0,
        "intra_op_num_threads": 0,
        "log_severity_level": -1,
        "log_verbosity_level": 0,
        "logid": "",
        "optimized_model_filepath": "",
        "profile_file_prefix": "onnxruntime_profile_",
        "use_deterministic_compute": False,
        "use_per_session_threads": True,
    }

    def add_session_config_entry(self, key: str, value: str) -> None:
        """Kept; no entry means anything to Hone."""
        self._entries[key] = value

    def get_session_config_entry(self, key: str) -> str:
        """Raises RuntimeError for a key that wasn't added."""
        if key not in self._entries:
            raise RuntimeError(f"SessionOptions does not have configuration with key: {key}")
        return self._entries[key]


class RunOptions(_Options):
    """Taken by run(); nothing of it changes a run."""

    _defaults = {
        "log_severity_level": -1,
        "log_verbosity_level": 0,
        "logid": "",
        "only_execute_path_to_fetches": False,
        "terminate": False,
    }

    def add_run_config_entry(self, key: str, value: str) -> None:
        self._entries[key] = value

    def get_run_config_entry(self, key: str) -> str:
        """Raises RuntimeError for a key that wasn't added."""
        if key not in self._entries:
            raise RuntimeError(f"RunOptions does not have configuration with key: {key}")
        return self._entries[key]
