"""obstore: `python bench/jobs/storage_obstore.py TASK`."""

import asyncio
from importlib.metadata import version

import obstore
from obstore.store import S3Store

from storage_support import CHUNK, large, listed, piece, read_large, read_small, small_key
from support import measure, task


def store(bucket):
    return S3Store(bucket, client_options={"allow_http": True}, virtual_hosted_style_request=False)


source, keys, target = store("source"), store("keys"), store("target")


async def in_order(work):
    """The results of `work` for each small object, 16 at a time."""
    results, numbers = [None] * task["small"], iter(range(task["small"]))

    async def worker():
        for i in numbers:
            results[i] = await work(i)

    await asyncio.gather(*(worker() for _ in range(16)))
    return results


async def copy():
    body = (await obstore.get_async(source, "large/object")).stream(min_chunk_size=CHUNK)
    await obstore.put_async(target, "large/object", body)


async def get(i):
    content = await (await obstore.get_async(source, small_key(i))).bytes_async()
    return content if task["check"] else len(content)


def work():
    kind = task["kind"]
    if kind == "put-large":
        obstore.put(target, "large/object", large())
    elif kind == "get-large":
        return read_large(obstore.get(source, "large/object").stream(min_chunk_size=CHUNK))
    elif kind == "put-small":
        asyncio.run(in_order(lambda i: obstore.put_async(target, small_key(i), piece(i, task["smallBytes"]))))
    elif kind == "get-small":
        return read_small(asyncio.run(in_order(get)))
    elif kind == "list":
        return listed(meta["path"] for page in obstore.list(keys, chunk_size=1000) for meta in page)
    elif kind == "copy-streamed":
        asyncio.run(copy())
    else:
        obstore.copy(source, "large/object", "large/copy")
    return None, None


measure(version("obstore"), work)
