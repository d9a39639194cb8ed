"""boto3: `python bench/jobs/storage_boto3.py TASK`. Large objects go by its transfer manager, which has ten threads."""

import hashlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from storage_support import in_threads, large, listed, piece, read_small, small_key
from support import measure, task


class Source:
    """A file to be read of chunks."""

    def __init__(self, chunks):
        self.chunks, self.rest = chunks, b""

    def read(self, size=-1):
        parts, length = [self.rest], len(self.rest)
        while size < 0 or length < size:
            chunk = next(self.chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            length += len(chunk)
        whole = b"".join(parts)
        size = length if size < 0 else size
        self.rest = whole[size:]
        return whole[:size]


class Sink:
    """A file to be written that keeps nothing."""

    def __init__(self):
        self.size, self.digest = 0, hashlib.sha256()

    def write(self, data):
        self.size += len(data)
        if task["check"]:
            self.digest.update(data)
        return len(data)


config = Config(
    s3={"addressing_style": "path"}, max_pool_connections=16, request_checksum_calculation="when_required"
)
s3 = boto3.client("s3", config=config)
transfer = TransferConfig(multipart_chunksize=8 * 1024 * 1024)


def work():
    kind = task["kind"]
    if kind == "put-large":
        s3.upload_fileobj(Source(large()), "target", "large/object", Config=transfer)
    elif kind == "get-large":
        sink = Sink()
        s3.download_fileobj("source", "large/object", sink, Config=transfer)
        return 1, None, {"bytes": sink.size, "sha256": sink.digest.hexdigest()}
    elif kind == "put-small":
        put = lambda i: s3.put_object(Bucket="target", Key=small_key(i), Body=piece(i, task["smallBytes"]))
        for _ in in_threads(put):
            pass
    elif kind == "get-small":

        def get(i):
            content = s3.get_object(Bucket="source", Key=small_key(i))["Body"].read()
            return content if task["check"] else len(content)

        return read_small(in_threads(get))
    elif kind == "list":
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="keys")
        return listed(item["Key"] for page in pages for item in page.get("Contents", []))
    elif kind == "copy-streamed":
        body = s3.get_object(Bucket="source", Key="large/object")["Body"]
        s3.upload_fileobj(body, "target", "large/object", Config=transfer)
    else:
        s3.copy({"Bucket": "source", "Key": "large/object"}, "source", "large/copy", Config=transfer)
    return None, None


measure(boto3.__version__, work)
