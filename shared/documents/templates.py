"""A template: a typst file, with those that it may import."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

COMMON = Path(__file__).parent / "typst"


@dataclass(frozen=True)
class Template:
    """`<folder>/<name>.typ`; it imports what lies beside it and in `shared/documents/typst`."""

    folder: Path
    name: str

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The files by name, the template itself as `main.typ`."""
        found = [*COMMON.glob("*.typ"), *self.folder.glob("*.typ")]
        files = {path.name: path.read_bytes() for path in sorted(found)}
        return files | {"main.typ": files[f"{self.name}.typ"]}

    @cached_property
    def sha256(self) -> str:
        """Of all that the template is made of."""
        digest = sha256()
        for name, content in sorted(self.files.items()):
            digest.update(name.encode() + b"\0" + sha256(content).digest())
        return digest.hexdigest()
