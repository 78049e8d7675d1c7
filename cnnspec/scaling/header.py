"""What the header of a spec says of its scaling, `scaling:` and `scale:`, read and checked with places."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as AnyMapping

from cnnspec.diagnostics import Problem, Report, Span, did_you_mean
from cnnspec.registry import keys, spec_class
from cnnspec.scaling.factors import Factors, problem_of
from cnnspec.scaling.rule import Scaling, Variant
from cnnspec.scaling.scaler import Scaler, resolve
from cnnspec.source import Mapping, Scalar, Sequence, Tree
from cnnspec.validation import validate

LISTS = ("exempt", "only_wider", "fixed_depth")


def read_header(tree: Mapping, report: Report) -> tuple[Scaling, Factors] | None:
    """The rule and the factors of a spec; `None` after reporting what is wrong with them."""
    written = {name: tree.entries.get(name) for name in ("scaling", "scale")}
    for name, entry in written.items():
        if entry is not None and not isinstance(entry.value, Mapping):
            report.error("E103", f"`{name}` should be a mapping of fields", entry.value.span)
            return None
    rule: Scaling | None = Scaling()
    own: Factors | None = Factors()
    if (entry := written["scaling"]) is not None and isinstance(entry.value, Mapping):
        rule = validate(Scaling, entry.value, report, what="scaling", span=entry.key_span)
        if rule is not None and not _consistent(rule, entry.value, tree.get("params"), report):
            rule = None
    if (entry := written["scale"]) is not None and isinstance(entry.value, Mapping):
        own = None if _out_of_range(entry.value, report) else validate(
            Factors, entry.value, report, what="scale", span=entry.key_span
        )  # fmt: skip
    return None if rule is None or own is None else (rule, own)


def scaler_of(
    tree: Mapping, report: Report, rule: Scaling, own: Factors, asked: Factors, size_is_set: bool
) -> Scaler | None:
    """The scaler for the spec's own factors and those that are asked for; `None` after reporting a contradiction."""
    try:
        return resolve(rule, own, asked, size_is_set)
    except Problem as problem:
        scale = tree.get("scale")
        # What was asked for from outside has no place in the text.
        field = scale.get(problem.field or "") if isinstance(scale, Mapping) and asked.nothing else None
        report.error(problem.code, problem.message, field.span if field else None, problem.help)
        return None


def check_names(tree: Mapping, rule: Scaling, scopes: AnyMapping[str, object], report: Report) -> None:
    """What `scaling` names must be there; a name that is not would exempt nothing, in silence."""
    written, declared = tree.get("scaling"), tree.get("params")
    if not rule.named or not isinstance(written, Mapping) or report.failed:
        return
    ids = {part for path in scopes for part in path.split(".")} | {*scopes}
    params = _entries(declared)
    fields = {f for key in keys() for f in (*spec_class(key).width_fields, *spec_class(key).depth_fields)}
    fields |= {param for block in _mappings(tree.get("blocks")) for param in _entries(block.get("params"))}
    for list_name in LISTS:
        for number, name in enumerate(getattr(rule, list_name)):
            whole = name.partition("[")[0]  # of an element of a list
            owner, _, field = whole.rpartition(".")
            if name in ids or whole in params or (field in fields and (not owner or owner in ids)):
                continue
            hint = did_you_mean(owner, ids) if field in fields else did_you_mean(name, {*ids, *fields, *params})
            hint = hint or "name an id, a field such as `squeeze`, or `id.field`"
            span = _item(written.get(list_name), number)
            report.error("E301", f"`{list_name}` names `{name}`, and there is no such node", span, hint)


def _out_of_range(scale: Mapping, report: Report) -> bool:
    """Whether a factor is a number that cannot be one; it is reported with the nearest that can."""
    found = False
    for name, entry in scale.entries.items():
        value = entry.value.value if isinstance(entry.value, Scalar) else None
        if name not in Factors.model_fields or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        problem = problem_of(name, value)
        if problem is not None:
            report.error(problem.code, problem.message, entry.value.span, problem.help)
            found = True
    return found


def _consistent(rule: Scaling, written: Mapping, params: Tree | None, report: Report) -> bool:
    """Whether the rule agrees with itself and with the params of the spec; a wrong one is reported."""
    before = len(report)
    both = [name for name in rule.exempt if name in rule.only_wider]
    for name in both:
        span = _item(written.get("only_wider"), rule.only_wider.index(name))
        report.error("E902", f"`exempt` and `only_wider` both name `{name}`", span, "name it in one of them")
    declared = _entries(params)
    variants = written.get("variants")
    for name, variant in rule.variants.items():
        tree = variants.get(name) if isinstance(variants, Mapping) else None
        for param in variant.params:
            if param not in declared and isinstance(tree, Mapping):
                known = [*Variant.model_fields, *declared]
                hint = did_you_mean(param, known) or "add it to `params:`, with the value that it has without a variant"
                span = tree.entries[param].key_span
                report.error("E405", f"the variant `{name}` gives a value to `{param}`, and there is no such param",
                             span, hint)  # fmt: skip
    if rule.compound.far_from_two and (at := written.get("compound")) is not None:
        growth = rule.compound.growth
        report.warning(
            "E905", f"alpha x beta^2 x gamma^2 is {growth:.3g}, and should be near 2", at.span,
            f"one phi would multiply the MACs by {growth:.3g}; `cnnspec scale --search` finds factors",
        )  # fmt: skip
        before += 1
    return len(report) == before


def _entries(tree: Tree | None) -> Collection[str]:
    """The names of a mapping, none where there is none."""
    return tree.entries if isinstance(tree, Mapping) else ()


def _mappings(tree: Tree | None) -> list[Mapping]:
    """The mappings in a mapping."""
    values = [entry.value for entry in tree.entries.values()] if isinstance(tree, Mapping) else []
    return [value for value in values if isinstance(value, Mapping)]


def _item(tree: Tree | None, number: int) -> Span | None:
    """The place of one item of a list."""
    if isinstance(tree, Sequence) and number < len(tree.items):
        return tree.items[number].span
    return tree.span if tree is not None else None
