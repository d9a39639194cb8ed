/**
 * Makes the lanes' worker one file, `dist/dataset/lane-worker.js`, with the kernels beside it: loading some
 * two hundred modules would take a worker longer than a small job does. parquet-wasm stays outside; it is only
 * loaded for nested columns.
 */
import { copyFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const kernels = join(root, 'src/core/kernels/kernels.wasm')
copyFileSync(kernels, join(root, 'dist/core/kernels/kernels.wasm'))
copyFileSync(kernels, join(root, 'dist/dataset/kernels.wasm'))
await build({
  entryPoints: [join(root, 'src/dataset/lane-worker.ts')],
  outfile: join(root, 'dist/dataset/lane-worker.js'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22',
  sourcemap: true,
  external: ['parquet-wasm', 'parquet-wasm/*'],
  logLevel: 'warning',
})
