"""Deterministic pseudo-random fill for parity fixtures (numpy only).

Every parameter, buffer and input of a fixture is a pure function of
(salt, key, shape).  The rule is written out in README.md; this file is its
reference implementation.

    sd  = state_dict(manifest)            # {key: numpy array}
    x   = make_input(manifest, "wplus")   # numpy array
    err = compare(manifest, npz, "image", my_output)
"""

import hashlib
import json
import math
import re

import numpy as np

K4 = np.outer([1.0, 3.0, 3.0, 1.0], [1.0, 3.0, 3.0, 1.0]) / 64.0

# (kind, regular expression searched in the key); the first hit decides.
RULES = [
    ("counter", r"(^|\.)num_batches_tracked$"),
    ("kernel_x4", r"(^|\.)(blur|upsample)\.kernel$"),
    ("kernel", r"(^|\.)kernel$|(^|\.)resample_filter$"),
    ("run_mean", r"(^|\.)running_mean$"),
    ("run_var", r"(^|\.)running_var$"),
    ("noise_map", r"(^|\.)noises\.noise_\d+$|(^|\.)noise_const$"),
    ("noise_gain", r"(^|\.)noise\.weight$|(^|\.)noise_strength$"),
    ("latent_avg", r"(^|\.)latent_avg$|(^|\.)w_avg$"),
    ("lr001_w", r"(^|\.)(style|mapping)\.(fc)?\d+\.weight$"),
    ("lr001_b", r"(^|\.)(style|mapping)\.(fc)?\d+\.bias$"),
    ("affine_b", r"(^|\.)(modulation|affine)\.bias$"),
    ("affine_w", r"(^|\.)(modulation|affine)\.weight$"),
    ("const", r"(^|\.)input\.input$|(^|\.)const$"),
    (
        "equal_w",
        r"^(convs|final_conv|final_linear|conv1|to_rgb1|to_rgbs)\..*weight$"
        r"|(^|\.)styles\.\d+\.linear\.weight$"
        r"|(^|\.)b\d+\.(conv0|conv1|conv|torgb|fromrgb|skip|fc|out)\.weight$",
    ),
    ("prelu", r"(^|\.)(input_layer|res_layer)\.2\.weight$"),
    ("ff_row_qk", r"^att_mapper\.\d+\.[qk]_matrix\.weight$"),
    ("ff_row_v", r"^att_mapper\.\d+\.v_matrix\.weight$"),
    ("ff_att_k", r"(^|\.)attention_layer\.k_matrix\.weight$"),
    ("weight", r"(^|\.)weight$"),  # split by rank, see tensor()
    ("bias", r"(^|\.)bias$"),
]
# FFCLIP only: factors on the plain-weight rule that keep its soft-maxes and its
# LayerNorm over near-constant vectors numerically well behaved.
GAIN = {"ff_row_qk": 0.3, "ff_row_v": 10.0, "ff_att_k": 3.0}
_COMPILED = [(k, re.compile(p)) for k, p in RULES]


def kind_of(key):
    for kind, pattern in _COMPILED:
        if pattern.search(key):
            return kind
    return "other"


def normals(name, shape, salt):
    """Standard normals (float64) for one named array."""
    digest = hashlib.sha256(f"{salt}|{name}".encode()).digest()
    seed = int.from_bytes(digest[:8], "little")
    count = math.prod(shape)  # () -> 1
    gen = np.random.Generator(np.random.PCG64(seed))
    return gen.standard_normal(count, dtype=np.float64).reshape(shape)


