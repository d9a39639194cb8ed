import { limit, type Operator, type Pipeline, parquetFile, type Sink } from '../../index.ts'
import { type Command, type Options, usage } from '../command.ts'
import { FormatSink } from '../format-sink.ts'
import { locateFile } from '../location.ts'
import type { Output } from '../output.ts'
import { EXECUTION, openSource, SELECTION, select } from '../pipeline-options.ts'
import { REPORT, saveReport } from '../report.ts'

const FORMATS = ['table', 'jsonl', 'csv', 'arrow', 'parquet', 'none'] as const

export const cat: Command = {
  name: 'cat',
  summary: 'Print rows, or write them to a file.',
  arguments: ['URL'],
  options: {
    ...SELECTION,
    limit: { value: 'N', help: 'at most so many rows' },
    format: { value: 'FORMAT', help: 'table, jsonl, csv, arrow, parquet or none (default: table)' },
    output: { short: 'o', value: 'FILE', help: 'write there instead of to standard output' },
    ...EXECUTION,
    ...REPORT,
  },
  details: `Values are exact in every format. In jsonl integers and decimals are numbers with all their digits; NaN,
infinities, dates and times (ISO 8601) are strings, bytes are base64. In csv null is an empty field and the
empty text is "". arrow is an IPC stream; parquet needs --output; none decodes everything and prints nothing.`,
  async run({ arguments: [url], options, output, signal }) {
    const rows = options.count('limit')
    const operators: Operator[] = [...select(options), ...(rows === undefined ? [] : [limit(rows)])]
    const pipeline = (await openSource(url!, options)).pipe(...operators)
    const sink = await sinkFor(pipeline, options, output, signal)
    await saveReport(await pipeline.to(sink, { signal }), options)
  },
}

async function sinkFor(
  pipeline: Pipeline,
  options: Options,
  output: Output,
  signal: AbortSignal,
): Promise<Sink> {
  const format = options.choice('format', FORMATS) ?? 'table'
  const target = options.text('output')
  const file = target === undefined ? undefined : await locateFile(target)
  if (format === 'parquet') {
    if (file === undefined) throw usage('format', 'parquet has to be written to a file', 'Add --output FILE.')
    return parquetFile(file.store, file.key, { existing: 'overwrite' })
  }
  if (format === 'arrow' && file === undefined && output.isTerminal) {
    throw usage('format', 'arrow is not for a terminal', 'Add --output FILE, or pipe it.')
  }
  const schema = await pipeline.schema({ signal })
  return new FormatSink(format, schema, async chunks => {
    if (file === undefined) await output.writeAll(chunks)
    else await file.store.put(file.key, encoded(chunks), { signal })
  })
}

async function* encoded(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}
