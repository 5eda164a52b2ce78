"""As pycuda.autoinit: a device and a current context from the import on."""

from . import driver

driver.init()
device = driver.Device(0)
context = device.make_context()
