import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { root } from '../support/root.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

before(() => assert.ok(existsSync(join(root, 'dist/index.js')), 'run `npm run build` first'))

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: root, strict: true })
  assert.deepEqual(
    messages.map(message => formatMessage(message, manifest, { color: false })),
    [],
  )
})

test('the package holds what it needs and nothing else', () => {
  const [pack] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
  ) as [{ files: { path: string }[] }]
  const paths = pack.files.map(({ path }) => path)
  const needed = ['README.md', 'LICENSE', 'CHANGELOG.md', 'bin/sluice.js']
  for (const path of [...needed, 'dist/lane-worker.js', 'dist/kernels.wasm']) {
    assert.ok(paths.includes(path), path)
  }
  const expected =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/.*\.js|dist\/.*\.(js|js\.map|d\.ts|wasm))$/
  assert.deepEqual(
    paths.filter(path => !expected.test(path)),
    [],
  )
})

test('every export is there, with its types', async () => {
  const kinds = Object.entries<string | Record<string, string>>(manifest.exports)
  assert.deepEqual(
    kinds.map(([path]) => path),
    ['.', './testing', './package.json'],
  )
  for (const [path, targets] of kinds) {
    for (const target of Object.values(typeof targets === 'string' ? { targets } : targets)) {
      assert.ok(existsSync(join(root, target)), `${path}: ${target}`)
    }
  }
  const names = async (module: string) => Object.keys(await import(module)).sort()
  assert.deepEqual(await names('sluice'), await names('../../src/index.ts'))
  assert.deepEqual(await names('sluice/testing'), await names('../../src/testing/index.ts'))
  await assert.rejects(import(String('sluice/dist/index.js')), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
})

test('importing the package loads few modules, and its batches are those of apache-arrow', async () => {
  const program = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    const { col, derive, fromBatches } = await import('sluice')
    const before = loaded.length
    const { RecordBatch, tableFromArrays } = await import('apache-arrow')
    const { schema, batches } = tableFromArrays({ a: Int32Array.of(1, 2, 3) })
    const pipeline = fromBatches(schema, batches).pipe(derive({ b: col('a').plus(1) }))
    for await (const batch of pipeline) console.log(batch instanceof RecordBatch)
    console.log(before, loaded.some(url => url.includes('/rxjs/')))`
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  const [same, words] = run('--input-type=module', '--eval', program).trim().split('\n')
  assert.equal(same, 'true')
  const [modules, rxjs] = words!.split(' ')
  assert.ok(Number(modules) < 200, `${modules} modules`)
  assert.equal(rxjs, 'false')
})

test('the Node that package.json asks for is the one that is checked', () => {
  const [, version] = /^>=(\d+\.\d+)$/.exec(manifest.engines.node)!
  const check = readFileSync(join(root, 'src/node-version.ts'), 'utf8')
  const [, major, minor] = /major < (\d+) \|\| .* minor < (\d+)\)/.exec(check)!
  assert.equal(`${major}.${minor}`, version)
  assert.ok(check.includes(`Node.js ${version} or newer`))
})

test('the lock file has every platform, so that `npm ci` works on each', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string }>
  }
  const optional = Object.values(packages).flatMap(entry => Object.keys(entry.optionalDependencies ?? {}))
  assert.deepEqual(
    optional.filter(name => !(`node_modules/${name}` in packages)),
    [],
  )
  assert.deepEqual(
    Object.keys(packages).filter(name => packages[name]!.resolved !== undefined),
    [],
  )
})
