"""python -m hone.tensorrt: what a script sees; and the stand-in for pycuda."""

import ctypes
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from hone import _cuda, _pycuda
from hone._cuda.bindings import driver
from hone._cuda.bindings import runtime as cudart
from hone._pycuda import driver as cuda
from hone._pycuda import gpuarray


class Runner(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name)

    def run_script(self, text, *arguments, code=0, **environment):
        script = self.folder / "script.py"
        script.write_text(text)
        command = [sys.executable, "-m", "hone.tensorrt", str(script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment},
                              cwd=self.folder, timeout=100)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def test_looks_like_a_script(self):
        (self.folder / "beside.py").write_text("value = 42\n")
        done = self.run_script("import sys, pickle, beside\n"
                               "class Thing: pass\n"
                               "if __name__ == '__main__':\n"
                               "    assert isinstance(pickle.loads(pickle.dumps(Thing())), Thing)\n"
                               "    print(sys.argv, __file__, beside.value)\n"
                               "    sys.exit(5)\n", "a", "-b", code=5)
        script = str(self.folder / "script.py")
        self.assertEqual(done.stdout, f"{[script, 'a', '-b']} {script} 42\n")

    def test_imports(self):
        done = self.run_script("import tensorrt as trt, hone.tensorrt\n"
                               "from tensorrt import Logger\n"
                               "import pycuda.driver as cuda, pycuda.autoinit, pycuda.tools\n"
                               "from pycuda.driver import mem_alloc\n"
                               "assert trt is hone.tensorrt and Logger is trt.Logger\n"
                               "assert pycuda.driver is cuda and cuda.mem_alloc is mem_alloc\n"
                               "print(trt.__version__)\n", HONE_TENSORRT_GENERATION="8")
        self.assertRegex(done.stdout, r"^8\.\d")

    def test_missing_script(self):
        command = [sys.executable, "-m", "hone.tensorrt", str(self.folder / "none.py")]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("none.py", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_onnxruntime_where_it_is_not_installed(self):
        done = self.run_script("import sys\n"
                               "sys.path[:] = [p for p in sys.path if not p.endswith('-packages')]\n"
                               "import onnxruntime, onnxruntime.capi\n"
                               "import onnxruntime as again; assert again is onnxruntime\n"
                               "print(onnxruntime.InferenceSession.__module__.split('.')[0])\n")
        self.assertEqual(done.stdout, "hone\n")
        self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_children_see_the_same(self):
        (self.folder / "work.py").write_text("import tensorrt, pycuda.driver as cuda\n"
                                             "from cuda import cudart\n"
                                             "def work(i):\n"
                                             "    return tensorrt.__name__, int(cuda.mem_alloc(8)) % 256, i\n")
        done = self.run_script("import multiprocessing, subprocess, sys, work\n"
                               "def here(i):\n"
                               "    return work.work(i)\n"
                               "if __name__ == '__main__':\n"
                               "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
                               "        print(pool.map(work.work, [4]), pool.map(here, [5]))\n"
                               "    code = 'import work, cuda.bindings.runtime; print(work.work(6))'\n"
                               "    print(subprocess.check_output([sys.executable, '-c', code], text=True), end='')\n"
                               "    nested = [sys.executable, '-m', 'hone.tensorrt', 'work.py']\n"
                               "    print(subprocess.run(nested).returncode)\n"
                               "    print(sys.path[1])\n")
        *lines, folder = done.stdout.splitlines()
        self.assertEqual(lines, ["[('hone.tensorrt', 0, 4)] [('hone.tensorrt', 0, 5)]", "('hone.tensorrt', 0, 6)", "0"])
        self.assertFalse(pathlib.Path(folder).exists())

    def test_child_without_hone(self):
        """Another Python finds its own modules."""
        library = self.folder / "library"
        library.mkdir()
        (library / "pycuda.py").write_text("name = 'its own'\n")
        done = self.run_script("import os, subprocess, sys\n"
                               f"path = f'{{sys.path[1]}}:{library}'\n"
                               "code = 'import pycuda, pycuda as again; print(pycuda.name, again is pycuda)'\n"
                               "print(subprocess.check_output([sys.executable, '-S', '-c', code], text=True,\n"
                               "                              env={**os.environ, 'PYTHONPATH': path}))\n")
        self.assertEqual(done.stdout.strip(), "its own True")

    def test_installed_pycuda(self):
        """HONE_PYCUDA=installed: what lies in the path, for children, too."""
        library = self.folder / "library"
        library.mkdir()
        (library / "pycuda.py").write_text("name = 'mine'\n")
        path = f"{library}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        done = self.run_script("import subprocess, sys, pycuda, tensorrt\n"
                               "print(pycuda.name)\n"
                               "code = 'import pycuda, tensorrt; print(pycuda.name, tensorrt.__name__)'\n"
                               "print(subprocess.check_output([sys.executable, '-c', code], text=True))\n",
                               HONE_PYCUDA="installed", PYTHONPATH=path)
        self.assertEqual(done.stdout.split(), ["mine", "mine", "hone.tensorrt"])

    def test_modules_beside_the_script_win(self):
        (self.folder / "cuda.py").write_text("name = 'mine'\n")
        self.assertEqual(self.run_script("import cuda\nprint(cuda.name)\n").stdout, "mine\n")

    @unittest.skipIf(importlib.util.find_spec("torch") is None, "torch isn't installed")
    def test_torch_without_a_gpu(self):
        done = self.run_script("import torch, numpy as np\n"
                               "device = torch.device('cuda:0')\n"
                               "a = torch.from_numpy(np.arange(6.0)).to(device, non_blocking=True)\n"
                               "b = torch.zeros(2, device='cuda').pin_memory()\n"
                               "layer = torch.nn.Linear(2, 3).cuda()\n"
                               "torch.save(a, 'a.pt')\n"
                               "c = torch.load('a.pt', map_location='cuda:0')\n"
                               "with torch.cuda.stream(torch.cuda.Stream()):\n"
                               "    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))\n"
                               "    start.record(); d = layer(b); end.record(); torch.cuda.synchronize()\n"
                               "print(torch.cuda.is_available(), torch.cuda.current_stream().cuda_stream)\n"
                               "import concurrent.futures, subprocess, sys\n"
                               "with concurrent.futures.ThreadPoolExecutor(1) as pool:\n"
                               "    pool.submit(lambda: torch.zeros(3, device='cuda').cuda() + b[0]).result()\n"
                               "code = 'import torch; torch.zeros(3).cuda()'\n"
                               "subprocess.run([sys.executable, '-c', code], check=True, stderr=subprocess.PIPE)\n"
                               "kinds = {t.device.type for t in (a, b, c, d)}\n"
                               "print(kinds, c.sum().item(), start.elapsed_time(end) >= 0)\n")
        if done.stdout.startswith("True"):
            self.skipTest("torch has a GPU")
        self.assertEqual(done.stdout, "False 0\n{'cpu'} 15.0 True\n")
        self.assertEqual(done.stderr.count("host memory"), 1)

    def test_trtexec(self):
        done = self.run_script("import os, shutil, subprocess\n"
                               "print(shutil.which('trtexec'))\n"
                               "print(open(shutil.which('trtexec')).read())\n", PATH="/usr/bin:/bin")
        self.assertIn('trtexec "$@"', done.stdout)
        self.assertFalse(pathlib.Path(done.stdout.splitlines()[0]).exists())
        (self.folder / "trtexec").write_text("#!/bin/sh\necho mine\n")
        (self.folder / "trtexec").chmod(0o755)
        done = self.run_script("import subprocess\nprint(subprocess.check_output('trtexec', text=True))",
                               PATH=f"{self.folder}:/usr/bin:/bin")
        self.assertIn("mine", done.stdout)


