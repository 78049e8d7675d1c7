"""From the names in the hand-written networks to those of the specs."""

from __future__ import annotations

import re
from collections.abc import Callable

Rename = Callable[[re.Match[str]], str]

_MIXED = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")
_INCEPTION = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")


def _counted(prefix: str, first: int) -> Rename:
    return lambda match: f"{prefix}{int(match[1]) + first}."


def _listed(prefix: str, names: tuple[str, ...]) -> Rename:
    return lambda match: f"{prefix}{names[int(match[1])]}."


def _mobilenet(match: re.Match[str]) -> str:
    """Of the thirteen separable convolutions, the seventh to the eleventh are one repeated node."""
    number = int(match[1])
    return f"conv8.{number - 6}." if 6 <= number < 11 else f"conv{number + 2}."


#: By spec: patterns in the order of their use.
_RULES: dict[str, list[tuple[str, Rename | str]]] = {
    "vgg16": [(r"^stages\.(\d+)\.", _counted("conv", 1))],
    "mobilenet_v1": [(r"^blocks\.(\d+)\.", _mobilenet)],
    "densenet121": [
        (r"^blocks\.(\d+)\.(\d+)\.", lambda match: f"dense{int(match[1]) + 1}.layer{int(match[2]) + 1}."),
        (r"^transitions\.(\d+)\.", lambda match: f"transition{int(match[1]) + 1}.conv."),
    ],
    "inception_v3": [(r"^modules\.(\d+)\.", _listed("mixed_", _MIXED))],
    "squeezenet1_1": [(r"^fires\.(\d+)\.", _counted("fire", 2))],
    "shufflenet_v2_x1_0": [
        (r"^stages\.(\d+)\.", _counted("stage", 2)),
        (r"^(stage\d\.\d)\.(conv1|depthwise|conv2)\.", r"\1.right.\2."),
        (r"\.left\.0\.", ".left.depthwise."),
        (r"\.left\.1\.", ".left.conv."),
    ],
    "googlenet_torchvision": [(r"^inception\.(\d+)\.", _listed("inception_", _INCEPTION))],
}


def name_in_spec(spec: str, path: str) -> str:
    """`stages.0.1.conv1.conv.kernel` of ResNet-50 is `stage1.1.conv1.kernel`."""
    rules = _RULES.get(spec, [(r"^stages\.(\d+)\.", _counted("stage", 1))])
    for pattern, replacement in [*rules, (r"\.conv\.kernel$", ".kernel")]:
        path = re.sub(pattern, replacement, path)
    return path
