import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { onOneNode } from './cases.ts'
import { root } from './root.ts'

const interpreter = process.env['SLUICE_PYTHON'] ?? join(root, '.venv/bin/python')

/**
 * For `test(name, { skip: noPython }, …)`: why tests with Polars, DuckDB, PyArrow and Dask cannot run. In CI
 * they run, and fail.
 */
export const noPython: string | false =
  onOneNode ||
  (!process.env['CI'] &&
    !existsSync(interpreter) &&
    `no ${interpreter} (run scripts/python-env.sh, or set SLUICE_PYTHON)`)

const prelude = `
import base64, datetime, decimal, json, math, sys, uuid

def exact(value):
    """JSON for what JSON has no word for: dates and times in ISO form, decimals as text, bytes as base64."""
    if isinstance(value, (datetime.date, datetime.time)): return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID)): return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)): return base64.b64encode(value).decode()
    raise TypeError(f'{type(value)} in the result: make it JSON first')

program, input = json.loads(sys.stdin.buffer.read())
result = None
exec(compile(program, 'snippet', 'exec'))
json.dump(result, sys.__stdout__, default=exact)
`

/**
 * Runs Python statements that find their argument in `input` and leave their answer in `result`; both travel
 * as JSON. A Python exception rejects with its traceback.
 */
export async function python<T>(program: string, input: unknown = null): Promise<T> {
  const child = spawn(interpreter, ['-c', prelude], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', text => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', text => (stderr += text))
  const status = new Promise<number | null>((resolve, reject) => {
    child.on('error', error => reject(new Error(`cannot start ${interpreter}`, { cause: error })))
    child.on('close', resolve)
  })
  child.stdin.on('error', () => {}) // a Python that dies early says why on stderr
  child.stdin.end(JSON.stringify([dedent(program), input]))
  if ((await status) !== 0) throw new Error(`Python failed:\n${stderr}`)
  return JSON.parse(stdout) as T
}

/** Lets a snippet be indented like the test around it. */
function dedent(text: string): string {
  const lines = text.split('\n')
  const margins = lines.slice(1).flatMap(line => (line.trim() === '' ? [] : [line.search(/\S/)]))
  const margin = margins.length === 0 ? 0 : Math.min(...margins)
  return [lines[0]!.trimStart(), ...lines.slice(1).map(line => line.slice(margin))].join('\n')
}
