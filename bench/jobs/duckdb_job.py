"""DuckDB: `python bench/jobs/duckdb_job.py TASK`. The statement comes with the task."""

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from support import measure, task


def work():
    config = {"threads": task["threads"], "preserve_insertion_order": False}
    connection = duckdb.connect(config=config)
    if task["kind"] == "rewrite":
        connection.execute(task["statement"])
        return None, None
    if task["kind"] == "decode":
        table = connection.execute(task["statement"]).to_arrow_table()
        return table.num_rows, lambda path: pq.write_table(table, path)
    rows, kept = 0, []
    for batch in connection.execute(task["statement"]).to_arrow_reader(122_880):
        rows += batch.num_rows
        if task["check"]:
            kept.append(batch)
    return rows, lambda path: pq.write_table(pa.Table.from_batches(kept), path)


measure(duckdb.__version__, work)
