"""Fetching a public set from its publisher: size and hash are checked, and a file appears whole or not at all."""

from __future__ import annotations

import hashlib
import http.client
import tarfile
import urllib.error
import urllib.request
import zlib
from pathlib import Path

import click

from cnnspec.diagnostics import Problem
from cnnspec.files import folder_written_whole, written_whole

_TIMEOUT = 30.0
_CHUNK = 1 << 20

_MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist/"
_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_CIFAR = "https://www.cs.toronto.edu/~kriz/"

#: The files of each set: address and the MD5 sum that its publisher gives.
SETS: dict[str, list[tuple[str, str]]] = {
    "mnist": [
        (_MNIST + "train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        (_MNIST + "train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        (_MNIST + "t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        (_MNIST + "t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ],
    "fashion_mnist": [
        (_FASHION + "train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        (_FASHION + "train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        (_FASHION + "t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        (_FASHION + "t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ],
    "cifar10": [(_CIFAR + "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530")],
    "cifar100": [(_CIFAR + "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8")],
}


def fetch(name: str, folder: Path, sources: list[tuple[str, str]] | None = None) -> None:
    """Fetch what of the set `name` is not yet in `folder`. **Errors**: E856."""
    folder.mkdir(parents=True, exist_ok=True)
    for address, digest in sources or SETS[name]:
        path = folder / address.rsplit("/", 1)[-1]
        if not path.exists():
            _fetch_file(address, digest, path)
        if path.name.endswith(".tar.gz"):
            _unpack(path, folder / path.name.removesuffix(".tar.gz"))


def _unpack(archive: Path, folder: Path) -> None:
    if folder.exists():
        return
    try:
        with folder_written_whole(folder) as beside, tarfile.open(archive) as files:
            files.extractall(beside, filter="data")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Problem("E856", f"{archive} cannot be unpacked: {error}", "remove it and fetch it again",
                      field="dataset.download") from error  # fmt: skip


def _fetch_file(address: str, digest: str, path: Path) -> None:
    found = hashlib.md5(usedforsecurity=False)
    click.echo(f"fetching {address}", err=True)
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer, written_whole(path) as beside:
            promised = answer.headers.get("Content-Length")
            with beside.open("wb") as file:
                while chunk := answer.read(_CHUNK):
                    found.update(chunk)
                    file.write(chunk)
            size = beside.stat().st_size
            if (promised and int(promised) != size) or found.hexdigest() != digest:
                raise Problem("E856", f"{address} did not arrive as published: {size} bytes with MD5 {found.hexdigest()}, not {digest}",
                              "try again; if it stays so, the publisher has changed the file", field="dataset.download")  # fmt: skip
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise Problem("E856", f"{address} cannot be fetched: {reason}",
                      f"there may be no network here; put the file into {path.parent} yourself, or use the dataset `digits`, "
                      "which needs none", field="dataset.download") from error  # fmt: skip
