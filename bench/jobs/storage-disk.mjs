/** The same files without a server: `node bench/jobs/storage-disk.mjs TASK`. */
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { eachSmall, large, listed, piece, readLarge, readSmall } from './storage-support.mjs'
import { measure, task } from './support.mjs'

const CHUNK = 1024 * 1024
const object = join(task.source, 'large/object')
const to = join(task.scratch, 'object')

await measure(process.version, async () => {
  switch (task.kind) {
    case 'put-large':
      return write(large())
    case 'get-large':
      return readLarge(createReadStream(object, { highWaterMark: CHUNK }))
    case 'put-small':
      await mkdir(dirname(join(task.scratch, 'small/0')))
      await eachSmall((i, key) => writeFile(join(task.scratch, key), piece(i, task.smallBytes)))
      return {}
    case 'get-small':
      return readSmall(key => readFile(join(task.source, key)))
    case 'list':
      return listed(files(task.keys))
    case 'copy-streamed':
      return write(createReadStream(object, { highWaterMark: CHUNK }))
    case 'copy-in-store':
      await copyFile(object, to)
      return {}
  }
})

async function write(chunks) {
  const file = await open(to, 'w')
  for await (const chunk of chunks) await file.write(chunk)
  await file.close()
  return {}
}

async function* files(folder) {
  for (const name of (await readdir(folder)).sort()) {
    for (const file of (await readdir(join(folder, name))).sort()) yield `${name}/${file}`
  }
}