def tensor(key, shape, salt):
    """The value of state-dict entry `key`."""
    shape = tuple(shape)
    kind = kind_of(key)
    if kind == "counter":
        return np.zeros(shape, dtype=np.int64)
    if kind in ("kernel", "kernel_x4"):
        assert shape == (4, 4), (key, shape)
        return (K4 * (4.0 if kind == "kernel_x4" else 1.0)).astype(np.float32)
    n = normals(key, shape, salt)
    if kind == "run_mean":
        v = 0.1 * n
    elif kind == "run_var":
        v = 1.0 + 0.1 * np.abs(n)
    elif kind == "noise_gain":
        v = 0.2 + 0.05 * n
    elif kind == "latent_avg":
        v = 0.5 * n
    elif kind == "lr001_w":
        v = 100.0 * n
    elif kind == "lr001_b":
        v = 10.0 * n
    elif kind == "affine_b":
        v = 1.0 + 0.1 * n
    elif kind in ("noise_map", "affine_w", "const", "equal_w"):
        v = n
    elif kind == "prelu":
        v = 0.25 + 0.05 * n
    elif kind == "weight" and len(shape) <= 1:  # BatchNorm / LayerNorm scale
        v = 1.0 + 0.1 * n
    elif kind == "weight" or kind in GAIN:  # plain linear or convolution
        v = GAIN.get(kind, 1.0) * n / math.sqrt(math.prod(shape[1:]))
    elif kind == "bias":
        v = 0.1 * n
    else:
        v = n
    return v.astype(np.float32)


def state_dict(manifest, salt=None):
    salt = manifest["salt"] if salt is None else salt
    return {k: tensor(k, t["shape"], salt) for k, t in manifest["tensors"].items()}


def make_input(manifest, name):
    """The input `name` of a fixture, from its spec in the manifest."""
    spec, salt = manifest["inputs"][name], manifest["salt"]
    shape, kind = tuple(spec["shape"]), spec["kind"]
    label = "input:" + name
    if kind == "normal":  # shift + scale * n
        v = spec.get("shift", 0.0) + spec.get("scale", 1.0) * normals(label, shape, salt)
    elif kind == "unit":  # rows of length `scale`
        n = normals(label, shape, salt)
        v = spec.get("scale", 1.0) * n / np.sqrt((n * n).sum(axis=-1, keepdims=True))
    elif kind == "image":  # coarse blocks + pixel noise, in [-1, 1]
        b, c, h, w = shape
        g = spec.get("blocks", 16)
        coarse = normals(label + ":coarse", (b, c, g, g), salt)
        coarse = np.repeat(np.repeat(coarse, h // g, axis=2), w // g, axis=3)
        v = np.clip(0.5 * coarse + 0.25 * normals(label + ":fine", shape, salt), -1.0, 1.0)
    elif kind == "literal":
        v = np.asarray(spec["value"], dtype=np.float64).reshape(shape)
    else:
        raise ValueError(kind)
    return v.astype(np.float32)


def subsample(array, stride):
    return array[tuple(slice(None, None, s) for s in stride)]


def compare(manifest, npz, name, value):
    """Largest absolute difference to the stored output, and the allowed one."""
    spec = manifest["outputs"][name]
    value = np.asarray(value)
    if list(value.shape) != spec["shape"]:
        raise ValueError(f"{name}: shape {list(value.shape)} != {spec['shape']}")
    got = subsample(value, spec["stride"]).astype(np.float64)
    ref = np.asarray(npz[name], dtype=np.float64)
    worst = float(np.max(np.abs(got - ref))) if ref.size else 0.0
    flat = value.astype(np.float64)
    for stat, val in (("mean", flat.mean()), ("std", flat.std())):
        worst = max(worst, abs(float(val) - spec[stat]))
    return worst, spec["tol"]


def self_check(manifest):
    """Raise if this numpy produces other numbers than the recorded ones."""
    for key, want in manifest["fill_check"].items():
        got = tensor(key, manifest["tensors"][key]["shape"], manifest["salt"])
        got = got.reshape(-1)[: len(want)].tolist()
        if not np.allclose(got, want, rtol=1e-6, atol=1e-7):
            raise AssertionError(f"fill rule disagrees for {key}: {got} != {want}")
    for name, want in manifest.get("input_check", {}).items():
        got = make_input(manifest, name).reshape(-1)[: len(want)].tolist()
        if not np.allclose(got, want, rtol=1e-6, atol=1e-7):
            raise AssertionError(f"input rule disagrees for {name}: {got} != {want}")


def load(path_without_suffix):
    with open(str(path_without_suffix) + ".manifest.json", encoding="utf-8") as f:
        manifest = json.load(f)
    return manifest, np.load(str(path_without_suffix) + ".npz")
