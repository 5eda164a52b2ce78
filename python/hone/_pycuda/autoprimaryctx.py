"""As pycuda.autoprimaryctx."""

from . import driver

driver.init()
device = driver.Device(0)
context = device.retain_primary_context()
context.push()
