"""From a spec to a checked graph: the front half of the compiler, without JAX."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnspec.assembly import UNKNOWN, Assembly, Poisoned
from cnnspec.blocks.base import Value
from cnnspec.costs import Totals, totals
from cnnspec.defaults import Defaults
from cnnspec.diagnostics import Label, Report, Source, Span, did_you_mean, listing
from cnnspec.document import LANGUAGE_VERSION, Count, Document, Expect, InputSpec, Reference
from cnnspec.elaborate import Elaborator, evaluate_tree
from cnnspec.expansion import expanded_text
from cnnspec.frames import Frame, UserBlock
from cnnspec.graph import Graph, Input, Ref
from cnnspec.merge import load_tree
from cnnspec.nodes import resolve
from cnnspec.params import FAILED, bind, read_declarations
from cnnspec.registry import keys
from cnnspec.scaling import Factors, Scaling
from cnnspec.scaling.fields import scale_param
from cnnspec.scaling.header import check_names, read_header, scaler_of
from cnnspec.scaling.remarks import remark
from cnnspec.scaling.scaler import Scaler
from cnnspec.source import Entry, Mapping, Scalar, Sequence, Tree, dump, plain, read, tree_of
from cnnspec.types import TensorType
from cnnspec.validation import validate
from cnnspec.zoo import find_spec


@dataclass(frozen=True)
class LoadedSpec:
    """A spec that is right: its graph (training-only parts included), its header, and its merged text."""

    graph: Graph
    document: Document
    totals: Totals
    expanded: str
    #: How the network was scaled.
    scaler: Scaler
    #: Whether the expectations of the spec were enforced; they are not where values were set from outside.
    expectations_hold: bool


#: What stands for a spec in Python: a path, a name of the zoo, YAML text, a mapping, or one that was loaded.
SpecLike = str | Path | AnyMapping[str, Any] | LoadedSpec


def load_spec(spec: SpecLike, *, set: AnyMapping[str, Any] | None = None, scale: Factors | None = None) -> LoadedSpec:
    """The checked spec; `spec` is a path, a name of the zoo, YAML text, or a mapping.

    `set` gives values to params, `scale` factors. **Errors**: raises `SpecError` with every diagnostic.
    """
    report = Report()
    loaded = check_spec(spec, report, set=set, scale=scale)
    report.raise_if_failed()
    assert loaded is not None
    return loaded


def check_spec(
    spec: SpecLike,
    report: Report,
    *,
    set: AnyMapping[str, Any] | None = None,
    scale: Factors | None = None,
    explain: bool = True,
) -> LoadedSpec | None:
    """The checked spec, or `None` where it is wrong; every diagnostic goes to `report`.

    A network that is right as written and wrong when scaled gives one diagnostic, which names the scale (and takes
    some more checks to find the nearest scale that works, unless `explain` is false).
    """
    given, factors, own = dict(set or {}), scale or Factors(), Report()
    loaded, in_force = _check(spec, own, given, factors)
    if loaded is None and explain and not in_force.nothing:
        from cnnspec.scaling.failure import explained

        own = explained(own, lambda tried, into, bare: _check(spec, into, given, tried, bare)[0], factors, in_force)
    report.extend(own)
    return loaded


def _check(
    spec: SpecLike, report: Report, given: dict[str, Any], scale: Factors, as_written: bool = False
) -> tuple[LoadedSpec | None, Factors]:
    """The checked spec, and the factors that were in force: those asked for, or else its own.

    `as_written` leaves the spec's own scale aside.
    """
    source, path = open_spec(spec, report)
    tree = load_tree(source, report, path) if source is not None else None
    if source is None or tree is None:
        return None, Factors()
    checker = _Checker(report, source, given, scale, as_written)
    return checker.run(tree), checker.own if scale.nothing else scale


def open_spec(spec: SpecLike, report: Report) -> tuple[Source | None, Path | None]:
    """The text of a spec and where it is: a path, a name of the zoo, YAML text, or a mapping."""
    if isinstance(spec, LoadedSpec):
        return Source(f"<{spec.document.name}>", spec.expanded), None
    if isinstance(spec, AnyMapping):
        return Source("<spec>", dump(dict(spec))), None
    if isinstance(spec, str) and "\n" in spec:
        return Source("<text>", spec), None
    path = find_spec(str(spec)) or Path(spec)
    return read(path, report), path


@dataclass
class _Checker:
    report: Report
    source: Source
    given: dict[str, Any]
    asked: Factors
    #: Whether the spec's own scale is left aside.
    as_written: bool = False
    own: Factors = field(default_factory=Factors)
    scale: Scaler = field(default_factory=lambda: Scaler(Scaling()))

    def run(self, tree: Mapping) -> LoadedSpec | None:
        report = self.report
        self._version(tree)
        for name, example in (("name", "vgg16"), ("layers", "[...]")):
            if name not in tree.entries:
                report.error("E102", f"the spec needs `{name}`", _begin(tree.span), f"add `{name}: {example}`")
        scale = self._scaling(tree)
        if scale is None:
            return None
        self.scale = scale
        params = self._params(tree)
        scale.values = params or {}
        if params is None or "layers" not in tree.entries:
            return None
        inputs = self._inputs(tree, params)
        if inputs is None:
            return None
        blocks = self._blocks(tree)
        defaults = Defaults(tree.get("defaults"), report, lambda t: self._plain(t, params), blocks)
        types = {n: TensorType(i.shape or (), "int32" if i.classes else "float32") for n, i in inputs.items()}
        assembly = Assembly(Input(n, types[n], inputs[n].optional) for n in inputs)
        elaborator = Elaborator(assembly, blocks, defaults, report, scale, enforce=not self.changed)
        frame = Frame("", dict(params), None)
        for name, type_ in types.items():
            frame.ids[name] = Value(Ref(name), (type_,))
            assembly.scopes[name] = Ref(name)
        frame.previous = next(iter(frame.ids.values()))
        last = elaborator.layers(tree.get("layers"), frame)
        check_names(tree, scale.rule, assembly.scopes, report)
        outputs = self._outputs(tree.get("outputs"), last, frame, assembly)
        header = self._header(tree, inputs, params)
        if report.failed or not outputs or header is None:
            return None
        graph = assembly.graph(header.name, outputs)
        counts = totals(graph)
        expect = tree.get("expect")
        if header.expect is not None and isinstance(expect, Mapping) and not self.changed:
            self._expect(header.expect, expect, graph, counts)
        if not (self.own.nothing and self.asked.nothing):
            remark(scale, graph, tree, report)
        rescaled = not self.asked.nothing or self.size_is_set or self.as_written
        text = expanded_text(tree, inputs, self.given, scale if rescaled else None)
        return None if report.failed else LoadedSpec(graph, header, counts, text, scale, not self.changed)

    @property
    def changed(self) -> bool:
        """Whether values from outside make another network than the spec's expectations speak of."""
        return bool(self.given) or not self.asked.nothing or self.as_written

    @property
    def size_is_set(self) -> bool:
        """Whether the input's size is set from outside, and takes the place of the one that the spec's scale gives."""
        return any(name.endswith((".height", ".width")) for name in self.given)

    # --- header --------------------------------------------------------------------------------------------

    def _version(self, tree: Mapping) -> None:
        version = tree.get("cnnspec")
        if version is None:
            self.report.error("E108", "the spec does not say its language version", _begin(tree.span),
                              f"add `cnnspec: {LANGUAGE_VERSION}` as the first line")  # fmt: skip
        elif not isinstance(version, Scalar) or version.value != LANGUAGE_VERSION or version.value is True:
            self.report.error("E108", f"the language version should be {LANGUAGE_VERSION}, and is `{plain(version)}`",
                              version.span, f"write `cnnspec: {LANGUAGE_VERSION}`")  # fmt: skip

    def _scaling(self, tree: Mapping) -> Scaler | None:
        """How the network is scaled; `None` after reporting what is wrong."""
        header = read_header(tree, self.report)
        if header is None:
            return None
        rule, own = header
        self.own = Factors() if self.as_written else own
        return scaler_of(tree, self.report, rule, self.own, self.asked, self.size_is_set)

    def _params(self, tree: Mapping) -> dict[str, Any] | None:
        declarations = read_declarations(tree.get("params"), self.report)
        written = tree.get("set")
        entries: dict[str, Entry] = {}
        at = tree.entries["scaling"].key_span if "scaling" in tree.entries else _begin(tree.span)
        entries |= {name: Entry(at, tree_of(value, at)) for name, value in self.scale.params.items()}
        if isinstance(written, Mapping):
            entries |= written.entries
        elif written is not None:
            self.report.error("E103", "`set` should be a mapping of params to values", written.span)
        for name, value in self.given.items():
            if "." not in name:
                argument = Source("--set", f"{name}={value}")
                at = Span(argument, 1, 1, 1, len(argument.text) + 1)
                entries[name] = Entry(at, tree_of(value, at))
        name_tree = tree.get("name")
        what = str(plain(name_tree)) if name_tree is not None else self.source.name
        return bind(
            declarations, Mapping(entries, tree.span), self.report, what=what, span=_begin(tree.span),
            scope={"scale": self.scale.names(_height(tree))},
            evaluate=lambda t, names: evaluate_tree(t, names, self.report), unknown="E405", missing="E406",
            sees_params=True, partial=True,
            convert=lambda d, t, value: scale_param(self.scale, d, t, value, "params", record=False),
        )  # fmt: skip

    def _inputs(self, tree: Mapping, params: dict[str, Any]) -> dict[str, InputSpec] | None:
        many, one = tree.entries.get("inputs"), tree.entries.get("input")
        if (many is None) == (one is None):
            message = "the spec needs `input` or `inputs`" if one is None else "the spec has both `input` and `inputs`"
            span = _begin(tree.span) if one is None else one.key_span
            self.report.error("E102" if one is None else "E109", message, span,
                              "add `input: {height: 224, width: 224, channels: 3}`")  # fmt: skip
            return None
        if many is not None and (not isinstance(many.value, Mapping) or not many.value.entries):
            self.report.error("E103", "`inputs` should be a mapping of names to inputs", many.value.span)
            return None
        entries = many.value.entries if many is not None and isinstance(many.value, Mapping) else {}
        if one is not None:
            entries = {"input": one}
        entries = {name: self._resized(name, entry) for name, entry in entries.items()}
        for setting in self.given:
            name, dot, _ = setting.partition(".")
            if dot and name not in entries:
                hint = did_you_mean(name, entries) or f"the inputs are {listing(entries)}"
                self.report.error("E405", f"there is no input `{name}` to set `{setting}` of", _given(setting), hint)
                return None
        found: dict[str, InputSpec] = {}
        for name, entry in entries.items():
            if not isinstance(entry.value, Mapping):
                self.report.error("E103", f"`{name}` should be a mapping of fields", entry.value.span,
                                  "write `{height: 224, width: 224, channels: 3}`")  # fmt: skip
                continue
            data = self._plain(entry.value, params)
            if data is FAILED:
                continue
            spec = validate(InputSpec, entry.value, self.report, what=name, data=data, span=entry.key_span)
            if spec is not None and spec.shape is None:
                self.report.error("E109", f"`{name}` should have height, width and channels, or features, or classes",
                                  entry.value.span, "a feature map needs all three")  # fmt: skip
            elif spec is not None:
                found[name] = self._at_resolution(spec)
        if len(found) == len(entries) and all(i.optional for i in found.values()):
            self.report.error("E109", "a network needs an input that is not optional", tree.span)
            return None
        return found if len(found) == len(entries) else None

    def _at_resolution(self, spec: InputSpec) -> InputSpec:
        """An input of the size that the scaling asks for, and its crop with it."""
        if not self.scale.resizes or not spec.height or not spec.width:
            return spec
        height, width = self.scale.resized(spec.height, spec.width)
        changes: dict[str, Any] = {"height": height, "width": width}
        if spec.preprocess is not None:
            sizes: dict[str, Any] = {}
            for name in ("resize", "pad"):
                if getattr(spec.preprocess, name):
                    sizes[name] = round(getattr(spec.preprocess, name) * height / spec.height)
            for name in ("crop", "stretch"):
                if getattr(spec.preprocess, name):
                    sizes[name] = (height, width)
            changes["preprocess"] = spec.preprocess.model_copy(update=sizes)
        return spec.model_copy(update=changes)

    def _resized(self, input_name: str, entry: Entry) -> Entry:
        """An input with what was set from outside (`--set input.height=192`)."""
        prefix = f"{input_name}."
        changes = {n.removeprefix(prefix): v for n, v in self.given.items() if n.startswith(prefix)}
        if not changes or not isinstance(entry.value, Mapping):
            return entry
        at = entry.key_span
        more = {name: Entry(at, tree_of(value, at)) for name, value in changes.items()}
        return Entry(entry.key_span, Mapping({**entry.value.entries, **more}, entry.value.span))

    def _plain(self, tree: Tree, names: AnyMapping[str, Any]) -> Any:
        return evaluate_tree(tree, names, self.report)

    def _header(self, tree: Mapping, inputs: dict[str, InputSpec], params: dict[str, Any]) -> Document | None:
        """The typed header; the parts that the walk needed are validated already."""
        parts: dict[str, Any] = {}
        for name, model in (("source", Reference), ("expect", Expect)):
            entry = tree.entries.get(name)
            if entry is None:
                continue
            if not isinstance(entry.value, Mapping):
                self.report.error("E103", f"`{name}` should be a mapping of fields", entry.value.span)
                continue
            data = self._plain(entry.value, params)
            if data is not FAILED:
                parts[name] = validate(model, entry.value, self.report, what=name, data=data, span=entry.key_span)
        if "cnnspec" not in tree.entries or "name" not in tree.entries:
            return None
        simple = {n: e for n, e in tree.entries.items() if n in ("cnnspec", "name", "family", "description")}
        data = {n: self._plain(e.value, params) for n, e in simple.items()}
        data |= {n: v for n, v in parts.items() if v is not None}
        return validate(Document, Mapping(simple, tree.span), self.report, what="spec",
                        data={**data, "inputs": inputs, "params": params}, span=_begin(tree.span))  # fmt: skip

    def _blocks(self, tree: Mapping) -> dict[str, UserBlock]:
        written = tree.get("blocks")
        if written is None:
            return {}
        if not isinstance(written, Mapping):
            self.report.error("E103", "`blocks` should be a mapping of names to blocks", written.span)
            return {}
        found = {}
        for name, entry in written.entries.items():
            block = self._block(name, entry)
            # A block that is wrong keeps its name, so that its uses are not reported as well.
            found[name] = block or UserBlock(name, (), {}, None, None, entry.key_span, broken=True)
        return found

    def _block(self, name: str, entry: Entry) -> UserBlock | None:
        known = ("inputs", "params", "layers", "outputs", "doc")
        if not isinstance(entry.value, Mapping) or "layers" not in entry.value.entries:
            self.report.error("E102", f"the block `{name}` needs `layers`", entry.key_span, "add `layers: [...]`")
            return None
        if name in keys() or not name.isidentifier():
            self.report.error("E110", f"`{name}` cannot be the name of a block of your own", entry.key_span,
                              "it is the name of a built-in one: choose another" if name in keys() else
                              "use letters, digits and _")  # fmt: skip
            return None
        for word, item in entry.value.entries.items():
            if word not in known:
                hint = did_you_mean(word, known) or f"the fields are {listing(known)}"
                self.report.error("E101", f"unknown field `{word}` in the block `{name}`", item.key_span, hint)
        inputs = entry.value.get("inputs")
        names = plain(inputs) if inputs is not None else ["input"]
        if not isinstance(names, list) or not names or not all(isinstance(n, str) and n.isidentifier() for n in names):
            self.report.error(
                "E103", f"the inputs of `{name}` should be a list of names", inputs.span if inputs else None
            )
            return None
        layers = entry.value.get("layers")
        declarations = read_declarations(entry.value.get("params"), self.report)
        return UserBlock(name, tuple(names), declarations, layers, entry.value.get("outputs"), entry.key_span)

    # --- what comes out ------------------------------------------------------------------------------------

    def _outputs(self, tree: Tree | None, last: Value, frame: Frame, assembly: Assembly) -> dict[str, Ref] | None:
        if tree is None:
            return None if last is UNKNOWN else {"output": last.ref}
        if isinstance(tree, Mapping):
            named = {name: entry.value for name, entry in tree.entries.items()}
        elif isinstance(tree, Sequence):
            named = {str(plain(item)): item for item in tree.items}
        else:
            named = {str(plain(tree)): tree}
        if not named:
            self.report.error(
                "E103", "`outputs` should name at least one node", tree.span, "leave it out for the last node"
            )
        found: dict[str, Ref] = {}
        for name, item in named.items():
            if not isinstance(item, Scalar):
                self.report.error("E103", f"the output `{name}` should be the id of a node", item.span)
                continue
            try:
                value = resolve(item, frame, self.report, assembly)[0]
            except Poisoned:
                continue
            if value is not UNKNOWN:
                found[name] = value.ref
        return found

    def _expect(self, expect: Expect, tree: Mapping, graph: Graph, counts: Totals) -> None:
        origin = f"expected according to {expect.origin}" if isinstance(expect.origin, str) else ""
        numbers = (
            ("E602", "params", expect.params, counts.params),
            ("E602", "training_params", expect.training_params, counts.training_params),
            ("E602", "state", expect.state, counts.state),
            ("E603", "macs", expect.macs, counts.macs),
        )
        for code, name, expected, actual in numbers:
            if isinstance(expected, Count) and not expected.matches(actual):
                difference = actual - expected.value
                self.report.error(
                    code, f"expected {expected.text} {name}, and the network has {actual:,} ({difference:+,})",
                    tree.entries[name].value.span, "`cnnspec summary` shows the count of every node",
                    (Label(origin),) if origin else (),
                )  # fmt: skip
        shapes = [("E601", name, shape, graph.scopes.get(name)) for name, shape in expect.nodes.items()]
        if isinstance(expect.output, dict):
            shapes += [("E604", name, shape, graph.outputs.get(name)) for name, shape in expect.output.items()]
        elif expect.output is not None:
            shapes.append(("E604", "", expect.output, next(iter(graph.outputs.values()))))
        for code, name, shape, ref in shapes:
            entry = tree.entries["nodes" if code == "E601" else "output"]
            place = entry.value.entries[name].value if isinstance(entry.value, Mapping) else entry.value
            what = f"`{name}`" if name else "the output"
            if ref is None:
                known = graph.outputs if code == "E604" else [p for p in graph.scopes if "." not in p]
                self.report.error(
                    "E301", f"there is no {what} to expect anything of", place.span, did_you_mean(name, known)
                )
            elif graph.type_of(ref).shape != shape:
                wanted, actual_shape = "x".join(map(str, shape)), graph.type_of(ref).plain
                self.report.error(code, f"expected {wanted} of {what}, and its shape is {actual_shape}", place.span,
                                  "correct the expectation, or the layers before it")  # fmt: skip


def _given(setting: str) -> Span:
    """The place of something that was set from outside."""
    return Span(Source("--set", setting), 1, 1, 1, len(setting) + 1)


def _height(tree: Mapping) -> int | None:
    """The height of the one input, where it is written as a number."""
    entry = tree.get("input")
    height = entry.get("height") if isinstance(entry, Mapping) else None
    return height.value if isinstance(height, Scalar) and isinstance(height.value, int) else None


def _begin(span: Span) -> Span:
    """The first character of a span: for what is missing from the whole."""
    return Span(span.source, span.line, span.column, span.line, span.column + 1)
