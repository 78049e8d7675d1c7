"""What random specs and their faults reach: all ops, all blocks, all kinds of edges, all codes of the front end."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, find, given, settings

from cnnspec.registry import keys
from cnnspec.testing import Mutant, mutants, specs
from cnnspec.testing.coverage import KINDS, keys_of, kinds_of
from cnnspec.testing.faults import FAULTS
from cnnspec.testing.text_faults import TEXT_FAULTS
from tests.test_error_pages import codes_in_the_sources

#: Codes of the front end that no fault in one text can have, and why.
ELSEWHERE = {
    "E001": "a file that cannot be read", "E502": "files in a circle", "E605": "what `verify` finds",
    "E121": "advice", "E122": "advice", "E123": "advice", "E124": "advice",
}  # fmt: skip


def test_the_faults_reach_every_code_of_the_front_end() -> None:
    planted: set[str] = set()
    for fault in sorted({*FAULTS, *TEXT_FAULTS}):

        @settings(max_examples=1, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
        @given(mutants(fault))
        def gather(mutant: Mutant) -> None:
            planted.add(mutant.code)

        gather()
    front_end = {code for code in codes_in_the_sources() if code < "E8"}
    assert front_end == planted | set(ELSEWHERE), sorted(front_end ^ (planted | set(ELSEWHERE)))
    assert not planted & set(ELSEWHERE)


def test_random_specs_reach_every_op_every_block_and_every_kind_of_edge() -> None:
    kinds: set[str] = set()
    reached: set[str] = set()

    def complete(spec: dict[str, Any]) -> bool:
        kinds.update(kinds_of(spec))
        reached.update(keys_of(spec))
        return kinds >= KINDS and reached >= keys()

    every = settings(
        max_examples=5_000,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        find(specs(), complete, settings=every)
    finally:
        assert kinds >= KINDS, sorted(KINDS - kinds)
        assert reached >= keys(), sorted(keys() - reached)
