import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pattern } from '../../src/testing/conformance/context.ts'
import { startFaultServer } from '../../src/testing/index.ts'
import { noS3, startS3 } from '../servers/s3.ts'
import { tempFolder } from '../support/temp.ts'
import { ended, output, sluice, startIn } from './support.ts'

/** A folder with files in it, each with its name as content. */
function folderOf(t: TestContext, ...names: string[]): string {
  const folder = tempFolder(t)
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), name)
  }
  return folder
}

/** The files below a folder, Sluice's own included. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

test('copy takes the contents of a folder, a file or a glob into a folder', async t => {
  const source = folderOf(t, 'a.csv', 'sub/b.csv', 'sub/deep/c [1].txt')
  const target = join(tempFolder(t), 'made/up')
  assert.match(await output('copy', source, target), /^3 copied, 32 B; \d+\.\d\d s, /)
  execFileSync('diff', ['-r', source, target])
  assert.match(await output('copy', source, target), /^0 copied, 0 B; 3 there already; /)
  const one = join(tempFolder(t), 'one')
  await output('copy', join(source, 'sub/deep/c [1].txt'), one)
  assert.deepEqual(filesIn(one), ['c [1].txt'])
  const some = join(tempFolder(t), 'some')
  await output('copy', `${source}/**/*.csv`, some)
  assert.deepEqual(filesIn(some), ['a.csv', 'sub/b.csv'])
  assert.deepEqual(filesIn(dirname(target)), ['up/a.csv', 'up/sub/b.csv', 'up/sub/deep/c [1].txt'])
})

test('copy --sync makes the folders the same, and says before what it would do', async t => {
  const source = folderOf(t, 'a.csv', 'sub/b.csv', 'log.txt')
  const target = folderOf(t, 'sub/stale.csv', 'stale.txt')
  const args = ['copy', source, target, '--sync', '--include', '**/*.csv']
  const plan = 'copy                 5  a.csv\ncopy                 9  sub/b.csv\n'
  assert.equal(
    await output(...args, '--dry-run', '--concurrency', '1'),
    `${plan}delete              13  sub/stale.csv\nwould be: 2 copied, 14 B; 1 deleted\n`,
  )
  assert.deepEqual(filesIn(target), ['stale.txt', 'sub/stale.csv'])
  const report = JSON.parse(await output(...args, '--json', '--verify', 'checksum'))
  assert.deepEqual([report.copied, report.deleted.objects, report.failed], [{ objects: 2, bytes: 14 }, 1, []])
  assert.deepEqual(filesIn(target), ['a.csv', 'stale.txt', 'sub/b.csv'])
})

test('copy names each file that fails', async t => {
  const source = folderOf(t, 'a', 'b', 'c')
  const target = folderOf(t, 'a', 'b')
  const { code, stdout, stderr } = await sluice('copy', source, target, '--existing', 'error')
  assert.deepEqual([code, stdout.toString()], [1, ''])
  assert.match(stderr, /^a: .*\/a: the object exists already\n/m)
  assert.match(stderr, /^b: .*\/b: the object exists already\n/m)
  assert.match(stderr, /^sluice: 2 objects failed, 1 did not; the first: /m)
  assert.deepEqual(filesIn(target), ['a', 'b', 'c'])
})

test('copy shows how far it is', async t => {
  const source = folderOf(t, 'a', 'b')
  const { code, stderr } = await sluice('copy', source, join(tempFolder(t), 'x'), '--progress')
  assert.equal(code, 0)
  assert.match(stderr, /^done {2}█{24} 100% {2}2 of 2 objects {2}2 B of 2 B .* s\n$/)
})

test('an interrupted copy leaves whole files and nothing else', { skip: noS3 }, async t => {
  const server = await startS3()
  t.after(() => server.stop())
  const name = `test-${randomUUID()}`
  const bucket = server.createBucket(name)
  writeFileSync(join(bucket, 'small'), 'small')
  writeFileSync(join(bucket, 'large'), pattern(60_000_000))
  let stalled: (() => void) | undefined
  const stalls = new Promise<void>(resolve => (stalled = resolve))
  const wire = await startFaultServer(server.endpoint, ({ method, headers }) => {
    if (method !== 'GET' || !headers.range?.startsWith('bytes=50331648-')) return undefined
    stalled?.()
    return { stall: 100 }
  })
  t.after(() => wire.stop())
  const target = tempFolder(t)
  const { accessKeyId, secretAccessKey } = server.credentials
  const settings = {
    AWS_ENDPOINT_URL: wire.endpoint,
    AWS_REGION: server.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }
  const child = startIn({ env: { ...process.env, ...settings } }, 'copy', `s3://${name}`, join(target, 'to'))
  const end = ended(child)
  await stalls
  child.kill('SIGINT')
  assert.equal((await end).code, 130)
  assert.deepEqual(
    filesIn(target).filter(file => file !== 'to/small'),
    [],
  )
  assert.ok(!existsSync(join(target, '_sluice')))
})

