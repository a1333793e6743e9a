"""The pretended CUDA device sees what CUDA would refuse, and lets pass what is right."""

from __future__ import annotations

import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from textedit_bench.testing.pretend_cuda import DeviceMix, OnDevice, PretendCuda

HERE = __name__.partition(".")[0]


@pytest.fixture
def cuda():
    with PretendCuda(devices=2, packages=(HERE,)) as device:
        yield device


PLANTED = {
    "constant on the CPU": lambda x: x + torch.ones(3),
    "noise on the CPU": lambda x: x + torch.randn(x.shape),
    "CPU generator": lambda x: x + torch.randn(x.shape, device=x.device, generator=torch.Generator()),
    "numpy of the device": lambda x: x.numpy(),
    "network left behind": lambda x: nn.Linear(3, 3)(x),
    "two cards": lambda x: x + x.to("cuda:1"),
    "a card that is not there": lambda x: x.to("cuda:2"),
    "data of the CPU": lambda x: setattr(x, "data", torch.zeros(2, 3)),
    "CPU generator in place": lambda x: x.normal_(generator=torch.Generator()),
    "generator of a card for the CPU": lambda x: torch.randn(3, generator=torch.Generator(x.device)),
    "a list of both": lambda x: torch.cat([x, torch.zeros(2, 3)]),
    "the CPU indexed by the device": lambda x: torch.zeros(5)[x.long()],
    "only in the backward pass": lambda x: _Careless.apply(x.requires_grad_()).sum().backward(),
}


