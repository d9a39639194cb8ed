import { SluiceError } from '../errors.ts'

/** The tokens of strftime that `format` knows, each with the width it always has, or 0. */
const TOKENS = 'YymdHIMSfgnjpaAbBuw%'

/** One piece of a pattern: a token's letter, or text as it is. */
export type FormatPart = { token: string } | { text: string }

/** Takes a pattern of strftime apart. */
export function parsePattern(pattern: string): FormatPart[] {
  const parts: FormatPart[] = []
  let text = ''
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!
    if (character !== '%') text += character
    else {
      const token = pattern[++i] ?? ''
      if (token === '' || !TOKENS.includes(token)) {
        throw new SluiceError('invalid-argument', `'${pattern}' holds the unknown token '%${token}'`, {
          hint: `Use the tokens ${[...TOKENS].map(known => `%${known}`).join(' ')}, as in '%Y-%m-%d'.`,
        })
      }
      if (token === '%') text += '%'
      else {
        if (text !== '') parts.push({ text })
        text = ''
        parts.push({ token })
      }
    }
  }
  if (text !== '') parts.push({ text })
  return parts
}

export function checkPattern(pattern: string): void {
  if (parsePattern(pattern).every(part => 'text' in part)) {
    throw new SluiceError('invalid-argument', `'${pattern}' holds no date token`, {
      hint: "Use the tokens of strftime, as in '%Y-%m-%d'.",
    })
  }
}
