import { SluiceError } from '../errors.ts'
import type { LikePattern } from './bound.ts'

const ITSELF = 0
const ANY_CHARACTER = 1
const ANY_TEXT = 2

/** Compiles a pattern of LIKE; without `escape` nothing escapes, as in DuckDB. */
export function compileLike(pattern: string, escapedBy?: string): LikePattern {
  const bytes: number[] = []
  const flags: number[] = []
  const characters = [...pattern]
  for (let i = 0; i < characters.length; i++) {
    let character = characters[i]!
    const wild = character !== escapedBy
    if (!wild) {
      const next = characters[++i]
      if (next === undefined) {
        throw new SluiceError('invalid-argument', `the pattern '${pattern}' ends in its escape character`)
      }
      character = next
    }
    if (wild && character === '%') {
      if (flags.at(-1) === ANY_TEXT) continue
      bytes.push(0)
      flags.push(ANY_TEXT)
    } else if (wild && character === '_') {
      bytes.push(0)
      flags.push(ANY_CHARACTER)
    } else {
      for (const byte of Buffer.from(character)) {
        bytes.push(byte)
        flags.push(ITSELF)
      }
    }
  }
  const wildcard = flags.findIndex(flag => flag !== ITSELF)
  const shape =
    wildcard < 0
      ? 'exact'
      : wildcard === flags.length - 1 && flags[wildcard] === ANY_TEXT
        ? 'prefix'
        : 'general'
  const prefix = Uint8Array.from(wildcard < 0 ? bytes : bytes.slice(0, wildcard))
  return { bytes: Uint8Array.from(bytes), flags: Uint8Array.from(flags), prefix, shape }
}

/** The pattern of a text that begins with `prefix`. */
export function prefixPattern(prefix: string): LikePattern {
  const own = Uint8Array.from(Buffer.from(prefix))
  const flags = new Uint8Array(own.length + 1)
  flags[own.length] = ANY_TEXT
  return { bytes: Uint8Array.from([...own, 0]), flags, prefix: own, shape: 'prefix' }
}
