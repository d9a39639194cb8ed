/** A plain copy of files: `node bench/jobs/copy.mjs TASK`. Moves `task.bytes`: whole files, and the beginning of one. */
import { closeSync, copyFileSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { files, measure, task } from './support.mjs'

await measure(process.version, async () => {
  let left = task.bytes
  for (const [index, file] of files.entries()) {
    if (left === 0) break
    const to = join(task.out, `${index}.parquet`)
    const { size } = statSync(file)
    if (size <= left) copyFileSync(file, to)
    else copyStart(file, to, left)
    left -= Math.min(left, size)
  }
  return {}
})

function copyStart(from, to, bytes) {
  const input = openSync(from)
  const output = openSync(to, 'w')
  const buffer = Buffer.allocUnsafe(2 ** 20)
  for (let at = 0; at < bytes; ) {
    const read = readSync(input, buffer, 0, Math.min(buffer.length, bytes - at), at)
    writeSync(output, buffer, 0, read)
    at += read
  }
  closeSync(output)
  closeSync(input)
}
