"""Merging located mappings."""

from __future__ import annotations

from cnnspec.source import Entry, Mapping


def merge_mappings(base: Mapping, over: Mapping, depth: int = 64) -> Mapping:
    """`base` with the entries of `over`, mappings within mappings merged likewise down to `depth`."""
    entries = dict(base.entries)
    for name, entry in over.entries.items():
        old = entries.get(name)
        if old is not None and depth > 0 and isinstance(old.value, Mapping) and isinstance(entry.value, Mapping):
            entry = Entry(entry.key_span, merge_mappings(old.value, entry.value, depth - 1))
        entries[name] = entry
    return Mapping(entries, over.span, base.incomplete or over.incomplete)
