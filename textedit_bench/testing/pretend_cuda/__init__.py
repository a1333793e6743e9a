"""An emulated CUDA device: its tensors report ``cuda:0`` and are computed on the CPU.

    with PretendCuda(devices=2) as cuda:
        domain = load_domain("ffhq", "mini", "cuda")
        ...
    cuda.report()

Two layers. A *function mode* (`calls.py`) sits where Python talks to torch: it answers ``tensor.device``, carries out
``.to``, ``.cpu``, ``.cuda`` and factories with ``device=``, and refuses ``.numpy()`` of a tensor on the device and a
CPU generator for one. A tensor on the device (`tensor.py`) is a wrapper that holds a CPU tensor; its *dispatch*
(`dispatch.py`) sees every operator below, those of backward passes included:

* an operator that is given tensors of two devices raises `DeviceMix`, as CUDA would (indices and 0-d numbers may mix);
* waits for the device (``item``, copies to and from ordinary host memory, ``nonzero``, boolean masks), operators
  without a deterministic CUDA kernel, and products in double precision are counted by the line that caused them;
* live bytes are added up; with ``shapes_only=True`` no numbers are computed, so networks of real size take seconds.

It cannot see speed, cuDNN's choices, real rounding, autocast, memory inside operators, or threads that were started
before it.
"""

from textedit_bench.testing.pretend_cuda.device import PretendCuda
from textedit_bench.testing.pretend_cuda.steps import watched_steps
from textedit_bench.testing.pretend_cuda.tensor import DeviceMix, OnDevice

__all__ = ["DeviceMix", "OnDevice", "PretendCuda", "watched_steps"]
