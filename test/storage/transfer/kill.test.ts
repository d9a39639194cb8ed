import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore, type TransferReport } from '../../../src/index.ts'
import { collect, pattern } from '../../../src/testing/conformance/context.ts'
import { noS3, type S3Server, startS3 } from '../../servers/s3.ts'
import { onOneNode } from '../../support/cases.ts'
import { root } from '../../support/root.ts'
import { tempFolder } from '../../support/temp.ts'

const program = fileURLToPath(new URL('killed.ts', import.meta.url))
const KILLS = 3

let server: S3Server
before(async () => {
  if (!noS3) server = await startS3()
})
after(() => server?.stop())

/** Small files and two that take many requests, in folders. */
function makeSource(folder: string): void {
  const sizes: Record<string, number> = { 'large/one': 75_000_001, 'large/two': 40_000_000, empty: 0 }
  for (let i = 0; i < 12; i++) sizes[`small/${i % 3}/${i}`] = i * 1_000
  for (const [name, size] of Object.entries(sizes)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), pattern(size, size + 1))
  }
}

/** Names and SHA-256 of all files below a folder, as another program sees them. */
function digests(folder: string): string {
  const script = 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum'
  return execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' })
}

/** Runs a transfer, to its end or until it kills itself. */
function run(from: string, to: string, options: object, ordinal: number): TransferReport | undefined {
  const args = ['--import', 'tsx', program, from, to, JSON.stringify(options), String(ordinal)]
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
  })
  if (signal === 'SIGKILL') return undefined
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

/** Kills transfers at moments that a seed picks, then lets one get to its end. */
function killAndFinish(from: string, to: string, options: object, seed: number): void {
  const moments = [...pattern(KILLS, seed)].map(byte => 5 + Math.floor(byte / 4))
  const reports = moments.map(moment => run(from, to, options, moment))
  assert.equal(reports[0], undefined, 'the first was killed')
  const report = run(from, to, options, 0)
  assert.deepEqual(report?.failed, [], `moments ${moments}`)
}

test(`a transfer into a folder that is killed ${KILLS} times is finished by the next`, {
  skip: onOneNode,
}, async t => {
  const folder = tempFolder(t)
  const [from, to] = [join(folder, 'from'), join(folder, 'to')]
  makeSource(from)
  mkdirSync(join(to, 'copy/stale'), { recursive: true })
  writeFileSync(join(to, 'copy/stale/file'), 'stale')
  killAndFinish(from, to, { durability: 'none' }, 3)
  assert.equal(digests(join(to, 'copy')), digests(from))
  // Files that were put whole when the process died may be left there, out of sight.
  const left = readdirSync(to).filter(name => name !== 'copy')
  assert.ok(left.length === 0 || readdirSync(join(to, '_sluice')).join() === '.staging', left.join())
})

test('a killed transfer goes on in the middle of a large file', async t => {
  const folder = tempFolder(t)
  const [from, to] = [join(folder, 'from'), join(folder, 'to')]
  mkdirSync(from)
  writeFileSync(join(from, 'large'), pattern(100_000_000))
  const options = { durability: 'none' }
  const whole = run(from, join(folder, 'elsewhere'), options, 0)
  assert.equal(run(from, to, options, whole!.requests - 8), undefined, 'it was killed')
  assert.ok(readdirSync(join(to, '_sluice/transfers')).length > 0, 'there is a record')
  const report = run(from, to, options, 0)
  assert.ok(report!.resumed.bytes >= 32_000_000, `${report!.resumed.bytes} bytes were there`)
  assert.equal(digests(join(to, 'copy')), digests(from))
  assert.deepEqual(readdirSync(to), ['copy'])
})

test('a transfer into a bucket that is killed is finished by the next', { skip: noS3 }, async t => {
  const from = join(tempFolder(t), 'from')
  makeSource(from)
  const name = `test-${randomUUID()}`
  const bucket = server.createBucket(name)
  const { endpoint, region, credentials } = server
  const options = { endpoint, region, credentials }
  killAndFinish(from, `s3://${name}`, options, 5)
  assert.equal(digests(join(bucket, 'copy')), digests(from))
  const store = await openStore(`s3://${name}`, options)
  const keys = (await collect(store.list())).map(({ key }) => key)
  assert.ok(
    keys.every(key => key.startsWith('copy/')),
    keys.join(),
  )
  const staged = await collect(store.listStaged(''))
  assert.ok(staged.length <= KILLS, 'an upload of each kill at most has no record yet')
})