class _Careless(torch.autograd.Function):
    """Right forwards, a constant of the CPU backwards."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * torch.full((3,), 2.0)


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_seen_with_its_line(cuda, fault):
    with pytest.raises((DeviceMix, RuntimeError, TypeError), match=r"at \S+\.py:\d+"):
        PLANTED[fault](torch.rand(2, 3).to("cuda"))


def _network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.LazyLinear(5), nn.Softmax(1)
    ).eval()


def test_what_is_right_passes_and_gives_the_cpus_numbers(cuda):
    net, x = _network(), torch.rand(2, 3, 8, 8)
    want = net(x).square().sum()
    want.backward()
    gradients = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    there = x.to("cuda").requires_grad_()
    got = net.to("cuda")(there).square().sum()
    got.backward()
    assert got.device == there.grad.device == torch.device("cuda", 0) and got.is_cuda
    assert torch.equal(got.detach().cpu(), want.detach())
    assert all(torch.equal(p.grad.cpu(), g) for p, g in zip(net.parameters(), gradients, strict=True))
    assert not cuda.record.mixes


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_a_training_gives_the_cpus_numbers(cuda, kind):
    ends = []
    for device in ("cpu", "cuda:1"):
        torch.manual_seed(0)
        net = nn.Linear(3, 2)
        x = torch.rand(4, 3)
        net, x = net.to(device), x.to(device)
        optimizer = kind(net.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            net(x).square().mean().backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
        assert net.weight.device == torch.device(device)
        ends.append(net.weight.detach().cpu())
    assert torch.equal(*ends)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.int64]),
    steps=st.lists(st.sampled_from(["flip", "t", "half", "add_", "cumsum", "view", "select", "expand"]), max_size=6),
)
def test_any_chain_of_operators_gives_the_cpus_numbers(shape, dtype, steps):
    acts = {
        "flip": lambda x: x.flip(0),
        "t": lambda x: x.transpose(0, -1),
        "half": lambda x: x[: max(1, len(x) // 2)],
        "add_": lambda x: x.clone().add_(1),
        "cumsum": lambda x: x.cumsum(-1),
        "view": lambda x: x.reshape(-1, 1),
        "select": lambda x: x[0] if x.dim() > 1 else x,
        "expand": lambda x: x.unsqueeze(0).expand(2, *x.shape),
    }
    start = torch.arange(torch.Size(shape).numel()).to(dtype).view(shape)
    with PretendCuda():
        here, there = start, start.to("cuda")
        for step in steps:
            here, there = acts[step](here), acts[step](there)
        assert there.device.type == "cuda" and there.shape == here.shape and there.stride() == here.stride()
        assert torch.equal(there.cpu(), here)


WAITING = {
    "a number": (lambda x: float(x.sum()), "device to host (a number)"),
    "a truth": (lambda x: bool((x > 0).all()), "device to host (a number)"),
    "a list": (lambda x: x.tolist(), "device to host (tolist)"),
    "text": (lambda x: f"{x.sum():.2f}", "device to host (__format__)"),
    "to the CPU": (lambda x: x.cpu(), "device to host"),
    "from the CPU": (lambda x: torch.ones(3).to(x), "host to device"),
    "from the CPU by type": (lambda x: torch.ones(3).type_as(x), "host to device"),
    "a constant": (lambda x: x.new_tensor([1.0, 2.0]), "host to device"),
    "a made constant": (lambda x: torch.tensor([1.0], device=x.device), "host to device"),
    "a copy in place": (lambda x: x.copy_(torch.ones(2, 3)), "host to device"),
    "a mask": (lambda x: x[x > 0], "boolean mask"),
    "where it is not zero": (lambda x: x.nonzero(), "size of a result"),
    "an index of the host": (lambda x: x[torch.tensor([1, 0])], "index on the host"),
    "a synchronisation": (lambda x: torch.cuda.synchronize(), "synchronize"),
}


@pytest.mark.parametrize("kind", WAITING)
def test_a_wait_is_counted_by_its_line(cuda, kind):
    act, told = WAITING[kind]
    x = torch.rand(2, 3).to("cuda")
    cuda.clear()
    act(x)
    assert [(name, times) for (name, _), times in cuda.syncs.items()] == [(told, 1)]
    (line,) = {line for _, line in cuda.syncs}
    assert line.rpartition(":")[0].endswith("test_pretend_cuda.py")


def _with_gradients(device):
    layer = nn.Linear(3, 2, device=device)
    for parameter in layer.parameters():
        parameter.grad = torch.full(parameter.shape, 3.0, device=device)
    return layer.parameters()


def test_what_does_not_wait_is_not_counted(cuda):
    x = torch.rand(2, 3).to("cuda")
    cuda.clear()
    x = x.to(torch.float64).to("cuda:0") * 2.0 + torch.zeros(3, device="cuda") + torch.tensor(1.0)
    x[:, 1:] = 0.0
    x = torch.where(x > 0, x, x.new_zeros(()))[:, torch.arange(3, device="cuda").flip(0)]
    x.to("cpu", non_blocking=True)
    nn.utils.clip_grad_norm_(_with_gradients("cuda"), 1.0)
    torch.ones(3).to("cuda", non_blocking=True)
    assert not cuda.syncs


def test_operators_without_a_deterministic_kernel_and_double_products_are_counted(cuda):
    x = torch.rand(1, 1, 4, 4).to("cuda").requires_grad_()
    nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear").sum().backward()
    torch.zeros(3, device="cuda").index_add_(0, torch.tensor([0, 0], device="cuda"), torch.ones(2, device="cuda"))
    torch.ones(4, 5, device="cuda").double() @ torch.ones(5, 6, device="cuda").double()
    assert {name for name, _ in cuda.record.undetermined} == {"upsample_bilinear2d_backward", "index_add_"}
    assert sum(cuda.record.flops[torch.float64].values()) == 2 * 4 * 5 * 6
    assert "products in double precision" in "\n".join(cuda.record.lines())


def test_live_bytes_follow_the_tensors(cuda):
    before = cuda.memory.start()
    x = torch.zeros(100, device="cuda")
    view = x[:50]
    assert cuda.memory.live - before == 400
    y = x + 1
    del x, y
    assert cuda.memory.live - before == 400, "the view holds it"
    assert cuda.memory.peak - before == 800 and "test_pretend_cuda.py" in cuda.memory.peak_at
    assert torch.cuda.max_memory_allocated() == cuda.memory.peak
    del view
    assert cuda.memory.live == before


def test_by_shapes_memory_is_the_same_and_what_comes_back_is_zero():
    peaks = []
    for shapes_only in (False, True):
        with PretendCuda(shapes_only=shapes_only) as cuda:
            net = nn.Conv2d(3, 4, 3).to("cuda")
            there = net(torch.rand(2, 3, 8, 8, device="cuda"))
            there.square().mean().backward()
            assert net.weight.grad.device.type == "cuda"
            back = there.detach().cpu()
            peaks.append(cuda.memory.peak)
            assert back.shape == there.shape and bool(back.any()) is not shapes_only
            assert (float(there.detach().sum()) == 0.0) is shapes_only
    assert peaks[0] == peaks[1] > 0


def test_by_shapes_a_terabyte_takes_no_memory():
    with PretendCuda(shapes_only=True) as cuda:
        x = torch.empty(100_000, 3, 1024, 1024, device="cuda")
        (x + 1).mean()
        assert cuda.memory.peak >= 2 * 4 * 3 * 2**20 * 100_000


def test_one_card_can_be_the_only_one():
    with PretendCuda(devices=2, only=1, packages=(HERE,)):
        nn.Linear(2, 2).to("cuda:1")
        with pytest.raises(DeviceMix, match=r"made on cuda:0, while cuda:1 .* at \S+\.py:\d+"):
            torch.zeros(2).to("cuda")
        torch.cuda.set_device(1)
        assert torch.zeros(2, device="cuda").get_device() == 1


def test_mixes_can_be_counted_instead():
    with PretendCuda(strict=False) as cuda:
        x = torch.ones(3, device="cuda") + torch.ones(3)
        assert torch.equal(x.cpu(), torch.full((3,), 2.0)) and sum(cuda.record.mixes.values()) == 1


def test_a_thread_sees_the_device(cuda):
    found = []
    x = torch.zeros(2, device="cuda")
    thread = threading.Thread(target=lambda: found.extend([x.device.type, torch.ones(1, device="cuda").is_cuda]))
    thread.start()
    thread.join()
    assert found == ["cuda", True]


def test_afterwards_nothing_is_left():
    names = ("is_available", "device_count", "synchronize", "Event")
    before = [getattr(torch.cuda, name) for name in names]
    generator, run = torch.Generator, threading.Thread.run
    with pytest.raises(ZeroDivisionError), PretendCuda():
        assert torch.cuda.is_available()
        x = torch.zeros(2, device="cuda")
        with pytest.raises(RuntimeError, match="already"):
            PretendCuda().__enter__()
        raise ZeroDivisionError
    assert [getattr(torch.cuda, name) for name in names] == before
    assert (torch.Generator, threading.Thread.run, OnDevice.active) == (generator, run, None)
    with pytest.raises(RuntimeError, match="after the emulation ended"):
        x + 1
