import { SluiceError } from '../core/errors.ts'

/** What begins a wildcard or an escape. */
const SPECIAL = /[*?[{\\]/

/** Whether a text has wildcards (or escapes of them) and is not simply a key. */
export function hasGlob(text: string): boolean {
  return SPECIAL.test(text)
}

/** The longest beginning that every match shares: what to list. */
export function globPrefix(glob: string): string {
  let prefix = ''
  for (let i = 0; i < glob.length; i++) {
    if (glob[i] === '\\' && i + 1 < glob.length) prefix += glob[++i]
    else if (SPECIAL.test(glob[i]!)) return prefix
    else prefix += glob[i]
  }
  return prefix
}

/**
 * A glob as a regular expression over whole keys: `*` and `?` within a segment, `**` across segments (between two
 * slashes also none), `[a-z]`, `[!a]`, `{a,b}` with globs inside, `\` before a character that stands for itself.
 */
export function globToRegExp(glob: string): RegExp {
  let source = ''
  let depth = 0
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i]!
    if (character === '\\' && i + 1 < glob.length) source += quote(glob[++i]!)
    else if (character === '?') source += '[^/]'
    else if (character === '*') {
      if (glob[i + 1] !== '*') source += '[^/]*'
      else if ((i === 0 || /[/{,]/.test(glob[i - 1]!)) && glob[i + 2] === '/') {
        source += '(?:[^/]+/)*'
        i += 2
      } else {
        source += '.*'
        i++
      }
    } else if (character === '[') {
      const set = /^\[([!^])?(\][^\]]*|[^\]]+)\]/.exec(glob.slice(i))
      if (set === null) throw malformed(glob, "a '[' without its ']'")
      const members = set[2]!.replace(/[\\[\]^]/g, String.raw`\$&`)
      source += set[1] === undefined ? `(?!/)[${members}]` : `[^/${members}]`
      i += set[0].length - 1
    } else if (character === '{') {
      source += '(?:'
      depth++
    } else if (character === '}' && depth > 0) {
      source += ')'
      depth--
    } else if (character === ',' && depth > 0) source += '|'
    else source += quote(character)
  }
  if (depth > 0) throw malformed(glob, "a '{' without its '}'")
  try {
    return new RegExp(`^(?:${source})$`, 'su')
  } catch (error) {
    throw malformed(glob, 'a set that is no range of characters', error)
  }
}

/** A part of a glob between two slashes. */
export interface GlobSegment {
  text: string
  /** The one name that it matches, if it has no wildcards. */
  literal: string | undefined
  /** What all names begin with that it matches. */
  start: string
  /** Whether it may match more than a segment of a key. */
  deep: boolean
  /** Which names it matches; of no use if it is `deep`. */
  pattern: RegExp
}

/** The segments of a glob that has no braces. */
export function globSegments(glob: string): GlobSegment[] {
  const texts = ['']
  for (const token of tokensOf(glob)) {
    if (token === '/') texts.push('')
    else texts.push(texts.pop() + token)
  }
  return texts.map(text => {
    const start = globPrefix(text)
    const tokens = tokensOf(text)
    const wild = tokens.some(token => token === '*' || token === '?' || token.startsWith('['))
    const deep = tokens.some((token, i) => token === '*' && tokens[i + 1] === '*')
    return { text, literal: wild ? undefined : start, start, deep, pattern: globToRegExp(text) }
  })
}

/** Most globs without braces that one with them is taken apart into. */
const ALTERNATIVES = 1024

/** Globs without braces that match, together, at least what one with braces does. */
export function expandBraces(glob: string): string[] {
  const found: string[] = []
  for (const alternative of alternatives(glob)) {
    if (found.push(alternative) > ALTERNATIVES) {
      return [`${globPrefix(glob).replace(/[*?[{\\]/g, String.raw`\$&`)}**`]
    }
  }
  return found
}

function* alternatives(glob: string): Generator<string> {
  const tokens = tokensOf(glob)
  const open = tokens.indexOf('{')
  if (open < 0) return yield glob
  const cuts = [open]
  let depth = 0
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i] === '{') depth++
    else if (tokens[i] === '}') depth--
    if (depth === 0 || (depth === 1 && tokens[i] === ',')) cuts.push(i)
    if (depth === 0) break
  }
  const text = (from: number, to?: number): string => tokens.slice(from, to).join('')
  for (const [i, cut] of cuts.slice(0, -1).entries()) {
    yield* alternatives(text(0, open) + text(cut + 1, cuts[i + 1]) + text(cuts.at(-1)! + 1))
  }
}

/** Escapes and sets of characters, and all other characters one by one. */
function tokensOf(glob: string): string[] {
  return glob.match(/\\.|\[[!^]?(?:\][^\]]*|[^\]]+)\]|./gsu) ?? []
}

function quote(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
}

function malformed(glob: string, fault: string, cause?: unknown): SluiceError {
  return new SluiceError('invalid-argument', `'${glob}' has ${fault}`, {
    option: 'glob',
    hint: "Put '\\' before a character that is to stand for itself.",
    cause,
  })
}
