import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { root } from './root.ts'

/** Folder of other projects' Parquet files: SLUICE_CORPUS, or `shared/corpus` beside the repository. */
export const corpus: string = resolve(root, process.env['SLUICE_CORPUS'] ?? '../shared/corpus')

/** For `test(name, { skip: noCorpus }, …)`: why tests on the corpus cannot run. In CI they run, and fail. */
export const noCorpus: string | false =
  !process.env['CI'] && !existsSync(corpus) && `no corpus at ${corpus} (set SLUICE_CORPUS)`
