"""StyleFlow's flow gives the numbers of the published code, and what a flow must be: invertible, of a known density."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_methods.styleflow.method import StyleFlow
from textedit_methods.styleflow.network import ConditionalFlow, Flow, MovingNorm


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def flow(parity, tmp_path, request):
    """The fixture, the network of its official file, and its inputs, in one precision."""
    published = parity("styleflow_cnf")
    torch.save(published.state(), tmp_path / "modellarge10k.pt")
    network = StyleFlow.load_network(tmp_path / "modellarge10k.pt").to(request.param)
    inputs = {name: published.input(name).to(request.param) for name in ("w", "context", "context_step", "e")}
    return published, network, inputs


def test_drift_and_divergence(flow):
    published, network, inputs = flow
    for time, name in ((0.0, "0"), (0.75, "0_75")):
        drift, divergence = network.chain[1].drift(torch.tensor(time), inputs["w"], inputs["context"], inputs["e"])
        published.check(f"drift_{name}", drift)
        published.check(f"divergence_{name}", divergence)


def test_norm(flow):
    published, network, inputs = flow
    published.check("norm", network.chain[0](inputs["w"]))
    published.check("norm_back", network.chain[0](inputs["w"], reverse=True))


@pytest.mark.parametrize("axes", [(), (1, 1)])
def test_forward_density_reverse_and_edit(flow, axes):
    published, network, inputs = flow
    context = inputs["context"].reshape(*inputs["context"].shape, *axes)
    z, change = network(inputs["w"], context, noise=inputs["e"])
    edit = network(z, context + inputs["context_step"].view_as(context), reverse=True)
    for name, value in (("z", z), ("z_exact", z), ("log_density_change", change)):
        published.check(name, value)
    for name, value in (("w_back", network(z, context, reverse=True)), ("w_edit", edit), ("w_edit_exact", edit)):
        published.check(name, value)
    assert torch.equal(network(inputs["w"], context), z)  # the density changes nothing


def test_sixteen_steps_are_hardly_nearer_than_eight(flow):
    published, network, inputs = flow
    eight, sixteen = (network(inputs["w"], inputs["context"], steps=steps) for steps in (8, 16))
    assert (eight - sixteen).abs().max() < published.manifest["outputs"]["z_exact"]["tol"] / 5


def random_flow(seed, dim=3, context=2, **options):
    torch.manual_seed(seed)
    network = ConditionalFlow(dim, [5], context, **options).double().eval()
    for part in network.chain:
        if isinstance(part, MovingNorm):
            for value in (part.weight, part.bias, part.running_mean):
                value.data.normal_(std=0.3)
            part.running_var.uniform_(0.5, 2)
    return network, torch.randn(2, 4, dim).double(), torch.randn(2, context).double()


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), blocks=st.integers(1, 2), norms=st.booleans())
def test_back_is_the_inverse(seed, blocks, norms):
    network, codes, context = random_flow(seed, blocks=blocks, norms=norms)
    back = network(network(codes, context, steps=64), context, reverse=True, steps=64)
    torch.testing.assert_close(back, codes, rtol=0, atol=1e-7)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000))
def test_the_density_is_that_of_the_jacobian(seed):
    """Hutchinson's estimate, summed over noise along each axis, is the trace: what a code's density changes by."""
    network, codes, context = random_flow(seed)
    code, context = codes[:1, :1], context[:1]
    jacobian = torch.autograd.functional.jacobian(
        lambda x: network(x.view(1, 1, 3), context, steps=64)[0, 0], code[0, 0]
    )
    constant = sum(float(part.log_scale().detach().sum()) for part in network.chain if isinstance(part, MovingNorm))
    total = 0.0
    for axis in torch.eye(3).double():
        _, change = network(code, context, noise=axis.expand_as(code), steps=64)
        total += float(change.detach()) + constant
    torch.testing.assert_close(torch.tensor(total - constant), -jacobian.slogdet()[1].float(), rtol=1e-5, atol=1e-5)


def test_a_code_goes_its_way_whoever_goes_beside_it():
    network, codes, context = random_flow(0)
    alone = torch.cat([network(codes[i : i + 1, :1], context[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(alone, network(codes, context)[:, :1], rtol=0, atol=1e-12)


def test_norms_follow_after_use_in_training_alone():
    network, codes, context = random_flow(1)
    before = network.chain[0].running_mean.clone()
    expected = network(codes, context)
    assert torch.equal(network.chain[0].running_mean, before)
    network.train()
    assert torch.equal(network(codes, context), expected)
    rows = codes.flatten(0, 1)
    torch.testing.assert_close(network.chain[0].running_mean, 0.9 * before + 0.1 * rows.mean(0))


def test_other_sizes_are_read_from_the_tensors(tmp_path):
    made = ConditionalFlow(6, [5, 4], 3, blocks=2)
    names = {"linear": "_layer", "gate": "_hyper_gate", "shift": "_hyper_bias"}
    state = {}
    for name, value in made.state_dict().items():
        for ours, theirs in names.items():
            name = name.replace(f".{ours}.", f".{theirs}.")
        state[name.replace(".layers.", ".odefunc.diffeq.layers.")] = value
    state["chain.0.step"], state["chain.1.odefunc._num_evals"] = torch.zeros(1), torch.tensor(7.0)
    torch.save({f"module.{name}": value for name, value in state.items()}, tmp_path / "a.pt")
    found = StyleFlow.load_network(tmp_path / "a.pt")
    assert found.config == made.config and sum(isinstance(part, Flow) for part in found.chain) == 2
    assert all(torch.equal(value, made.state_dict()[name]) for name, value in found.state_dict().items())


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"linear.weight": torch.zeros(2, 2)}, "no flow of StyleFlow"),
        ({"chain.0.bias": torch.zeros(6)}, "no layer of a flow"),
        ({"chain.1.odefunc.diffeq.layers.0._layer.weight": torch.zeros(2, 2)}, "condition is unknown"),
        ({"chain.1.odefunc.diffeq.layers.0._layer.weight": torch.zeros(2)}, "width is unknown"),
    ],
)
def test_spoilt_files_are_refused_in_one_line(tmp_path, state, said):
    torch.save(state, tmp_path / "b.pt")
    with pytest.raises(UserError, match=said) as caught:
        StyleFlow.load_network(tmp_path / "b.pt")
    assert "\n" not in str(caught.value) and "b.pt" in str(caught.value)


@pytest.mark.parametrize(("codes", "context"), [((2, 3), (2, 2)), ((2, 1, 4), (2, 2)), ((2, 1, 3), (2, 3))])
def test_other_shapes_are_refused(codes, context):
    with pytest.raises(ValueError, match="rows, 3"):
        random_flow(0)[0](torch.zeros(codes), torch.zeros(context))
