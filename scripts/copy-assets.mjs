/** Puts beside the compiled JavaScript what `tsc` does not copy: the compiled kernels. */
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
mkdirSync(join(root, 'dist/core/kernels'), { recursive: true })
copyFileSync(join(root, 'src/core/kernels/kernels.wasm'), join(root, 'dist/core/kernels/kernels.wasm'))
