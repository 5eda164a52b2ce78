"""Reading checkpoints: formats, refusals, names."""

import collections
import os
import pickle
import tempfile
import unittest
import zipfile
from pathlib import Path

try:
    import torch
except ImportError as error:
    raise unittest.SkipTest(str(error)) from None

from hone_zoo import checkpoint
from hone_zoo.checkpoint import CheckpointError
from torch import nn


class Call:
    """Pickles as a call."""

    def __init__(self, function: object, *args: object) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple:
        return self.call


class Files(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = self.folder / "model.pt"

    def test_both_formats(self) -> None:
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(2, 2)).half()
        shared = torch.arange(24).reshape(2, 3, 4)
        content = {
            "model": model,
            "view": shared[1].t(),
            "whole": shared,
            "sizes": torch.Size([1, 2]),
            "set": {1, 2},
            "numbers": collections.OrderedDict(a=1.5),
            "flags": torch.tensor([True, False]),
            "none": torch.empty(0),
        }
        for archive in (True, False):
            torch.save(content, self.path, _use_new_zipfile_serialization=archive)
            found = checkpoint.read(self.path)
            state = checkpoint.state_dict(checkpoint.weights_of(found))
            self.assertEqual(list(state), list(model.state_dict()))
            self.assertTrue(all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items()))
            for name in ("view", "whole", "flags", "none"):
                self.assertTrue(torch.equal(found[name], content[name]), name)
            self.assertEqual((found["sizes"], found["set"], found["numbers"]), ((1, 2), {1, 2}, {"a": 1.5}))
            self.assertNotIsInstance(found["model"], nn.Module)

    def test_nothing_is_executed(self) -> None:
        victim = self.folder / "executed"
        for function, *args in (
            (os.system, f"touch {victim}"),
            (eval, f"open({str(victim)!r}, 'w')"),
            (exec, "1"),
            (open, str(victim), "w"),
            (os.mkdir, str(victim)),
            (__import__, "this"),
        ):
            for archive in (True, False):
                torch.save(
                    {"model": {"a": torch.ones(2)}, "more": Call(function, *args)},
                    self.path,
                    _use_new_zipfile_serialization=archive,
                )
                with self.assertRaisesRegex(CheckpointError, "wants to call .*refused"):
                    checkpoint.read(self.path)
        self.assertFalse(victim.exists())

    def test_tricks_of_the_pickle_machine(self) -> None:
        tricks = {
            b"(S'true'\nios\nsystem\n.": "wants to call os.system",
            b"ctorch._utils\n_rebuild_tensor_v2\n(N(dS'_call'\nNstb.": "wants to change a function",
            b"ctorch._utils\n_rebuild_tensor_v2\n(NI0\n(I2\nt(I1\ntI00\nNtR.": "described wrongly",
            b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nN(S'true'\ntNtR.": "unknown function",
            b"ccopy_reg\n_reconstructor\n(c__builtin__\nset\nNNtR.": "isn't a class",
            b"cbuiltins\ngetattr\n(cos\nS'system'\ntR(S'true'\ntR.": "not callable",
            b"S'0'\nQ.": "persistent|unknown kind|unpack",
            b"\x80\x02}q": "",
        }
        for data, message in tricks.items():
            with zipfile.ZipFile(self.path, "w") as archive:
                archive.writestr("archive/data.pkl", data)
            with self.assertRaisesRegex(CheckpointError, message, msg=data):
                checkpoint.read(self.path)

    def test_a_tensor_larger_than_its_memory(self) -> None:
        storage = torch.zeros(4)
        torch.save(storage.as_strided((5,), (0,)), self.path)
        with self.assertRaisesRegex(CheckpointError, "doesn't lie in its memory"):
            checkpoint.read(self.path)

    def test_damaged_files(self) -> None:
        torch.save({"model": {"a": torch.arange(100.0)}}, self.path)
        data = self.path.read_bytes()
        for end in range(0, len(data), len(data) // 40):
            self.path.write_bytes(data[:end])
            with self.assertRaises(CheckpointError):
                checkpoint.read(self.path)
        self.path.write_bytes(pickle.dumps({"model": 1}))
        with self.assertRaisesRegex(CheckpointError, "isn't a checkpoint"):
            checkpoint.read(self.path)
        with self.assertRaises(FileNotFoundError):
            checkpoint.read(self.folder / "nowhere.pt")

    def test_torchscript_is_named(self) -> None:
        torch.jit.script(nn.Linear(2, 2)).save(str(self.path))
        with self.assertRaisesRegex(CheckpointError, "TorchScript"):
            checkpoint.read(self.path)

    def test_modules_without_end(self) -> None:
        circle = nn.Sequential(nn.Linear(2, 2))
        circle.add_module("again", circle)
        doubling = nn.Identity()
        for _ in range(40):
            doubling = nn.Sequential(doubling, doubling)
        for model in (circle, doubling):
            torch.save({"model": model}, self.path)
            with self.assertRaisesRegex(CheckpointError, "nested without end"):
                checkpoint.state_dict(checkpoint.read(self.path)["model"])

    def test_all_misfits_are_named_and_nothing_is_loaded(self) -> None:
        model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
        before = model[1].bias.clone()
        state = {
            "0.weight": torch.ones(3, 5),
            "1.weight": torch.ones(1, 3),
            "1.bias": torch.ones(1),
            "extra": torch.ones(1),
            "more": torch.ones(1),
        }
        with self.assertRaises(CheckpointError) as raised:
            checkpoint.load(model, state, "it")
        text = str(raised.exception)
        for part in ("missing: 0.bias", "left over: extra, more", "0.weight [3, 5] instead of [3, 2]"):
            self.assertIn(part, text)
        self.assertTrue(torch.equal(model[1].bias, before))

    def test_parts(self) -> None:
        whole, small = {"a": torch.randn(5 << 20)}, {"a": torch.randn(10)}
        files = checkpoint.write(self.path, whole)
        self.assertEqual([file.name for file in files], ["model.pt.00", "model.pt.01"])
        self.assertTrue(all(file.stat().st_size <= 16 << 20 for file in files))
        self.assertTrue(torch.equal(checkpoint.read(self.path)["a"], whole["a"]))
        second = files[1].read_bytes()
        checkpoint.write(self.path, {"a": torch.randn(5 << 20)})
        files[1].write_bytes(second)  # of another version
        with self.assertRaises(CheckpointError):
            checkpoint.read(self.path)
        checkpoint.write(self.path, small)
        self.assertEqual(sorted(file.name for file in self.folder.iterdir()), ["model.pt"])
        self.assertTrue(torch.equal(checkpoint.read(self.path)["a"], small["a"]))


if __name__ == "__main__":
    unittest.main()
