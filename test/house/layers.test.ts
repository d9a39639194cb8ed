import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { test } from 'node:test'
import { root } from '../support/root.ts'

/** Imports go to the same folder or to one further down; folders in one line never import one another. */
const LAYERS = [
  ['cli', 'testing'],
  ['index'],
  ['sources', 'operators', 'sinks'],
  ['dataset'],
  ['parquet'],
  ['storage'],
  ['core'],
  ['node-version'],
]

/** Third parties and the parts of Node that have one owner: the paths (below `src/`) that may import them. */
const OWNERS: Record<string, RegExp> = {
  '@aws-sdk/client-s3': /^storage\/s3/,
  '@azure/identity': /^storage\/azure\//,
  '@azure/storage-blob': /^storage\/azure\//,
  '@google-cloud/storage': /^storage\/gcs/,
  'apache-arrow': /^/,
  'p-limit': /^core\/concurrency\.ts$/,
  'p-retry': /^core\/retry\.ts$/,
  undici: /^storage\/http\//,
  rxjs: /^core\/pipeline\.ts$/,
  'node:fs': /^(storage\/local|storage\/config-file\.ts$|core\/kernels\/kernels\.ts$|cli\/location\.ts$)/,
  'node:fs/promises': /^storage\/local/,
  'node:worker_threads': /^(core\/lanes|dataset\/lane-worker)\.ts$/,
  'node:zlib': /^(parquet\/|storage\/s3\/)/,
}

interface Import {
  from: string
  /** Path below `src/`, or the name of a package. */
  to: string
}

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.includes('/assembly/'))
const imports = files.flatMap(file => importsOf(file, readFileSync(join(root, 'src', file), 'utf8')))
const inner = imports.filter(({ to }) => files.includes(to))
const outer = imports.filter(({ to }) => !files.includes(to))

test('the scanner sees every form of import', () => {
  const text = `
    import a from './a.ts'
    import type { B } from '../b.ts' // import './no.ts'
    import {
      c,
    } from "pkg/sub"
    import 'node:fs'
    export * from './d.ts'
    /* import './no.ts' */
    const e = await import('./e.ts')
    new Worker(new URL('./f.ts', import.meta.url))
    const url = 'https://import/from'; type G = import('./g.ts').G`
  assert.deepEqual(
    importsOf('core/x/y.ts', text).map(({ to }) => to),
    [
      'core/x/a.ts',
      'core/b.ts',
      'pkg',
      'node:fs',
      'core/x/d.ts',
      'core/x/e.ts',
      'core/x/f.ts',
      'core/x/g.ts',
    ],
  )
})

test('imports go downwards', () => {
  const layer = (file: string) => LAYERS.findIndex(names => names.includes(folder(file)))
  for (const file of files) assert.ok(layer(file) >= 0, `src/${file} belongs to no layer`)
  const upward = inner.filter(({ from, to }) => folder(from) !== folder(to) && layer(from) >= layer(to))
  assert.deepEqual(upward, [])
})

test('the command uses the library as its users do', () => {
  const inside = inner.filter(
    ({ from, to }) => folder(from) === 'cli' && !['cli', 'index', 'core'].includes(folder(to)),
  )
  assert.deepEqual(inside, [])
})

test('no file imports itself by a detour', () => {
  const done = new Set<string>()
  const visit = (file: string, path: string[]): void => {
    assert.ok(!path.includes(file), `a cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
    if (done.has(file)) return
    for (const { to } of inner.filter(({ from }) => from === file)) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
})

test('each third party has one owner', () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const packages = Object.keys({ ...dependencies, ...peerDependencies })
  const unowned = packages.filter(name => !(name in OWNERS))
  assert.deepEqual(unowned, [], 'dependencies without an owner in OWNERS')
  const strangers = outer.filter(({ to }) => !to.startsWith('node:') && !packages.includes(to))
  assert.deepEqual(strangers, [], 'imports of what package.json does not list')
  const trespasses = outer.filter(({ from, to }) => to in OWNERS && !OWNERS[to]!.test(from))
  assert.deepEqual(trespasses, [])
  const unused = Object.keys(OWNERS).filter(name => !outer.some(({ to }) => to === name))
  assert.deepEqual(unused, [], 'owners of what nobody imports')
})

/** `core/errors.ts` → `core`, `index.ts` → `index`. */
function folder(file: string): string {
  return file.replace(/(\/.*|\.ts)$/, '')
}

/** What a file imports, types included, and the modules whose URL it makes. */
function importsOf(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|(?<![:'"])\/\/.*/g, '')
  const forms =
    /\b(?:import|export)\s(?:[\w*\s{},$]*?\sfrom\s*)?(['"])(.+?)\1|\bimport\((['"])(.+?)\3\)|\bnew URL\((['"])(.+?\.ts)\5/g
  return [...code.matchAll(forms)].map(match => {
    const target = match[2] ?? match[4] ?? match[6]!
    if (target.startsWith('.')) return { from: file, to: posix.join(posix.dirname(file), target) }
    const name = target.startsWith('node:') ? target : target.split('/', target[0] === '@' ? 2 : 1).join('/')
    return { from: file, to: name }
  })
}