class StandIn(unittest.TestCase):
    def setUp(self):
        self.array = np.random.default_rng(3).standard_normal((5, 7)).astype(np.float32)

    def test_copies(self):
        a = cuda.mem_alloc(self.array.nbytes)
        b = cuda.mem_alloc_like(self.array)
        cuda.memcpy_htod(a, self.array)
        cuda.memcpy_dtod(b, a, self.array.nbytes)
        host = np.empty_like(self.array)
        cuda.memcpy_dtoh_async(host, b, cuda.Stream())
        np.testing.assert_array_equal(host, self.array)
        np.testing.assert_array_equal(cuda.from_device(int(a) + 28, (4, 7), np.float32), self.array[1:])
        locked = cuda.pagelocked_empty((5, 7), np.float32)
        cuda.memcpy_dtoh(locked, a)
        np.testing.assert_array_equal(locked, self.array)
        self.assertEqual(locked.base.get_device_pointer(), locked.ctypes.data)
        cuda.memset_d8(a, 0, 28)
        np.testing.assert_array_equal(cuda.from_device_like(a, self.array)[0], np.zeros(7))

    def test_wrong_copies(self):
        small = cuda.mem_alloc(64)
        self.assertEqual((int(small) % 256, small.nbytes, small.__index__()), (0, 64, int(small)))
        host = np.empty_like(self.array)
        with self.assertRaisesRegex(cuda.LogicError, "cuMemcpyHtoD failed: invalid argument.*140.*64"):
            cuda.memcpy_htod(small, self.array)
        with self.assertRaisesRegex(cuda.LogicError, "cuMemcpyDtoH"):
            cuda.memcpy_dtoh(host, small)
        with self.assertRaises(cuda.LogicError):
            cuda.memcpy_dtoh(host, 0x7F1200000000)
        with self.assertRaisesRegex(ValueError, "contiguous"):
            cuda.memcpy_htod(small, self.array[:, ::2])
        host.flags.writeable = False
        with self.assertRaisesRegex(ValueError, "read-only"):
            cuda.memcpy_dtoh(host, small)
        with self.assertRaises(cuda.LogicError):
            cuda.mem_alloc(0)
        with self.assertRaises(cuda.MemoryError):
            cuda.mem_alloc(1 << 60)
        small.free()
        with self.assertRaises(cuda.LogicError):
            int(small)
        with self.assertRaises(cuda.LogicError):
            small.free()
        self.assertTrue(issubclass(cuda.LogicError, cuda.Error))

    def test_arrays(self):
        a = gpuarray.to_gpu(self.array)
        self.assertEqual((a.shape, a.dtype, a.nbytes, a.size), ((5, 7), np.float32, 140, 35))
        np.testing.assert_array_equal(a.get(), self.array)
        np.testing.assert_array_equal(cuda.from_device(a.gpudata, (5, 7), np.float32), self.array)
        b = gpuarray.zeros((5, 7), np.float32)
        self.assertEqual(np.count_nonzero(b.get()), 0)
        b.set(2 * self.array)
        np.testing.assert_array_equal(b.get(), 2 * self.array)
        self.assertEqual(int(b.gpudata), b.ptr)
        with self.assertRaises(ValueError):
            b.set(self.array[:2])

    def test_cuda_python(self):
        success, invalid = cudart.cudaError_t.cudaSuccess, cudart.cudaError_t.cudaErrorInvalidValue
        kinds = cudart.cudaMemcpyKind
        error, device = cudart.cudaMalloc(self.array.nbytes)
        self.assertEqual((error, device % 256), (success, 0))
        error, host = cudart.cudaMallocHost(self.array.nbytes)
        back = np.ctypeslib.as_array(ctypes.cast(host, ctypes.POINTER(ctypes.c_float)), self.array.shape)
        error, stream = cudart.cudaStreamCreate()
        for source in self.array, self.array.ctypes.data:
            self.assertEqual(cudart.cudaMemset(host, 1, self.array.nbytes), (success,))
            self.assertEqual(cudart.cudaMemcpy(device, source, self.array.nbytes, kinds.cudaMemcpyHostToDevice),
                             (success,))
            self.assertEqual(cudart.cudaMemcpyAsync(host, device, self.array.nbytes, kinds.cudaMemcpyDeviceToHost,
                                                    stream), (success,))
            self.assertEqual(cudart.cudaStreamSynchronize(stream), (success,))
            np.testing.assert_array_equal(back, self.array)
        self.assertEqual(cudart.cudaGetLastError(), (success,))
        self.assertEqual(cudart.cudaMemcpy(device, host, 141, kinds.cudaMemcpyDefault), (invalid,))
        self.assertIn(b"141 bytes, where the allocation has 140", cudart.cudaGetErrorString(invalid)[1])
        self.assertEqual((cudart.cudaGetLastError(), cudart.cudaGetLastError()), ((invalid,), (success,)))
        self.assertEqual(cudart.cudaMemcpy(device, 0x7F1200000000, 8, 1), (invalid,))
        self.assertEqual(cudart.cudaMalloc(-8)[1], 0)
        self.assertEqual(cudart.cudaMalloc(1 << 60), (cudart.cudaError_t.cudaErrorMemoryAllocation, 0))
        self.assertEqual((cudart.cudaSetDevice(0), cudart.cudaSetDevice(1)[0].name),
                         ((success,), "cudaErrorInvalidDevice"))
        self.assertEqual(cudart.cudaGetDeviceCount(), (success, 1))
        for free, pointer in (cudart.cudaFree, device), (cudart.cudaFreeHost, host), (cudart.cudaFree, 0):
            self.assertEqual(free(pointer), (success,))
        self.assertEqual(cudart.cudaFree(device), (invalid,))
        with self.assertRaisesRegex(AttributeError, "cudaLaunchKernel.*stand-in"):
            cudart.cudaLaunchKernel
        self.assertEqual(driver.cuInit(0), (driver.CUresult.CUDA_SUCCESS,))
        self.assertIs(_cuda.cudart.cudaError_t, cudart.cudaError_t)

    def test_memory_goes_back(self):
        from hone._pycuda import _memory
        before = len(_memory._starts)
        for _ in range(10):
            allocation = cuda.mem_alloc(1 << 20)
            array = cuda.pagelocked_zeros(1000, np.int32)
            view = array[10:]
            del array
            view[:] = 1
        self.assertLessEqual(len(_memory._starts), before + 2)
        del allocation, view
        self.assertEqual(len(_memory._starts), before)

    def test_devices_and_time(self):
        cuda.init()
        device = cuda.Device(0)
        self.assertEqual((cuda.Device.count(), device.compute_capability()), (1, (0, 0)))
        self.assertGreater(device.total_memory(), 1 << 20)
        self.assertGreaterEqual(cuda.mem_get_info()[1], cuda.mem_get_info()[0])
        with self.assertRaises(cuda.LogicError):
            cuda.Device(1)
        context = device.make_context()
        self.assertIs(cuda.Context.get_current(), context)
        context.pop()
        start, end = cuda.Event(), cuda.Event()
        with self.assertRaises(cuda.LogicError):
            start.time_till(end)
        start.record(cuda.Stream())
        end.record().synchronize()
        self.assertGreaterEqual(start.time_till(end), 0)
        self.assertEqual(start.time_till(end), end.time_since(start))
        with self.assertRaisesRegex(AttributeError, "Texture.*stand-in"):
            cuda.TextureReference
        self.assertIs(_pycuda.driver, cuda)


if __name__ == "__main__":
    unittest.main()
