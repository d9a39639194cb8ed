/**
 * Compiles the AssemblyScript kernels to `src/core/kernels/kernels.wasm`, unless that file is newer than
 * every source. SIMD, threads (shared memory) and bulk memory are in every Node that Sluice supports.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = join(root, 'src/core/kernels/assembly')
const output = join(root, 'src/core/kernels/kernels.wasm')

const newest = Math.max(
  statSync(fileURLToPath(import.meta.url)).mtimeMs,
  ...readdirSync(sources).map(name => statSync(join(sources, name)).mtimeMs),
)
const built = statSync(output, { throwIfNoEntry: false })
if (!built || built.mtimeMs < newest) {
  const compiler = join(root, 'node_modules/assemblyscript/bin/asc.js')
  const options = '--importMemory --sharedMemory --initialMemory 16 --maximumMemory 65536 --noExportMemory'
  const features = '--enable simd --enable threads --enable bulk-memory --enable sign-extension'
  const run = spawnSync(
    process.execPath,
    [
      compiler,
      join(sources, 'index.ts'),
      '-o',
      output,
      ...`${options} ${features} --runtime stub -O3 --noAssert`.split(' '),
    ],
    { stdio: 'inherit', cwd: root },
  )
  if (run.status !== 0) process.exit(run.status ?? 1)
}
