"""Polars: `python bench/jobs/polars_job.py TASK`, with POLARS_MAX_THREADS set."""

import polars as pl

from support import measure, task


def query():
    first, *more = [pl.scan_parquet(f"{folder}/*.parquet") for folder in task["data"]]
    frame = pl.concat([first, *more]) if more else first
    where, by = task["where"], task["by"]
    if where is not None:
        column = pl.col(where["column"])
        frame = frame.filter(column >= where["from"] if where["to"] is None else column.is_between(where["from"], where["to"]))
    if task["derive"]:
        frame = frame.with_columns(total=pl.col("amount") + pl.col("tip").fill_null(0))
    if by == "day":
        frame = frame.with_columns(day=pl.col("ts").dt.date())
    if by == "month":
        frame = frame.with_columns(month=pl.col("ts").dt.truncate("1mo").dt.date())
    if task["aggregate"]:
        amount = pl.col("amount")
        frame = frame.group_by(by).agg(n=pl.len(), total=amount.sum(), least=amount.min(), most=amount.max())
    if task["rename"] is not None:
        frame = frame.rename({task["rename"]["from"]: task["rename"]["to"]})
    if task["drop"] is not None:
        frame = frame.drop(task["drop"])
    if task["columns"] is not None:
        frame = frame.select(task["columns"])
    return frame


def work():
    frame, by = query(), task["by"]
    if task["kind"] == "rewrite":
        target = f"{task['out']}/data.parquet" if by is None else pl.PartitionBy(task["out"], key=by, include_key=False)
        # Rows of a partition may come in any order, from each contestant.
        frame.sink_parquet(target, compression="zstd", compression_level=3, mkdir=True, maintain_order=False)
        return None, None
    if task["kind"] == "decode":
        table = frame.collect()
        return table.height, table.write_parquet
    rows, kept = 0, []
    for batch in frame.collect_batches(maintain_order=False):
        rows += batch.height
        if task["check"]:
            kept.append(batch)
    return rows, lambda path: pl.concat(kept).write_parquet(path)


measure(pl.__version__, work)
