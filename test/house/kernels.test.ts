import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Arena } from '../../src/core/arena.ts'
import { root } from '../support/root.ts'

const src = join(root, 'src')
const kernels = join(src, 'core/kernels')
const sourceIn = (folder: string, files: readonly string[]) =>
  files
    .filter(file => file.endsWith('.ts'))
    .map(file => ({ file, text: readFileSync(join(folder, file), 'utf8') }))

const subjects = sourceIn(join(kernels, 'assembly'), readdirSync(join(kernels, 'assembly')))
const exported = Object.keys(new Arena(1).kernels).sort()

test('the kernels are those of the interfaces, and no helper is exported', () => {
  const interfaces = sourceIn(kernels, readdirSync(kernels)).flatMap(({ text }) =>
    [...text.matchAll(/^export interface \w+ \{\n(.*?)^\}/gms)].map(([, body]) => body!),
  )
  const declared = interfaces.flatMap(body => [...body.matchAll(/^ {2}(\w+)[(:]/gm)].map(([, name]) => name!))
  assert.deepEqual(exported, declared.sort())
})

test('every kernel has a property in the test of its subject', () => {
  const untested = exported.filter(name => {
    const { file } = subjects.find(({ text }) => text.includes(`export function ${name}(`))!
    const path = join(root, 'test/core/kernels', file.replace('.ts', '.test.ts'))
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(`'${name}'`)
  })
  assert.deepEqual(untested, [])
})

test('every kernel is called', () => {
  const callers = sourceIn(src, readdirSync(src, { recursive: true, encoding: 'utf8' }))
    .filter(({ file }) => !file.replaceAll('\\', '/').startsWith('core/kernels/'))
    .map(({ text }) => text)
    .join('\n')
  // Some are chosen by their type, as in kernels[`compare${type}`].
  const families = [...callers.matchAll(/kernels\[\s*`(\w+)\$\{/g)].map(([, prefix]) => prefix!)
  const idle = exported.filter(
    name => !new RegExp(`\\b${name}\\b`).test(callers) && !families.some(prefix => name.startsWith(prefix)),
  )
  assert.deepEqual(idle, [])
})

test('every file of kernels says what it does and within which bounds', () => {
  const bare = subjects.filter(({ file, text }) => {
    const head = text.replace(/^(import [^\n]*\n|\n)*/, '')
    return file !== 'index.ts' && !head.startsWith('//') && !head.startsWith('/**')
  })
  assert.deepEqual(
    bare.map(({ file }) => file),
    [],
  )
})
