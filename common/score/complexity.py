"""What a network costs and how far it sees: multiply-accumulates, parameters, receptive field.

A stage: `python -m common.score.complexity <paper>` writes results/<paper>/complexity.json. Everything here is exact
and independent of the weights' values.
"""

import copy
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from importlib import import_module
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from common import params
from common.command import run
from common.store import write_json

PUBLISHED_SIZE = 320
"""Side of the image on which `macs_320` is counted: the published networks'."""
PROFILE_SIZE = 512
"""Side of the image on which `macs_512` is counted: the networks of the profile, as latency is published for 512²."""
SMALL_SIZE = 64
"""Side of the image on which a network is traced in place of a larger one, where its cost is proportional to the
pixels. Networks that pool, by up to 64 in all, divide it evenly."""
LARGEST_FIELD_IMAGE = 512
"""Receptive fields are looked for in images of up to this side."""
FIELD_POSITIONS = 16
"""Output positions tried along the diagonal, at most: all phases of a network that pools by up to 16 in all."""

UNCOUNTED_PRODUCTS = frozenset({"aten::baddbmm", "aten::scaled_dot_product_attention", "aten::convolution"})
"""Operators that multiply and accumulate but for which fvcore has no handle."""


def parameters(module: nn.Module) -> int:
    """Number of trainable parameters, biases and batch norm's affine pairs included, running statistics not."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def macs(module: nn.Module, shape: tuple[int, int, int, int]) -> int:
    """Multiply-accumulates of one forward pass, evaluation mode, input of `shape` (N, C, H, W), on the CPU.

    Counted are convolutions, plain, grouped or transposed, and matrix products; a published "GMAC" counts no more.
    Biases, batch norm (which folds into the convolution before it), activations, additions, pooling and unpooling
    count 0. Raises ValueError where the network contains a product that fvcore cannot count, rather than leave it out.
    """
    with evaluating(module), torch.no_grad(), _PlainUnpoolSizes(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fvcore is built on torch.jit, which warns of its age and of every constant
        from fvcore.nn import FlopCountAnalysis

        analysis = FlopCountAnalysis(module, (torch.zeros(shape),))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        analysis.set_op_handle("aten::_convolution_mode", _named_padding_macs)
        by_operator: Mapping[str, float] = analysis.by_operator()
        missed = UNCOUNTED_PRODUCTS & set(analysis.unsupported_ops())
    if missed:
        raise ValueError(f"{type(module).__name__}: cannot count {', '.join(sorted(missed))}; give it a handle here")
    products = ("conv", "addmm", "bmm", "einsum", "linear", "matmul", "mm")
    return int(sum(by_operator.get(product, 0) for product in products))


def square_macs(module: nn.Module, size: int) -> int:
    """`macs` on one size × size image: the same number, without computing the network on a large one.

    A trace runs the network. Where twice `SMALL_SIZE` costs exactly four times as much, every multiple of it is that
    proportional; where not (convolutions without padding, fully connected layers), the image itself is traced.
    """
    small, double = ((1, input_channels(module), side, side) for side in (SMALL_SIZE, 2 * SMALL_SIZE))
    if size > 2 * SMALL_SIZE and size % SMALL_SIZE == 0:
        one = macs(module, small)
        if macs(module, double) == 4 * one:
            return one * (size // SMALL_SIZE) ** 2
    return macs(module, (1, input_channels(module), size, size))


def _named_padding_macs(inputs: list[Any], outputs: list[Any]) -> Mapping[str, float]:
    """fvcore's handle for `padding="same"`, which torch traces as an operator of its own."""
    from fvcore.nn.jit_handles import conv_flop_count, get_shape

    return {"conv": conv_flop_count(get_shape(inputs[0]), get_shape(inputs[1]), get_shape(outputs[0]))}


