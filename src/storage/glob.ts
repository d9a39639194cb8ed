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
