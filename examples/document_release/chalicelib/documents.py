"""ADAPTER: S3: one bucket where documents come in, are cut into chunks, and are put where they go.

    incoming/<name>          as somebody put it there
    chunks/<scan>/<number>   a chunk, for a day
    released/<name>          what was approved
    held/<name>              what wasn't; <name>.reason.json beside it says why

The bucket keeps versions: what is read, and later copied, is the version that the event told of,
whatever is put under the same name meanwhile.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from .scan import UnreadableError
from .split import Chunk

INCOMING, CHUNKS, RELEASED, HELD = "incoming/", "chunks/", "released/", "held/"
_READ_BYTES = 1 << 20
# S3 does the copying; beyond 5 GB it takes parts.
_COPYING = TransferConfig(multipart_threshold=1 << 30, multipart_chunksize=1 << 30)
# What isn't there is denied to those who may not list the bucket.
_GONE = ("NoSuchKey", "NoSuchVersion", "AccessDenied")


class Document(NamedTuple):
    """One version of a document; `key` begins with `incoming/`."""

    key: str
    version: str

    @property
    def name(self) -> str:
        """The document's name, folders included."""
        return self.key.removeprefix(INCOMING)


class Documents:
    """The bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, document: Document) -> tuple[int, Iterator[bytes]]:
        """Return a document's size, and its bytes as they come.

        Raises UnreadableError if it isn't there.
        """
        with _unreadable_if_gone(document.key):
            found = self._client.get_object(
                Bucket=self._bucket, Key=document.key, VersionId=document.version
            )
        return found["ContentLength"], found["Body"].iter_chunks(_READ_BYTES)

    def put_chunk(self, scan: str, chunk: Chunk, chunks: int) -> None:
        """Write one of a scan's chunks; S3 tells its worker."""
        facts = {"start": chunk.start, "before": chunk.before, "body": chunk.body, "of": chunks}
        self._client.put_object(
            Bucket=self._bucket,
            Key=f"{CHUNKS}{scan}/{chunk.number}",
            Body=chunk.data,
            Metadata={name: str(fact) for name, fact in facts.items()},
        )

    def chunk(self, scan: str, number: int) -> tuple[Chunk, int]:
        """Return a chunk, and of how many it is one; UnreadableError if it isn't there."""
        key = f"{CHUNKS}{scan}/{number}"
        with _unreadable_if_gone(key):
            found = self._client.get_object(Bucket=self._bucket, Key=key)
        facts = {name: int(fact) for name, fact in found["Metadata"].items()}
        data = found["Body"].read()
        return (
            Chunk(number, facts["start"], facts["before"], facts["body"], data),
            facts["of"],
        )

    def release(self, document: Document) -> str:
        """Copy a document to `released/`; return the copy's key."""
        return self._copy(document, RELEASED)

    def hold(self, document: Document, reason: Mapping[str, Any]) -> str:
        """Copy a document to `held/`, the reason first; return the copy's key."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=f"{HELD}{document.name}.reason.json",
            Body=json.dumps(reason, indent=2, ensure_ascii=False).encode(),
            ContentType="application/json",
        )
        return self._copy(document, HELD)

    def _copy(self, document: Document, folder: str) -> str:
        key = folder + document.name
        source = {"Bucket": self._bucket, "Key": document.key, "VersionId": document.version}
        self._client.copy(source, self._bucket, key, Config=_COPYING)
        return key


@contextmanager
def _unreadable_if_gone(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as e:
        if (code := e.response["Error"]["Code"]) not in _GONE:
            raise
        raise UnreadableError(f"{key} can't be read: {code}") from e