class _PlainUnpoolSizes(TorchFunctionMode):
    """Makes `max_unpool2d` traceable: a trace hands sizes around as tensors, and unpooling refuses those."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == "max_unpool2d" and kwargs.get("output_size") is not None:
            kwargs = {**kwargs, "output_size": [int(side) for side in kwargs["output_size"]]}
        return func(*args, **kwargs)


Builders = Mapping[str, Callable[[], nn.Module]]
"""Name → makes an untrained network."""


@dataclass(frozen=True)
class PaperModels:
    """What a paper's `models.py` tells the stages that read every paper; only `networks` must be there.

    networks: settings → the networks as they size them. published_networks: those whose size is printed, at it.
    timed_at_published_size: those of them that are timed. NARROW: the fewest feature maps, of the settings' `network`,
    with which a network has the same receptive field; narrow_published_networks: the published ones so narrow.
    """

    networks: Callable[[Any], Builders]
    published_networks: Callable[[], Builders] = dict
    timed_at_published_size: Callable[[], Builders] = dict
    NARROW: Mapping[str, Any] | None = None
    narrow_published_networks: Callable[[], Builders] = dict

    @classmethod
    def of(cls, module: ModuleType) -> "PaperModels":
        """Those of a module."""
        return cls(**{field.name: vars(module)[field.name] for field in fields(cls) if field.name in vars(module)})

    def narrow_networks(self, settings: params.Section) -> Builders:
        """`networks` as narrow as `NARROW`; none without it."""
        return {} if self.NARROW is None else self.networks(narrowed(settings, {"network": self.NARROW}))


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode for a while, so that a measurement leaves batch norm's running statistics alone."""
    was_training = [child for child in module.modules() if child.training]
    module.eval()
    try:
        yield
    finally:
        for child in was_training:
            child.training = True


def receptive_field(module: nn.Module) -> int:
    """Side of the square of input pixels that one output pixel can depend on, for some input.

    Measured, not read off the layers: the gradient of an output pixel with respect to the input of a copy in which
    nothing can hide a dependency (`_Linearised`). The field of a network that pools depends on where the output pixel
    lies in its window, so the largest is reported. The image doubles until no field touches its border; raises
    ValueError when that does not happen up to 512 (a network that sees the whole image has no receptive field).
    """
    linear = _positive_copy(module)
    size = 64
    while size <= LARGEST_FIELD_IMAGE:
        field = _widest_field(linear, size)
        if field is not None:
            return field
        size *= 2
    raise ValueError(f"{type(module).__name__} depends on the whole image, up to {LARGEST_FIELD_IMAGE} pixels at least")


def _positive_copy(module: nn.Module) -> nn.Module:
    """A float64 copy with random positive weights: sums of positive products cannot cancel, and exact zeros stay.

    The weights differ, so that a network that subtracts its features from its input keeps every dependency too.
    """
    linear = copy.deepcopy(module).cpu().double().eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in linear.parameters():
        fan_in = max(parameter[0].numel(), 1) if parameter.dim() > 1 else 1
        parameter.requires_grad_(False).uniform_(0.5 / fan_in, 1.5 / fan_in, generator=generator)
    return linear


def _widest_field(linear: nn.Module, size: int) -> int | None:
    """Largest side of the field over positions near the middle of a size × size image; None where it is cut off."""
    image = torch.ones(1, input_channels(linear), size, size, dtype=torch.float64, requires_grad=True)
    with _Linearised() as passes:
        output = linear(image)
    widest = 0
    first = (size - FIELD_POSITIONS) // 2
    for position in range(first, first + min(passes.period(size), FIELD_POSITIONS)):
        (gradient,) = torch.autograd.grad(output[0, :, position, position].sum(), image, retain_graph=True)
        rows, columns = torch.nonzero(gradient[0].abs().sum(0), as_tuple=True)
        if min(rows.min(), columns.min()) == 0 or max(rows.max(), columns.max()) == size - 1:
            return None
        widest = max(widest, int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1)
    return widest


