"""Converters of a tile: from inputs to voltages (DAC) and from column currents to numbers (ADC).

All functions take tensors in any unit. The gradient of rounding is that of the clipping around it (straight-through;
Hubara et al., JMLR 18, 2018), so a network can be trained through its converters.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError


def greatest_code(bits: int, *, signed: bool = True) -> int:
    """Largest integer code of an input with ``bits`` bits: 2^(bits−1) − 1 with a sign (1 for one bit).

    Signed codes are symmetric, so zero is one of them and needs no voltage; one signed bit has only the codes −1 and 1.

    Raises:
        InputError: ``bits`` is less than 1.
    """
    _check_bits(bits)
    return max((1 << bits - 1) - 1, 1) if signed else (1 << bits) - 1


def quantise_inputs(
    inputs: Float[Tensor, "*any"], bits: int, limit: float, *, signed: bool = True
) -> Float[Tensor, "*any"]:
    """Clip inputs to [−limit, limit] (to [0, limit] without a sign) and round them to what a DAC of ``bits`` delivers.

    Args:
        inputs: Inputs of a layer.
        bits: Number of bits of the converter, including the sign.
        limit: Input at which the full read voltage is applied.
        signed: Whether inputs can be negative.

    Raises:
        InputError: ``bits`` is less than 1, or the limit is not positive.
    """
    clipped = _clipped(inputs, limit, signed=signed)
    code = _codes(clipped, bits, limit, signed=signed)
    return _with_gradient_of(clipped, code * (limit / greatest_code(bits, signed=signed)))


def input_planes(
    inputs: Float[Tensor, "*any"], bits: int, limit: float, *, signed: bool = True
) -> Float[Tensor, "plane ..."]:
    """Binary digits of quantised inputs, lowest first, each 0 or the sign of the input; every plane is one read.

    A row is driven with plus or minus the full read voltage, or not at all. :func:`combine_planes` of these planes
    gives :func:`quantise_inputs`, and the gradients of all planes add up to its gradient.

    Args:
        inputs, bits, limit, signed: As in :func:`quantise_inputs`.

    Returns:
        ``bits − 1`` planes for signed inputs (one for one bit), ``bits`` for unsigned ones.

    Raises:
        InputError: As :func:`quantise_inputs`.
    """
    clipped = _clipped(inputs, limit, signed=signed)
    code = _codes(clipped, bits, limit, signed=signed)
    planes = greatest_code(bits, signed=signed).bit_length()
    shift = torch.arange(planes, device=inputs.device).view(-1, *[1] * inputs.dim())
    digits = (code.abs().to(torch.int64) >> shift) & 1
    # sum of 2^k · limit/(2^planes − 1) times clipped/limit over the planes is clipped again.
    return _with_gradient_of(clipped / limit, digits.to(inputs.dtype) * code.sign())


def combine_planes(planes: Float[Tensor, "plane ..."], limit: float) -> Float[Tensor, "*any"]:
    """Shifted sum of the results for the planes of :func:`input_planes`, in the units of the inputs.

    Args:
        planes: Result for each plane, lowest first, such as column currents divided by the full read voltage.
        limit: Limit of the inputs.
    """
    count = planes.shape[0]
    step = limit / (2**count - 1)
    weights = step * 2.0 ** torch.arange(count, device=planes.device, dtype=planes.dtype)
    combined: Tensor = torch.tensordot(weights, planes, dims=1)
    return combined


def quantise_outputs(
    outputs: Float[Tensor, "*any"], bits: int, low: float | Tensor, high: float | Tensor
) -> Float[Tensor, "*any"]:
    """Clip column currents to [low, high] and round them to the 2^bits values of an ADC, which include both ends.

    Args:
        outputs: Column outputs of a tile, before those of several tiles are added.
        bits: Number of bits of the converter.
        low, high: Ends of its range (see :func:`converter_range`), as numbers or as tensors that broadcast.

    Raises:
        InputError: ``bits`` is less than 1, or the range is empty.
    """
    _check_bits(bits)
    bottom, top = (torch.as_tensor(end, dtype=outputs.dtype, device=outputs.device) for end in (low, high))
    # Plain numbers are compared without reading anything back from an accelerator.
    tensors = isinstance(low, Tensor) or isinstance(high, Tensor)
    if not (bool((bottom < top).all()) if tensors else low < high):
        raise InputError(f"an ADC from {_first(bottom)} to {_first(top)}: its range is empty")
    clipped = torch.minimum(torch.maximum(outputs, bottom), top)
    step = (top - bottom) / (2**bits - 1)
    code = torch.round((clipped.detach() - bottom) / step)
    return _with_gradient_of(clipped, bottom + code * step)


@torch.no_grad()
def converted_in_place(outputs: Float[Tensor, "*any"], bits: int, low: float, high: float) -> Float[Tensor, "*any"]:
    """As :func:`quantise_outputs` without a gradient, in the memory of the outputs.

    Raises:
        InputError: As :func:`quantise_outputs`.
    """
    _check_bits(bits)
    if not low < high:
        raise InputError(f"an ADC from {low:g} to {high:g}: its range is empty")
    step = (high - low) / (2**bits - 1)
    return outputs.clamp_(low, high).sub_(low).mul_(1 / step).round_().mul_(step).add_(low)


def converter_range(limit: float, bits: int) -> tuple[float, float]:
    """Range of an ADC for signed currents up to ``limit``: from −limit to one step below limit.

    As in two's complement, zero is one of the values. Over a symmetric range it would not be, since the number of
    values is even, and a tile without current would read as half a step. One bit gives only the sign: −limit or limit.

    Raises:
        InputError: ``bits`` is less than 1, or the limit is not positive.
    """
    _check_bits(bits)
    _check_limit(limit, "the range of the ADC")
    return (-limit, limit) if bits == 1 else (-limit, limit * (1 - 2.0 ** (1 - bits)))


def full_scale_limit(rows: int, input_limit: float, weight_limit: float) -> float:
    """Largest partial sum that a tile can deliver: all inputs and weights at their maximum.

    Args:
        rows: Number of inputs in use on one tile.
        input_limit: Largest input (1 for a plane of :func:`input_planes`).
        weight_limit: Largest absolute weight.
    """
    return rows * input_limit * weight_limit


def calibrated_limit(partial_sums: Float[Tensor, "*any"], percentile: float) -> float:
    """Percentile of the absolute partial sums on training data, to which the range of an ADC is set.

    Args:
        partial_sums: Partial sums of all tiles and columns of a layer at the inputs of its ADCs.
        percentile: Percentile in per cent (nearest rank); 100 gives the largest value.

    Raises:
        InputError: The percentile is not above 0 and at most 100, there are no data, or their percentile is zero (an
            empty range) or not finite.
    """
    if not 0 < percentile <= 100:
        raise InputError(f"percentile = {percentile:g}: must be above 0 and at most 100 per cent")
    if partial_sums.numel() == 0:
        raise InputError("no partial sums to calibrate the ADC with")
    sizes = partial_sums.detach().reshape(-1).abs()
    # Not torch.quantile, which refuses more than 16 million values.
    rank = min(max(math.ceil(percentile / 100 * sizes.numel()), 1), sizes.numel())
    limit = float(sizes.kthvalue(rank).values)
    if not (math.isfinite(limit) and limit > 0):
        raise InputError(
            f"the ADC range would be {limit:g}: {percentile:g} % of the partial sums of the training data are no more"
        )
    return limit


def _clipped(inputs: Tensor, limit: float, *, signed: bool) -> Tensor:
    _check_limit(limit, "the limit of the inputs")
    return inputs.clamp(-limit if signed else 0.0, limit)


def _codes(clipped: Tensor, bits: int, limit: float, *, signed: bool) -> Tensor:
    """Integer codes, as floats."""
    greatest = greatest_code(bits, signed=signed)
    values = clipped.detach()
    if signed and bits == 1:
        return torch.where(values < 0, -1.0, 1.0).to(values.dtype)
    # Single precision may round the limit up to a number with one more binary digit.
    return torch.round(values * (greatest / limit)).clamp_(-greatest, greatest)


def _with_gradient_of(smooth: Tensor, values: Tensor) -> Tensor:
    # The second term is exactly zero and carries the gradient.
    return values + (smooth - smooth.detach())


def _check_bits(bits: int) -> None:
    if bits < 1:
        raise InputError(f"bits = {bits}: a converter needs 1 or more")


def _check_limit(limit: float, what: str) -> None:
    if not (math.isfinite(limit) and limit > 0):
        raise InputError(f"{what} is {limit:g}: must be positive")


def _first(values: Tensor) -> str:
    return f"{float(values.reshape(-1)[0]):g}"
