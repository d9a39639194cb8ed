/**
 * Makes the package's code few files: what its entry points share in common chunks, the lanes' worker by itself
 * (`dist/lane-worker.js`, with what it needs of apache-arrow), the kernels beside them. Loading some two hundred modules
 * would take longer than a small job does. The types are the compiler's, one file a module.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
/** What a build before this one left: chunks have the hash of their content in their names. */
for (const name of readdirSync(dist, { recursive: true })) {
  if (/\.(js|wasm|map)$/.test(name)) rmSync(join(dist, name))
}

const options = {
  outdir: dist,
  outbase: join(root, 'src'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
}
/** Modules of apache-arrow that have what is used of it: the other third of them is for its own files and streams. */
const ARROW = [
  'type',
  'enum',
  'schema',
  'data',
  'vector',
  'recordbatch',
  'table',
  'factories',
  'ipc/serialization',
]

await build({
  ...options,
  entryPoints: ['node-version', 'index', 'testing/index', 'cli/main'].map(name =>
    join(root, `src/${name}.ts`),
  ),
  splitting: true,
  chunkNames: 'chunk-[hash]',
  packages: 'external',
  // The check of Node's version is imported for its effect.
  ignoreAnnotations: true,
  plugins: [{ name: 'arrow', setup: deepImports({ external: true }) }],
})
await build({
  ...options,
  entryPoints: [{ in: join(root, 'src/dataset/lane-worker.ts'), out: 'lane-worker' }],
  plugins: [{ name: 'arrow', setup: deepImports({ external: false }) }],
})
mkdirSync(dist, { recursive: true })
copyFileSync(join(root, 'src/core/kernels/kernels.wasm'), join(dist, 'kernels.wasm'))

/**
 * Takes each name of apache-arrow from the module that has it; users who import the package get the same objects.
 * The command may need any of it.
 */
function deepImports({ external }) {
  return async ({ onResolve, onLoad }) => {
    const owners = new Map()
    for (const name of ARROW) {
      const module = `apache-arrow/${name}`
      for (const exported of Object.keys(await import(module))) {
        if (!owners.has(exported)) owners.set(exported, module)
      }
    }
    onResolve({ filter: /^apache-arrow$/ }, ({ path, importer }) => {
      const whole = importer.startsWith(join(root, 'src/cli'))
      return whole ? { path, external: true, sideEffects: false } : { path, namespace: 'arrow' }
    })
    if (external) {
      onResolve({ filter: /^apache-arrow\// }, ({ path }) => ({ path, external, sideEffects: false }))
    }
    onLoad({ filter: /.*/, namespace: 'arrow' }, () => ({
      contents: Array.from(owners, ([name, module]) => `export { ${name} } from '${module}'`).join('\n'),
      resolveDir: root,
    }))
  }
}
