"""For tests of your own blocks and specs: random specs, single faults, and the laws that every network keeps.

```python
from hypothesis import given
from cnnspec.testing import specs

@given(specs())
def test_my_tool_takes_any_spec(spec):
    my_tool(spec)
```
"""

from __future__ import annotations

from cnnspec.testing.checking import Checked, check_text
from cnnspec.testing.mutants import Mutant, mutants
from cnnspec.testing.nodes import blocks
from cnnspec.testing.shapes import shapes, types
from cnnspec.testing.specs import specs

__all__ = ["Checked", "Mutant", "blocks", "check_text", "mutants", "shapes", "specs", "types"]
