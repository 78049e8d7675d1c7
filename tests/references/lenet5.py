"""LeNet-5 (LeCun et al. 1998, section II.B and III.A)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tests.references.arrays import Array, convolution, dense

#: Table I: the maps of S2 down, those of C3 across.
TABLE = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
""".split()


def squashing(a: Array) -> Array:
    """f(a) = A tanh(S a) with A = 1.7159 and S = 2/3 (equation 6, appendix A)."""
    return 1.7159 * np.tanh(2 / 3 * a)


def subsampling(x: Array, coefficient: Array, bias: Array) -> Array:
    """The four inputs of a unit are added, multiplied by the map's coefficient, added to its bias, and squashed."""
    total = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    return squashing(total * coefficient + bias)


def connected(x: Array, kernels: Mapping[tuple[int, int], Array], bias: Array) -> Array:
    """C3: each map sums the convolutions of those maps of S2 that the table marks; `kernels[s2, c3]` is `[5, 5]`."""
    maps = []
    for c3 in range(len(TABLE[0])):
        y = bias[c3]
        for s2 in range(len(TABLE)):
            if TABLE[s2][c3] == "X":
                y = y + convolution(x[..., s2 : s2 + 1], kernels[s2, c3][:, :, None, None], np.zeros(1))
        maps.append(y)
    return np.concatenate(maps, axis=-1)


def radial_basis(x: Array, centres: Array) -> Array:
    """Equation 7: y_i = sum over j of (x_j - w_ij)^2."""
    return np.stack([np.sum((x - centre) ** 2, axis=1) for centre in centres], axis=1)


def forward(x: Array, w: Mapping[str, Array], kernels: Mapping[tuple[int, int], Array]) -> dict[str, Array]:
    """Every layer of the network on images `[N, 32, 32, 1]`; coefficients are of sums."""
    c1 = squashing(convolution(x, w["c1.kernel"], w["c1.bias"]))
    s2 = subsampling(c1, w["s2.coefficient"], w["s2.bias"])
    c3 = squashing(connected(s2, kernels, w["c3.bias"]))
    s4 = subsampling(c3, w["s4.coefficient"], w["s4.bias"])
    c5 = squashing(convolution(s4, w["c5.kernel"], w["c5.bias"]))
    f6 = squashing(dense(c5.reshape(len(x), -1), w["f6.kernel"], w["f6.bias"]))
    return {"c1": c1, "s2": s2, "c3": c3, "s4": s4, "c5": c5, "f6": f6, "output": radial_basis(f6, w["centres"])}
