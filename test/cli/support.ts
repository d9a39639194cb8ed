import assert from 'node:assert/strict'
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/root.ts'

export interface Result {
  code: number | null
  stdout: Buffer
  stderr: string
}

/** Three million real flights. */
export const flights: string = join(root, 'node_modules/vega-datasets/data/flights-3m.parquet')

/** Starts the command as a user has it: compiled. */
export function start(...args: string[]): ChildProcess {
  return startIn({}, ...args)
}

/** The same in another folder or environment. */
export function startIn({ cwd, env }: SpawnOptions, ...args: string[]): ChildProcess {
  assert.ok(existsSync(join(root, 'dist/cli/main.js')), 'run `npm run build` first')
  return spawn(process.execPath, [join(root, 'bin/sluice.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env,
  })
}

/** How the process ends, once its streams have. */
export function ended(child: ChildProcess): Promise<Result> {
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout!.on('data', chunk => stdout.push(chunk))
  child.stderr!.setEncoding('utf8').on('data', text => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout: Buffer.concat(stdout), stderr }))
  })
}

/** Runs the command to its end. */
export function sluice(...args: string[]): Promise<Result> {
  return ended(start(...args))
}

/** The standard output of a run that has to succeed without a word on standard error. */
export async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sluice(...args)
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return stdout.toString()
}