class _Linearised(TorchFunctionMode):
    """Runs a network with whatever could block or choose a path replaced by something that lets all paths through.

    Activations and batch norm (evaluation mode) become the identity; max pooling becomes the average of its window,
    as any pixel of it may be the maximum; unpooling gives its value to every pixel of the window, as the maximum may
    have stood at any of them. What a pooling index depends on is inside what the pooled value depends on.
    """

    ACTIVATIONS = frozenset(
        {"clamp", "elu", "gelu", "hardtanh", "leaky_relu", "prelu", "relu", "relu6", "selu", "sigmoid", "silu", "tanh"}
    )
    IDENTITIES = ACTIVATIONS | {"batch_norm", "dropout"}

    def __init__(self) -> None:
        super().__init__()
        self.sides: set[int] = set()

    def period(self, size: int) -> int:
        """Pixels by which a size × size image must shift for every feature map to shift by whole pixels.

        Output positions so far apart have the same field: 1 where no layer changes the size, the pooling's factor where
        one does.
        """
        return size // math.gcd(size, *self.sides)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = self._passed(func, args, kwargs or {})
        if isinstance(result, Tensor) and result.dim() == 4:
            self.sides |= set(result.shape[-2:])
        return result

    def _passed(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = getattr(func, "__name__", "").removesuffix("_")
        if name in self.IDENTITIES:
            return args[0]
        if name == "max_pool2d":
            return _spread_pool(*args, **kwargs)
        if name == "max_pool2d_with_indices":
            return _spread_pool(*args, **kwargs), func(*args, **kwargs)[1]
        if name == "max_unpool2d":
            return _spread_unpool(*args, **kwargs)
        return func(*args, **kwargs)


def _spread_pool(
    features: Tensor,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    if dilation != 1:
        raise ValueError("the receptive field of a dilated pooling is not measured")
    return F.avg_pool2d(features, kernel_size, stride, padding, ceil_mode)


def _spread_unpool(
    features: Tensor,
    indices: Tensor,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    output_size: list[int] | None = None,
) -> Tensor:
    channels = features.shape[1]
    window = torch.ones(channels, 1, *_pair(kernel_size), dtype=features.dtype)
    spread = F.conv_transpose2d(features, window, stride=stride or kernel_size, padding=padding, groups=channels)
    if output_size is None:
        return spread
    height, width = output_size[-2:]
    return F.pad(spread, (0, width - spread.shape[-1], 0, height - spread.shape[-2]))


def _pair(kernel_size: int | tuple[int, int]) -> tuple[int, int]:
    return (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size


def input_channels(module: nn.Module) -> int:
    """Channels of the image that a network takes: those of the convolution it defines first."""
    for child in module.modules():
        if isinstance(child, nn.Conv2d):
            return child.in_channels
    raise ValueError(f"{type(module).__name__} has no convolution to read the image's channels from")


def measured(module: nn.Module, size: int, narrow: nn.Module | None = None) -> dict[str, Any]:
    """Parameters, MACs on a size × size image and receptive field of one network, by the names of complexity.json.

    The receptive field of a network that sees the whole image is None. `narrow` is the same network with fewer maps,
    where there is one: it has the same field, and a deep U-shaped network's takes minutes to measure at full width.
    """
    field: int | None
    try:
        field = receptive_field(narrow or module)
    except ValueError:
        field = None
    return {
        "parameters": parameters(module),
        f"macs_{size}": square_macs(module, size),
        "receptive_field": field,
    }


def narrowed(settings: params.Section, widths: Mapping[str, Any]) -> params.Section:
    """The settings with other feature maps. widths: as in a paper's `NARROW`, those of a subsection by its name."""
    update = {
        name: narrowed(getattr(settings, name), width) if isinstance(width, Mapping) else width
        for name, width in widths.items()
    }
    return settings.model_copy(update=update)


def main() -> None:
    """The stage: complexity of a paper's networks at their published size and as the profile trains them."""
    (paper,) = sys.argv[1:]
    models = PaperModels.of(import_module(f"replications.{paper}.models"))
    narrow = models.narrow_published_networks()
    published = {
        name: measured(build(), PUBLISHED_SIZE, narrow[name]() if name in narrow else None)
        for name, build in models.published_networks().items()
    }
    profile = {}
    settings = params.load(paper)
    narrow = models.narrow_networks(settings)
    for name, build in models.networks(settings).items():
        costs = measured(build(), PROFILE_SIZE, narrow[name]() if name in narrow else None)
        profile[name] = {**costs, "macs_per_pixel": costs[f"macs_{PROFILE_SIZE}"] / PROFILE_SIZE**2}
    write_json(f"results/{paper}/complexity.json", {"published": published, "profile": profile})


if __name__ == "__main__":
    run(main)
