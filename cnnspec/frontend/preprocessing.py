"""Whether the preprocessing of an input agrees with itself and with the input."""

from __future__ import annotations

from cnnspec.diagnostics import Report, Span
from cnnspec.document import InputSpec
from cnnspec.source import Entry, Mapping


def check_preprocessing(name: str, spec: InputSpec, entry: Entry, report: Report, *, channels_are_set: bool) -> None:
    """Report what contradicts itself: a mean for other channels, a crop larger than the image, a division by zero.

    With `channels_are_set` the number of channels comes from outside, and what the spec says of each speaks of others.
    """
    steps = spec.preprocess
    if steps is None:
        return
    if not spec.height or not spec.width or not spec.channels:
        report.error("E109", f"`{name}` is no image, and has `preprocess`", _place(entry, ""), "leave it out")
        return
    for field in ("mean", "std"):
        numbers = getattr(steps, field)
        if len(numbers) not in (1, spec.channels) and not channels_are_set:
            message = f"`{field}` has {len(numbers)} numbers, and `{name}` has {spec.channels} channels"
            report.error("E109", message, _place(entry, field), "give one number a channel, or one for all")
    if 0.0 in steps.std:
        report.error(
            "E104", "`std` should not be 0: the image is divided by it", _place(entry, "std"), "write 1 for none"
        )
    shorter = steps.resize
    if steps.crop is not None and shorter is not None and min(steps.crop) > shorter:
        message = f"`crop` of {max(steps.crop)} is larger than the {shorter} that `resize` makes the shorter side"
        report.error("E109", message, _place(entry, "crop"), f"resize to at least {max(steps.crop)}")
    if steps.stretch is not None and steps.resize is not None:
        message = "`stretch` and `resize` both say how large the image becomes"
        report.error("E109", message, _place(entry, "stretch"), "keep one of them")


def _place(entry: Entry, field: str) -> Span:
    """Where a field of the preprocessing is written, or all of it."""
    whole = entry.value.entries["preprocess"] if isinstance(entry.value, Mapping) else entry
    if field and isinstance(whole.value, Mapping) and field in whole.value.entries:
        return whole.value.entries[field].value.span
    return whole.key_span
