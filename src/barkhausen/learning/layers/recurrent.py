"""Recurrent layers (LSTM, GRU) whose input and recurrent matrices are held by devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.linear import SynapseLinear
from barkhausen.learning.layers.recording import recorded, refuse
from barkhausen.learning.layers.straight_through import straight_through

State = Any
"""Hidden state of a GRU; hidden and cell state of an LSTM. None for zeros."""


class SynapseRecurrent(nn.Module):
    """A recurrent layer of torch whose matrices are synapse layers; see the subclasses.

    The matrices are :class:`.SynapseLinear` layers without a bias, under the names that torch gives to the weights
    (``weight_ih_l0``, ``weight_hh_l0``, …), each with its devices, counters and scale. Biases are digital and keep
    their names. Gates and states are digital.

    As long as all matrices are plain synapse layers, torch's own recurrent operation computes with their weights. On a
    crossbar, at low precision, or with a hook on a matrix, the layer goes through time step by step and calls every
    matrix as a layer.

    Args:
        like: Layer of torch, for sizes, options and biases.
        matrices: Synapse layers by the name of torch's weight.
    """

    plain: type[nn.LSTM] | type[nn.GRU]
    gates: str
    """Order of the gates in the rows of a matrix, equally many rows each."""

    def __init__(self, like: nn.LSTM | nn.GRU, matrices: Mapping[str, SynapseLinear]) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.num_layers = like.input_size, like.hidden_size, like.num_layers
        self.bias, self.batch_first, self.dropout = like.bias, like.batch_first, like.dropout
        self.bidirectional, self.proj_size = like.bidirectional, like.proj_size
        # In torch's order, which is that of its operation.
        self.names: list[list[str]] = [list(names) for names in like._all_weights]
        for name in (name for names in self.names for name in names):
            if name in matrices:
                self.add_module(name, matrices[name])
            else:
                # The same parameter object, so that other references to it stay valid.
                self.register_parameter(name, getattr(like, name))

    def forward(self, x: Tensor | PackedSequence, hx: State = None) -> tuple[Any, State]:
        """Outputs of all steps and the last state, as the layer of torch gives them."""
        record: Any = recorded(self, x, hx)
        if record is not None:
            return record  # type: ignore[no-any-return]
        if isinstance(x, PackedSequence):
            return self._packed(x, hx)
        if x.dim() not in (2, 3):
            raise InputError(f"{type(self).__name__}: needs inputs with 2 or 3 dimensions, got {x.dim()}")
        single = x.dim() == 2
        if single:
            x = x.unsqueeze(0 if self.batch_first else 1)
            hx = _each(hx, lambda state: state.unsqueeze(1))
        state = self._checked(hx, x.shape[0 if self.batch_first else 1], x)
        if self._fused:
            out, state = self._operation(x, state)
        else:
            out, state = self._steps(x if self.batch_first else x.transpose(0, 1), state)
            out = out if self.batch_first else out.transpose(0, 1)
        if single:
            return out.squeeze(0 if self.batch_first else 1), _each(state, lambda part: part.squeeze(1))
        return out, state

    def flatten_parameters(self) -> None:
        """Nothing: the weights are those of devices. Code around a layer of torch may call it."""

    def as_float(self) -> nn.LSTM | nn.GRU:
        """The deployed layer of torch, with the weights of the devices."""
        layer = self.plain(
            self.input_size, self.hidden_size, self.num_layers, bias=self.bias, batch_first=self.batch_first,
            dropout=self.dropout, bidirectional=self.bidirectional, **self._projection,
        )  # fmt: skip
        layer.to(device=self._weight(self.names[0][0]).device, dtype=self._weight(self.names[0][0]).dtype)
        with torch.no_grad():
            for name in (name for names in self.names for name in names):
                getattr(layer, name).copy_(self._weight(name))
        return layer.train(self.training)

    def hidden_of_steps(self, x: Float[Tensor, "batch time inputs"]) -> dict[str, Float[Tensor, "batch time hidden"]]:
        """Inputs of every recurrent matrix at all steps, from zero states, by the name of the matrix.

        Computed with the weights of the devices, also where the matrices are on a crossbar.
        """
        found: dict[str, Tensor] = {}
        directions = 2 if self.bidirectional else 1
        outputs: list[Tensor] = []
        for number, names in enumerate(self.names):
            back = number % directions == 1
            if number and not back:
                x, outputs = torch.cat(outputs, dim=2), []
            weights = [self._weight(name) for name in names]
            state = self._zeros(1, len(x), x)
            out, _ = self._call(x.flip(1) if back else x, state, weights, 1, batch_first=True, bidirectional=False)
            found[names[1]] = torch.cat([_hidden(state)[0][:, None], out[:, :-1]], dim=1)
            outputs.append(out.flip(1) if back else out)
        return found

    @property
    def _projection(self) -> dict[str, int]:
        return {"proj_size": self.proj_size} if self.proj_size else {}

    @property
    def _fused(self) -> bool:
        """Whether torch's own operation computes the layer."""
        return all(
            type(module) is SynapseLinear
            and module.low_precision is None
            and not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
            for module in self.children()
        )

    def _weight(self, name: str) -> Tensor:
        """A bias, or the weights of a matrix, whose gradient goes to its latent weight."""
        part = getattr(self, name)
        if isinstance(part, nn.Parameter):
            return part
        # On a crossbar, the layer of devices is within.
        layer = part if isinstance(part, SynapseLinear) else getattr(part, "layer", part)
        assert isinstance(layer, SynapseLinear)
        return straight_through(layer.latent_weight, layer.synapses.weight) * layer.scale

    def _operation(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        weights = [self._weight(name) for names in self.names for name in names]
        return self._call(
            x, state, weights, self.num_layers, batch_first=self.batch_first, bidirectional=self.bidirectional
        )

    def _call(
        self, x: Tensor, state: State, weights: list[Tensor], layers: int, *, batch_first: bool, bidirectional: bool
    ) -> tuple[Tensor, State]:
        """Torch's operation on sequences of one length."""
        raise NotImplementedError

    def _call_packed(self, x: PackedSequence, state: State, weights: list[Tensor]) -> tuple[Tensor, State]:
        """Torch's operation on packed sequences."""
        raise NotImplementedError

    def _step(self, from_input: Tensor, from_hidden: Tensor, state: list[Tensor]) -> list[Tensor]:
        """The state after a step: hidden first.

        Args:
            from_input: Sum of the gates from the input, with its bias.
            from_hidden: Sum of the gates from the hidden state, with its bias.
            state: State before.
        """
        raise NotImplementedError

    def _steps(self, x: Float[Tensor, "batch time inputs"], state: State) -> tuple[Tensor, State]:
        """All layers, step by step, with every matrix called as a layer."""
        start = [state] if isinstance(state, Tensor) else list(state)
        ends: list[list[Tensor]] = []
        directions = 2 if self.bidirectional else 1
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                number = layer * directions + direction
                out, end = self._one_way(x.flip(1) if direction else x, number, [part[number] for part in start])
                outputs.append(out.flip(1) if direction else out)
                ends.append(end)
            x = torch.cat(outputs, dim=2)
            if self.dropout and layer < self.num_layers - 1:
                x = nn.functional.dropout(x, self.dropout, self.training)
        last = [torch.stack(parts) for parts in zip(*ends, strict=True)]
        return x, last[0] if isinstance(state, Tensor) else tuple(last)

    def _one_way(self, x: Tensor, number: int, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One layer in one direction of time."""
        names = self.names[number]
        into, back = getattr(self, names[0]), getattr(self, names[1])
        given = into(x)
        project = getattr(self, names[-1]) if self.proj_size else None
        own = None
        if self.bias:
            given, own = given + getattr(self, names[2]), getattr(self, names[3])
        outputs = []
        for step in range(x.shape[1]):
            fed = back(state[0])
            state = self._step(given[:, step], fed if own is None else fed + own, state)
            if project is not None:
                state[0] = project(state[0])
            outputs.append(state[0])
        return torch.stack(outputs, dim=1), state

    def _packed(self, x: PackedSequence, hx: State) -> tuple[PackedSequence, State]:
        if not self._fused:
            raise InputError(
                f"{type(self).__name__}: packed sequences are not computed on a crossbar or at low precision; pass "
                "sequences of one length"
            )
        state = self._checked(hx, int(x.batch_sizes[0]), x.data)
        order, back = x.sorted_indices, x.unsorted_indices
        if hx is not None and order is not None:
            state = _each(state, lambda part: part.index_select(1, order))
        weights = [self._weight(name) for names in self.names for name in names]
        out, end = self._call_packed(x, state, weights)
        if back is not None:
            end = _each(end, lambda part: part.index_select(1, back))
        return PackedSequence(out, x.batch_sizes, order, back), end

    def _checked(self, hx: State, batch: int, x: Tensor) -> State:
        """The state to start from: zeros, or the given one."""
        if x.shape[-1] != self.input_size:
            raise InputError(f"{type(self).__name__}: needs {self.input_size} inputs a step, got {x.shape[-1]}")
        zeros = self._zeros(self.num_layers * (2 if self.bidirectional else 1), batch, x)
        if hx is None:
            return zeros
        expected = [tuple(part.shape) for part in _parts(zeros)]
        given = [tuple(part.shape) for part in _parts(hx)]
        if given != expected:
            raise InputError(f"{type(self).__name__}: needs a state of the sizes {expected}, got {given}")
        return hx

    def _zeros(self, layers: int, batch: int, x: Tensor) -> State:
        raise NotImplementedError

    def __prepare_scriptable__(self) -> NoReturn:
        """Refuse ``torch.jit.script``, which calls this method first."""
        refuse("script")

    def extra_repr(self) -> str:
        """Size and options, as ``print(model)`` shows them."""
        text = f"{self.input_size}, {self.hidden_size}"
        text += f", num_layers={self.num_layers}" if self.num_layers > 1 else ""
        text += ", batch_first=True" if self.batch_first else ""
        text += f", dropout={self.dropout:g}" if self.dropout else ""
        text += ", bidirectional=True" if self.bidirectional else ""
        return text + (f", proj_size={self.proj_size}" if self.proj_size else "")


class SynapseLSTM(SynapseRecurrent):
    """A long short-term memory whose matrices are held by devices; made by :func:`.convert` of a ``torch.nn.LSTM``."""

    plain = nn.LSTM
    gates = "input, forget, cell, output"

    def _call(
        self, x: Tensor, state: State, weights: list[Tensor], layers: int, *, batch_first: bool, bidirectional: bool
    ) -> tuple[Tensor, State]:
        out, hidden, cell = torch.lstm(
            x, state, weights, self.bias, layers, self.dropout, self.training, bidirectional, batch_first
        )
        return out, (hidden, cell)

    def _call_packed(self, x: PackedSequence, state: State, weights: list[Tensor]) -> tuple[Tensor, State]:
        out, hidden, cell = torch.lstm(
            x.data, x.batch_sizes, state, weights, self.bias, self.num_layers, self.dropout, self.training,
            self.bidirectional,
        )  # fmt: skip
        return out, (hidden, cell)

    def _step(self, from_input: Tensor, from_hidden: Tensor, state: list[Tensor]) -> list[Tensor]:
        entry, forget, new, leave = (from_input + from_hidden).chunk(4, dim=1)
        cell = forget.sigmoid() * state[1] + entry.sigmoid() * new.tanh()
        return [leave.sigmoid() * cell.tanh(), cell]

    def _zeros(self, layers: int, batch: int, x: Tensor) -> State:
        hidden = x.new_zeros(layers, batch, self.proj_size or self.hidden_size)
        return hidden, x.new_zeros(layers, batch, self.hidden_size)


class SynapseGRU(SynapseRecurrent):
    """A gated recurrent unit whose matrices are held by devices; made by :func:`.convert` of a ``torch.nn.GRU``."""

    plain = nn.GRU
    gates = "reset, update, new"

    def _call(
        self, x: Tensor, state: State, weights: list[Tensor], layers: int, *, batch_first: bool, bidirectional: bool
    ) -> tuple[Tensor, State]:
        out, hidden = torch.gru(
            x, state, weights, self.bias, layers, self.dropout, self.training, bidirectional, batch_first
        )
        return out, hidden

    def _call_packed(self, x: PackedSequence, state: State, weights: list[Tensor]) -> tuple[Tensor, State]:
        out, hidden = torch.gru(
            x.data, x.batch_sizes, state, weights, self.bias, self.num_layers, self.dropout, self.training,
            self.bidirectional,
        )  # fmt: skip
        return out, hidden

    def _step(self, from_input: Tensor, from_hidden: Tensor, state: list[Tensor]) -> list[Tensor]:
        reset_in, update_in, new_in = from_input.chunk(3, dim=1)
        reset_back, update_back, new_back = from_hidden.chunk(3, dim=1)
        update = (update_in + update_back).sigmoid()
        new = (new_in + (reset_in + reset_back).sigmoid() * new_back).tanh()
        return [new + update * (state[0] - new)]

    def _zeros(self, layers: int, batch: int, x: Tensor) -> State:
        return x.new_zeros(layers, batch, self.hidden_size)


def recurrent_layers(model: nn.Module) -> Iterator[tuple[str, SynapseRecurrent]]:
    """Name and layer of every recurrent layer on devices of a model, in order."""
    for name, module in model.named_modules():
        if isinstance(module, SynapseRecurrent):
            yield name, module


def _hidden(state: State) -> Tensor:
    hidden: Tensor = state if isinstance(state, Tensor) else state[0]
    return hidden


def _parts(state: State) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else list(state)


def _each(state: State, change: Any) -> State:
    """A function of every part of a state."""
    if state is None:
        return None
    return change(state) if isinstance(state, Tensor) else tuple(change(part) for part in state)
