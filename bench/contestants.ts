import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { folder } from './folder.ts'
import type { Job } from './jobs.ts'

interface Settings {
  mode: 'auto' | 'streaming' | 'fragment' | 'batch'
  oneLane?: boolean
  /** What is written is brought to the disk before it counts, as is Sluice's default and no peer's. */
  fsync?: boolean
  compression?: string
  passThrough?: boolean
}

/** Who is measured: a program that is given a task. */
export interface Contestant {
  name: string
  peer: boolean
  /** Does less than the job: what to measure the others by. Its output is not checked, and it is nobody's peer. */
  reference: boolean
  /** A setting of Sluice's to be compared with its default. */
  variant: boolean
  /** Sluice in `auto` or another mode, as it is otherwise. */
  comparesMode: boolean
  /** What else its task says. */
  settings?: Settings
  command: (script: string) => string[]
  script: string
  /** What has to be there for it: a module of Python, or a package of npm. */
  needs?: string
  can: (job: Job) => boolean
  note?: string
}

export const interpreter: string = process.env['SLUICE_PYTHON'] ?? join(folder, '../.venv/bin/python')
const everything = (): boolean => true
/** Sluice's modes, lanes and codecs make no difference where it decodes nothing. */
const decodes: Contestant['can'] = ({ maintenance }) => !maintenance

export const contestants: readonly Contestant[] = [
  sluice('sluice', { mode: 'auto' }),
  sluice('sluice-streaming', { mode: 'streaming' }, decodes),
  sluice('sluice-fragment', { mode: 'fragment' }, decodes),
  sluice('sluice-batch', { mode: 'batch' }, decodes),
  sluice('sluice-one-lane', { mode: 'auto', oneLane: true }, decodes),
  sluice('sluice-decoded', { mode: 'auto', passThrough: false }, ({ maintenance }) => maintenance),
  sluice('sluice-fsync', { mode: 'auto', fsync: true }, ({ kind }) => kind === 'rewrite'),
  sluice(
    'sluice-zstd-3',
    { mode: 'auto', compression: 'zstd:3' },
    job => job.kind === 'rewrite' && decodes(job),
  ),
  {
    name: 'copy',
    peer: false,
    reference: true,
    variant: false,
    comparesMode: false,
    command: inNode,
    script: 'copy.mjs',
    can: ({ maintenance }) => maintenance,
    note: 'copies as many bytes as the columns that are kept have in the source',
  },
  python('polars'),
  python('duckdb'),
  python('pyarrow'),
  node(
    'nodejs-polars',
    ({ kind, aggregate, by }) => kind !== 'scan' && (by === null || aggregate),
    'writes no partitions, gives no batches',
  ),
  node('@duckdb/node-api', everything, 'gives chunks of its own, not Arrow data'),
  node(
    'parquet-wasm',
    ({ kind, columns, where, aggregate, maintenance, rename }) =>
      (kind === 'rewrite' ? maintenance && rename === null : columns === null) &&
      where === null &&
      !aggregate,
    'one thread',
  ),
  node(
    'hyparquet',
    ({ kind, aggregate }) => kind !== 'rewrite' && !aggregate,
    'gives JavaScript values, one thread',
  ),
]

/** Whether a contestant can be started. */
export function isInstalled({ needs, script }: Pick<Contestant, 'needs' | 'script'>): boolean {
  if (needs === undefined) return true
  if (script.endsWith('.py')) {
    return existsSync(interpreter) && spawnSync(interpreter, ['-c', `import ${needs}`]).status === 0
  }
  const folders = createRequire(join(folder, 'jobs/support.mjs')).resolve.paths(needs) ?? []
  return folders.some(folder => existsSync(join(folder, needs, 'package.json')))
}

/** Installs what the peers need, in .venv and bench/node_modules. */
export function install(peers: readonly Pick<Contestant, 'needs' | 'script'>[]): void {
  const missing = peers.filter(peer => !isInstalled(peer))
  if (missing.some(({ script }) => script.endsWith('.py'))) {
    run('bash', [join(folder, '../scripts/python-env.sh')])
  }
  // Without a lock: package.json pins versions, and native parts are chosen for this machine.
  if (missing.some(({ script }) => script.endsWith('.mjs'))) {
    run('npm', ['install', '--prefix', folder])
  }
}

function run(command: string, args: string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`, { cause: error })
}

function sluice(name: string, settings: Settings, can: Contestant['can'] = everything): Contestant {
  const variant = name !== 'sluice'
  const comparesMode = Object.keys(settings).length === 1
  const shape = { peer: false, reference: false, variant, comparesMode, settings }
  return { name, ...shape, command: inNode, script: 'sluice.mjs', can }
}

function python(needs: string): Contestant {
  const command = (script: string) => [interpreter, script]
  return {
    name: needs,
    peer: true,
    reference: false,
    variant: false,
    comparesMode: false,
    command,
    script: `${needs}_job.py`,
    needs,
    can: everything,
  }
}

function node(needs: string, can: Contestant['can'], note: string): Contestant {
  const script = needs === '@duckdb/node-api' ? 'duckdb-node.mjs' : `${needs}.mjs`
  return {
    name: needs.replace('@duckdb/node-api', 'duckdb-node'),
    peer: true,
    reference: false,
    variant: false,
    comparesMode: false,
    command: inNode,
    script,
    needs,
    can,
    note,
  }
}

function inNode(script: string): string[] {
  return [process.execPath, script]
}
