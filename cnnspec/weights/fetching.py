"""The trained weights that peers offer, through the peers' own clients: torchvision, timm, keras."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import numpy as np
import yaml

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.frontend import LoadedSpec
from cnnspec.weights.keras_files import renumbered

Array = np.ndarray[Any, np.dtype[Any]]


@cache
def _models() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load((Path(__file__).parent / "models.yaml").read_text(encoding="utf-8")))


def model_of(loaded: LoadedSpec, peer: str) -> Any:
    """What the peer calls the network: a name, or for keras a name with arguments; its own name without an entry."""
    name, convention = loaded.document.name, loaded.document.params.get("convention")
    table = _models()[peer]
    return table.get(f"{name}/{convention}") or table.get(name) or name


def fetch(loaded: LoadedSpec, peer: str) -> dict[str, Array]:
    """The peer's own trained weights; raises `SpecError` (E814) where they are not to be had."""
    model = model_of(loaded, peer)
    try:
        return {"torchvision": _torchvision, "timm": _timm, "keras": _keras}[peer](model, loaded)
    except ImportError as error:
        raise _refusal(peer, f"{error.name} is not installed", f"install {peer}, or give a file with --from") from None
    except Exception as error:  # no network, no such model, a broken download: the clients say it in many ways
        if _offline(error):
            why = "there is no network here, or the server does not answer"
            raise _refusal(peer, why, f"bring the file from elsewhere, and give it with --from {peer}") from None
        reason = str(error).split("\n")[0][:160] or type(error).__name__
        raise _refusal(peer, reason, f"give a file with --from {peer}") from None


def _offline(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, is that nobody answered."""
    if error is None:
        return False
    silent = isinstance(error, ConnectionError | TimeoutError | URLError) and not isinstance(error, HTTPError)
    return silent or _offline(error.__cause__ or error.__context__)


def _refusal(peer: str, reason: str, help: str) -> SpecError:
    return SpecError([Diagnostic("E814", f"the weights of {peer} cannot be fetched: {reason}", None, help)])


def _torchvision(model: str, loaded: LoadedSpec) -> dict[str, Array]:
    import torchvision

    return _state(torchvision.models.get_model(model, weights="DEFAULT"))


def _timm(model: str, loaded: LoadedSpec) -> dict[str, Array]:
    import timm

    return _state(timm.create_model(model, pretrained=True))


def _state(model: Any) -> dict[str, Array]:
    return {name: tensor.detach().float().numpy() for name, tensor in model.state_dict().items()}


def _keras(model: Any, loaded: LoadedSpec) -> dict[str, Array]:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    ((name, arguments),) = model.items() if isinstance(model, dict) else {model: {}}.items()
    built = getattr(keras.applications, name)(
        weights="imagenet", input_shape=loaded.graph.inputs[0].type.shape, **arguments
    )
    return renumbered({f"{layer.name}/{w.name}": np.asarray(w) for layer in layers_of(built) for w in layer.weights})


def layers_of(model: Any) -> list[Any]:
    """The layers of a keras model, those inside nested models too."""
    return [inner for layer in model.layers for inner in (layers_of(layer) if hasattr(layer, "layers") else [layer])]
