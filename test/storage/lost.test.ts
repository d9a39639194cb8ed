import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { root } from '../support/root.ts'
import { tempFolder } from '../support/temp.ts'

test('a body that nobody reads and an upload that nobody ends are closed, quietly', t => {
  const module = pathToFileURL(join(root, 'src/storage/open.ts')).href
  const program = `
    import { openStore } from ${JSON.stringify(module)}
    import { readdirSync } from 'node:fs'
    const store = await openStore(${JSON.stringify(tempFolder(t))})
    await store.put('large', new Uint8Array(1 << 20))
    const open = () => readdirSync('/proc/self/fd').length
    const before = open()
    for (let i = 0; i < 50; i++) {
      await store.get('large')
      await (await store.stage('upload')).write(new Uint8Array(10))
    }
    for (let i = 0; i < 1000 && open() > before; i++) {
      globalThis.gc()
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    console.log(open() - before)
  `
  const run = spawnSync(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', program],
    { cwd: root, encoding: 'utf8' },
  )
  assert.equal(run.stderr, '')
  assert.equal(run.stdout, '0\n')
  assert.equal(run.status, 0)
})
