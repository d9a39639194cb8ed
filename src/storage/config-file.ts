import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { located, SluiceError } from '../core/errors.ts'
import { type Registry, type RegistryOptions, registryOf } from './registry.ts'

const NAMES = ['ts', 'js', 'mjs', 'json'].map(extension => `sluice.config.${extension}`)

/**
 * The stores that are configured here: by `sluice.config.ts`, `.js`, `.mjs` or `.json` in the folder or in the nearest
 * one above it, and by the environment, as `createRegistry` takes them. `SLUICE_CONFIG` names another file. A module
 * has the configuration as its default export, and is run; of TypeScript Node.js takes what it can run by leaving
 * types out, from 22.18 on. Without any file there is the environment.
 *
 * @param options `folder`: where to begin
 */
export async function loadConfig({
  env = process.env,
  folder = process.cwd(),
}: RegistryOptions = {}): Promise<Registry> {
  const named = env['SLUICE_CONFIG']
  const file = named ? resolve(folder, named) : findConfig(resolve(folder))
  if (file === undefined) return registryOf({ stores: {} }, { env, folder })
  const config = await readConfig(file)
  try {
    return registryOf(config, { env, folder: dirname(file) })
  } catch (error) {
    throw located(error, 'invalid-argument', { file })
  }
}

function findConfig(folder: string): string | undefined {
  const files = NAMES.map(name => join(folder, name)).filter(file => existsSync(file))
  if (files.length > 1) {
    throw new SluiceError('invalid-argument', `there is another configuration: ${files[1]}`, {
      file: files[0]!,
      hint: 'Remove one of them.',
    })
  }
  const above = dirname(folder)
  return files[0] ?? (above === folder ? undefined : findConfig(above))
}

async function readConfig(file: string): Promise<unknown> {
  try {
    if (file.endsWith('.json')) return JSON.parse(readFileSync(file, 'utf8'))
    const module: { default?: unknown } = await import(pathToFileURL(file).href)
    if (module.default !== undefined) return module.default
  } catch (error) {
    throw unreadable(file, error)
  }
  throw new SluiceError('invalid-argument', 'has no default export', {
    file,
    hint: 'Write: export default defineConfig({ stores: { … } })',
  })
}

function unreadable(file: string, error: unknown): SluiceError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT')
    return new SluiceError('not-found', 'there is no such file', { option: 'SLUICE_CONFIG', file })
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && file.endsWith('ts')) {
    return new SluiceError('unsupported', `Node.js ${process.versions.node} runs no TypeScript`, {
      file,
      hint: 'Run it with Node.js 22.18 or newer, or write the configuration in JavaScript or JSON.',
    })
  }
  // What a syntax error quotes of a file in JSON may be a secret.
  if (error instanceof SyntaxError && file.endsWith('.json')) {
    return new SluiceError('invalid-argument', 'is no JSON', { file })
  }
  return located(error, 'invalid-argument', { file })
}