test('two places of a bucket are copied by the service', { skip: noS3 }, async t => {
  const server = await startS3()
  t.after(() => server.stop())
  const bucket = server.createBucket('lake')
  mkdirSync(join(bucket, 'deep/from'), { recursive: true })
  writeFileSync(join(bucket, 'deep/from/a b'), 'x')
  const wire = await startFaultServer(server.endpoint, () => undefined)
  t.after(() => wire.stop())
  const { accessKeyId, secretAccessKey } = server.credentials
  const settings = {
    AWS_ENDPOINT_URL: wire.endpoint,
    AWS_REGION: server.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }
  const run = (...args: string[]) => ended(startIn({ env: { ...process.env, ...settings } }, ...args))
  const { code, stderr } = await run('copy', 's3://lake/deep/from/*', 's3://lake/other/to')
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(readFileSync(join(bucket, 'other/to/a b'), 'utf8'), 'x')
  assert.ok(wire.requests.some(({ headers }) => headers['x-amz-copy-source'] !== undefined))
  assert.equal((await run('du', 's3://lake')).stdout.toString().trim(), '2 B            2  .')
})

test('rm deletes files, globs and folders', async t => {
  const folder = folderOf(t, 'a.csv', 'b.csv', 'sub/c.csv', 'sub/d.txt', 'sub/deep/e.txt')
  assert.equal(await output('rm', join(folder, 'a.csv')), '1 deleted\n')
  assert.equal(
    await output('rm', folder, '--recursive', '--include', 'sub/**', '--exclude', '**/*.csv', '--dry-run'),
    'sub/d.txt\nsub/deep/e.txt\n2 would be deleted\n',
  )
  assert.equal(await output('rm', `${folder}/**/*.csv`), '2 deleted\n')
  assert.deepEqual(filesIn(folder), ['sub/d.txt', 'sub/deep/e.txt'])
  assert.equal((await sluice('rm', join(folder, 'sub'))).code, 2)
  assert.equal(await output('rm', '-r', join(folder, 'sub')), '2 deleted\n')
  assert.deepEqual(readdirSync(folder), [])
  const nothing = await sluice('rm', '-r', folder)
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /there are no such files/)
})

test('du sums as du does', async t => {
  const folder = tempFolder(t)
  const sizes: Record<string, number> = {
    'a.txt': 5,
    'a/x': 1_000,
    'a/b/y': 70_000,
    'a/b/z': 0,
    'c/d/e/f': 3,
  }
  for (const [name, size] of Object.entries(sizes)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), pattern(size))
  }
  const lines = async (...args: string[]) => {
    const text = await output('du', folder, '--json', ...args)
    return text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
  }
  assert.deepEqual(await lines(), [{ folder: '', objects: 5, bytes: 71_008 }])
  const files = execFileSync('find', ['.', '-type', 'f', '-printf', '%P\\n'], {
    cwd: folder,
    encoding: 'utf8',
  })
  const found = await lines('--depth', '9')
  assert.deepEqual(
    found.map(({ folder }) => folder),
    ['a/b/', 'a/', 'c/d/e/', 'c/d/', 'c/', ''],
  )
  for (const { folder: below, objects, bytes } of found) {
    const names = files.split('\n').filter(name => name !== '' && name.startsWith(below))
    const sum = names.reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0)
    assert.deepEqual([objects, bytes], [names.length, sum], below)
  }
  assert.deepEqual((await lines('--depth', '1')).length, 3)
  assert.match(await output('du', folder, '--depth', '1'), /^ {2}69\.3 KiB {12}3 {2}a\/\n/)
  assert.equal((await output('du', `${folder}/a/**/y`)).trim(), '68.4 KiB            1  .')
  rmSync(folder, { recursive: true })
})
