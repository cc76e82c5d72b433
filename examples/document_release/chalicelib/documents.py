"""S3: reads documents, writes and reads their chunks, copies documents to where they belong.

    incoming/<name>          as it was uploaded
    chunks/<scan>/<number>   a chunk, kept for a day
    released/<name>          an approved document
    held/<name>              any other document; <name>.reason.json beside it says why

The bucket keeps versions. The version that the upload's event names is the one that is read and
copied, even if another document is uploaded under the same name meanwhile.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from .chunks import Chunk
from .scan import UnreadableError

INCOMING, CHUNKS, RELEASED, HELD = "incoming/", "chunks/", "released/", "held/"
_READ_BYTES = 1 << 20
# S3 copies an object of up to 5 GB in one call, and a larger one in parts.
_COPYING = TransferConfig(multipart_threshold=1 << 30, multipart_chunksize=1 << 30)
# Without s3:ListBucket, S3 answers AccessDenied for a missing object.
_MISSING = ("NoSuchKey", "NoSuchVersion", "AccessDenied")


class Document(NamedTuple):
    """One version of a document; `key` begins with `incoming/`."""

    key: str
    version: str

    @property
    def name(self) -> str:
        """The key without `incoming/`; it may contain folders."""
        return self.key.removeprefix(INCOMING)


class Documents:
    """The bucket with documents and their chunks."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, document: Document) -> tuple[int, Iterator[bytes]]:
        """Return a document's size and a stream of its bytes.

        Raises UnreadableError if it is missing.
        """
        with _unreadable_if_missing(document.key):
            found = self._client.get_object(
                Bucket=self._bucket, Key=document.key, VersionId=document.version
            )
        return found["ContentLength"], found["Body"].iter_chunks(_READ_BYTES)

    def put_chunk(self, scan: str, chunk: Chunk, chunks: int) -> None:
        """Write one of the scan's `chunks` chunks; S3 then sends an event to the worker."""
        metadata = {"start": chunk.start, "before": chunk.before, "body": chunk.body, "of": chunks}
        self._client.put_object(
            Bucket=self._bucket,
            Key=f"{CHUNKS}{scan}/{chunk.number}",
            Body=chunk.data,
            Metadata={name: str(value) for name, value in metadata.items()},
        )

    def chunk(self, scan: str, number: int) -> tuple[Chunk, int]:
        """Return a chunk and the number of all chunks; raise UnreadableError if it is missing."""
        key = f"{CHUNKS}{scan}/{number}"
        with _unreadable_if_missing(key):
            found = self._client.get_object(Bucket=self._bucket, Key=key)
        metadata = {name: int(value) for name, value in found["Metadata"].items()}
        chunk = Chunk(
            number=number,
            start=metadata["start"],
            before=metadata["before"],
            body=metadata["body"],
            data=found["Body"].read(),
        )
        return chunk, metadata["of"]

    def release(self, document: Document) -> str:
        """Copy a document to `released/`; return the copy's key."""
        return self._copy(document, RELEASED)

    def hold(self, document: Document, reason: Mapping[str, Any]) -> str:
        """Write the reason to `held/`, then copy the document there; return the copy's key."""
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
def _unreadable_if_missing(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as e:
        if (code := e.response["Error"]["Code"]) not in _MISSING:
            raise
        raise UnreadableError(f"{key} can't be read: {code}") from e
