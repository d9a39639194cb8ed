"""PyArrow: `python bench/jobs/pyarrow_job.py TASK`."""

import pyarrow as pa
import pyarrow.acero as acero
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from support import measure, task

pa.set_cpu_count(task["threads"])
pa.set_io_thread_count(task["threads"])


def source():
    first, *more = [ds.dataset(folder, format="parquet") for folder in task["data"]]
    return ds.dataset([first, *more]) if more else first


def scanner():
    dataset = source()
    where, by = task["where"], task["by"]
    names = task["columns"] if task["columns"] is not None else dataset.schema.names
    columns = {name: pc.field(name) for name in names if name != task["drop"]}
    if task["rename"] is not None:
        columns = {task["rename"]["to"] if name == task["rename"]["from"] else name: field for name, field in columns.items()}
    if task["derive"]:
        columns["total"] = pc.add(pc.field("amount"), pc.coalesce(pc.field("tip"), pc.scalar(0.0)))
    if by == "day":
        columns["day"] = pc.field("ts").cast(pa.date32(), safe=False)
    if by == "month":
        columns["month"] = pc.floor_temporal(pc.field("ts"), unit="month").cast(pa.date32(), safe=False)
    rows = None
    if where is not None:
        column = pc.field(where["column"])
        rows = column >= where["from"]
        if where["to"] is not None:
            rows = rows & (column <= where["to"])
    return dataset.scanner(columns=columns, filter=rows)


def aggregate(by):
    dataset = source()
    columns = {name: pc.field(name) for name in [by, "amount"]}
    results = [("amount", f"hash_{name}", None, name) for name in ["sum", "min", "max"]]
    steps = [
        acero.Declaration("scan", acero.ScanNodeOptions(dataset, columns=columns)),
        acero.Declaration("project", acero.ProjectNodeOptions(list(columns.values()), list(columns))),
        acero.Declaration("aggregate", acero.AggregateNodeOptions([*results, ([], "hash_count_all", None, "n")], keys=[by])),
    ]
    table = acero.Declaration.from_sequence(steps).to_table()
    return table.rename_columns({"sum": "total", "min": "least", "max": "most"})


def work():
    if task["aggregate"]:
        table = aggregate(task["by"])
        return table.num_rows, lambda path: pq.write_table(table, path)
    scan, by = scanner(), task["by"]
    if task["kind"] == "rewrite":
        keys = None
        if by is not None:
            keys = ds.partitioning(pa.schema([scan.projected_schema.field(by)]), flavor="hive")
        options = ds.ParquetFileFormat().make_write_options(compression="zstd", compression_level=3)
        ds.write_dataset(
            scan,
            task["out"],
            format="parquet",
            file_options=options,
            partitioning=keys,
            max_partitions=10_000,
            # Else every small file's rows stay a row group.
            min_rows_per_group=122_880 if task["maintenance"] else 0,
            existing_data_behavior="overwrite_or_ignore",
        )
        return None, None
    if task["kind"] == "decode":
        table = scan.to_table()
        return table.num_rows, lambda path: pq.write_table(table, path)
    rows, kept = 0, []
    for batch in scan.to_batches():
        rows += batch.num_rows
        if task["check"]:
            kept.append(batch)
    return rows, lambda path: pq.write_table(pa.Table.from_batches(kept), path)


measure(pa.__version__, work)
