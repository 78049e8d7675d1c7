"""Scaling of a network in width, depth and resolution: part of the language, for every spec.

`scaling:` in a spec says how it scales (divisor and rounding, what is exempt, named variants, the compound rule), and
`scale:` says by how much this spec is scaled. A literal number in a width field (`filters: 64`) is multiplied by the
width factor, a literal `repeat` by the depth factor; what an expression gives is not touched, but a param may be
declared to scale: `{type: int, default: 64, scale: width}`. The value of a param may be a function of the scale:
`dropout: "${0.2 + 0.05 * scale.phi}"`.

**Source**: compound rule and rounding: Tan and Le 2019, section 3.3, arXiv:1905.11946; width and resolution
multipliers: Howard et al. 2017, section 3.3 and 3.4, arXiv:1704.04861.
"""

from cnnspec.scaling.factors import Factors
from cnnspec.scaling.rule import Scaling

__all__ = ["Factors", "Scaling"]
