"""s3fs: `python bench/jobs/storage_s3fs.py TASK`."""

import asyncio

import s3fs

from storage_support import PART, large, listed, piece, read_large, read_small, small_key
from support import measure, task


def filesystem(**options):
    client = {"s3": {"addressing_style": "path"}, "max_pool_connections": 16}
    return s3fs.S3FileSystem(
        config_kwargs={**client, "request_checksum_calculation": "when_required"}, use_listings_cache=False, **options
    )


# It loads the SDK with the first connection.
loop = asyncio.new_event_loop()
if task["kind"].endswith("-small"):
    fs = filesystem(asynchronous=True)
    session = loop.run_until_complete(fs.set_session())
else:
    fs = filesystem()
    fs.connect()


async def in_order(work):
    """The results of `work` for each small object, 16 at a time."""
    results, numbers = [None] * task["small"], iter(range(task["small"]))

    async def worker():
        for i in numbers:
            results[i] = await work(i)

    await asyncio.gather(*(worker() for _ in range(16)))
    return results


async def put(i):
    await fs._pipe_file(f"target/{small_key(i)}", piece(i, task["smallBytes"]))


async def get(i):
    content = await fs._cat_file(f"source/{small_key(i)}")
    return content if task["check"] else len(content)


def copy(chunks):
    with fs.open("target/large/object", "wb", block_size=PART) as file:
        for chunk in chunks:
            file.write(chunk)


def read():
    with fs.open("source/large/object", "rb", block_size=PART, cache_type="readahead") as file:
        while chunk := file.read(PART):
            yield chunk


def work():
    kind = task["kind"]
    if kind == "put-large":
        copy(large())
    elif kind == "get-large":
        return read_large(read())
    elif kind == "put-small":
        loop.run_until_complete(in_order(put))
    elif kind == "get-small":
        return read_small(loop.run_until_complete(in_order(get)))
    elif kind == "list":
        return listed(path.removeprefix("keys/") for path in fs.find("keys"))
    elif kind == "copy-streamed":
        copy(read())
    else:
        fs.copy("source/large/object", "source/large/copy")
    return None, None


measure(s3fs.__version__, work)
if fs.asynchronous:
    loop.run_until_complete(session.close())
