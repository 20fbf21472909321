"""Converters on either side of a tile: inputs to voltages (DAC), column currents to numbers (ADC).

Everything here is a function of tensors, in whatever unit the tensors have. Rounding has the gradient of the clipping
around it (straight-through; Hubara et al., JMLR 18, 2018), so that a network can be trained through its converters.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError


def greatest_code(bits: int, *, signed: bool = True) -> int:
    """The greatest whole number that an input of so many bits has: 2^(bits−1) − 1 with a sign (1 for one bit).

    Codes of either sign go as far to either side, so that zero is one of them and takes no voltage; one bit with a
    sign has the codes −1 and 1 only.

    Raises:
        InputError: less than one bit.
    """
    _check_bits(bits)
    return max((1 << bits - 1) - 1, 1) if signed else (1 << bits) - 1


def quantise_inputs(
    inputs: Float[Tensor, "*any"], bits: int, limit: float, *, signed: bool = True
) -> Float[Tensor, "*any"]:
    """Clip inputs to [−limit, limit] (to [0, limit] without a sign) and round them to what a DAC of ``bits`` delivers.

    Args:
        inputs: of a layer.
        bits: of the converter, the sign included.
        limit: the input of the full read voltage.
        signed: whether inputs have either sign.

    Raises:
        InputError: less than one bit, or a limit that is not positive.
    """
    clipped = _clipped(inputs, limit, signed=signed)
    code = _codes(clipped, bits, limit, signed=signed)
    return _with_gradient_of(clipped, code * (limit / greatest_code(bits, signed=signed)))


def input_planes(
    inputs: Float[Tensor, "*any"], bits: int, limit: float, *, signed: bool = True
) -> Float[Tensor, "plane ..."]:
    """Binary digits of quantised inputs, the lowest first, each 0 or the sign of the input: one read for each plane.

    A row is driven with the full read voltage of either sign, or not at all. ``combine_planes`` of these is
    :func:`quantise_inputs`; the gradients of all planes together are its gradient.

    Args:
        inputs, bits, limit, signed: as :func:`quantise_inputs` takes them.

    Returns:
        ``bits − 1`` planes with a sign (one for one bit), ``bits`` without.

    Raises:
        InputError: as :func:`quantise_inputs`.
    """
    clipped = _clipped(inputs, limit, signed=signed)
    code = _codes(clipped, bits, limit, signed=signed)
    planes = greatest_code(bits, signed=signed).bit_length()
    shift = torch.arange(planes, device=inputs.device).view(-1, *[1] * inputs.dim())
    digits = (code.abs().to(torch.int64) >> shift) & 1
    # sum of 2^k · limit/(2^planes − 1) times clipped/limit over the planes is clipped again.
    return _with_gradient_of(clipped / limit, digits.to(inputs.dtype) * code.sign())


def combine_planes(planes: Float[Tensor, "plane ..."], limit: float) -> Float[Tensor, "*any"]:
    """What was read for each plane of :func:`input_planes`, shifted and added: in the units of the inputs.

    Args:
        planes: what became of each plane, the lowest first: column currents, say, per full read voltage.
        limit: of the inputs.
    """
    count = planes.shape[0]
    step = limit / (2**count - 1)
    weights = step * 2.0 ** torch.arange(count, device=planes.device, dtype=planes.dtype)
    combined: Tensor = torch.tensordot(weights, planes, dims=1)
    return combined


def quantise_outputs(
    outputs: Float[Tensor, "*any"], bits: int, low: float | Tensor, high: float | Tensor
) -> Float[Tensor, "*any"]:
    """Clip column currents to [low, high] and round them to the 2^bits values of an ADC, its two ends included.

    Args:
        outputs: of the columns of a tile, before those of several tiles are added.
        bits: of the converter.
        low, high: ends of its range, see :func:`converter_range`; tensors where columns differ (they broadcast).

    Raises:
        InputError: less than one bit, or an empty range.
    """
    _check_bits(bits)
    bottom, top = (torch.as_tensor(end, dtype=outputs.dtype, device=outputs.device) for end in (low, high))
    # Numbers are compared here, so that nothing is read back from an accelerator.
    tensors = isinstance(low, Tensor) or isinstance(high, Tensor)
    if not (bool((bottom < top).all()) if tensors else low < high):
        raise InputError(f"an ADC from {_first(bottom)} to {_first(top)}: its range is empty")
    clipped = torch.minimum(torch.maximum(outputs, bottom), top)
    step = (top - bottom) / (2**bits - 1)
    code = torch.round((clipped.detach() - bottom) / step)
    return _with_gradient_of(clipped, bottom + code * step)


def converter_range(limit: float, bits: int) -> tuple[float, float]:
    """Ends of the range of an ADC for signed currents up to ``limit``: from −limit to a step below limit.

    So zero is one of its values, as in two's complement: with an even number of values from −limit to limit it would
    not be, and every tile without current would read as half a step. One bit is the sign: −limit and limit.

    Raises:
        InputError: less than one bit, or a limit that is not positive.
    """
    _check_bits(bits)
    _check_limit(limit, "the range of the ADC")
    return (-limit, limit) if bits == 1 else (-limit, limit * (1 - 2.0 ** (1 - bits)))


def full_scale_limit(rows: int, input_limit: float, weight_limit: float) -> float:
    """The greatest partial sum that a tile can deliver: every input and every weight at its greatest.

    Args:
        rows: inputs of one tile that are in use.
        input_limit: greatest input (1 for a plane of :func:`input_planes`).
        weight_limit: greatest absolute weight.
    """
    return rows * input_limit * weight_limit


def calibrated_limit(partial_sums: Float[Tensor, "*any"], percentile: float) -> float:
    """The percentile of the absolute partial sums that training data give: what the range of an ADC should hold.

    Args:
        partial_sums: of all tiles and columns of a layer, as its ADCs would see them.
        percentile: in per cent, of the nearest rank; 100 is the greatest.

    Raises:
        InputError: a percentile that is not above 0 and at most 100, no data, or data whose percentile is zero (a range
            of zero) or not finite.
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
    """Whole numbers, as floats."""
    greatest = greatest_code(bits, signed=signed)
    values = clipped.detach()
    if signed and bits == 1:
        return torch.where(values < 0, -1.0, 1.0).to(values.dtype)
    # Single precision may round the limit itself up, to a number with one binary digit more.
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
