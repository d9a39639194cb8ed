/** An element without its attributes, which no answer of S3 says anything in. */
export interface XmlElement {
  name: string
  /** What stands in it beside its children. */
  text: string
  children: XmlElement[]
}

/**
 * Reads a document: elements, text, character references, CDATA sections and comments. Throws a `SyntaxError` for
 * whatever is not well-formed, and for a document type, which no answer of S3 has.
 */
export function parseXml(document: string): XmlElement {
  // XML 1.0, 2.11: line breaks are normalised before anything else.
  const source = document.includes('\r') ? document.replaceAll(/\r\n?/g, '\n') : document
  const above: XmlElement = { name: '', text: '', children: [] }
  const open = [above]
  let current = above
  let at = source.startsWith('\ufeff') ? 1 : 0
  while (true) {
    const tag = source.indexOf('<', at)
    if (tag < 0) break
    if (tag > at) current.text += unescaped(source.slice(at, tag))
    const code = source.charCodeAt(tag + 1)
    if (code === SLASH) {
      if (!source.startsWith(current.name, tag + 2) || current === above) throw malformed(source, tag)
      at = afterSpace(source, tag + 2 + current.name.length)
      if (source.charCodeAt(at) !== GREATER) throw malformed(source, tag)
      at++
      open.pop()
      current = open.at(-1)!
    } else if (code === EXCLAMATION && source.startsWith('<!--', tag)) {
      at = end(source, '-->', tag + 4)
    } else if (code === EXCLAMATION && source.startsWith('<![CDATA[', tag) && current !== above) {
      at = end(source, ']]>', tag + 9)
      current.text += source.slice(tag + 9, at - 3)
    } else if (code === QUESTION) {
      at = end(source, '?>', tag + 2)
    } else {
      const name = nameAt(source, tag + 1)
      at = tag + 1 + name.length
      // Hardly any element has attributes.
      if (source.charCodeAt(at) !== GREATER) {
        ATTRIBUTES.lastIndex = at
        if (!ATTRIBUTES.test(source)) throw malformed(source, tag)
        at = ATTRIBUTES.lastIndex
      }
      const element: XmlElement = { name, text: '', children: [] }
      current.children.push(element)
      if (source.charCodeAt(at) === SLASH) at++
      else {
        open.push(element)
        current = element
      }
      if (source.charCodeAt(at) !== GREATER) throw malformed(source, tag)
      at++
    }
  }
  const [root] = above.children
  const complete = current === above && above.children.length === 1 && root !== undefined
  if (!complete || above.text.trim() !== '' || source.slice(at).trim() !== '') throw malformed(source, at)
  return root
}

/** The text of a child element; undefined if there is none of that name. */
export function textOf({ children }: XmlElement, name: string): string | undefined {
  return children.find(child => child.name === name)?.text
}

/** Text as it stands in a document, also at the hands of a reader that normalises white space. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[<>&"'\t\n\r]/g, char => `&#${char.charCodeAt(0)};`)
}

/** Whether XML 1.0 (2.2) has a form for each character of the text. */
export function isXmlText(text: string): boolean {
  return !/[^\t\n\r\u0020-\ufffd\u{10000}-\u{10ffff}]|\p{Surrogate}/u.test(text)
}

/** Of the documents that S3 takes. */
export const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

const SLASH = 0x2f
const GREATER = 0x3e
const EXCLAMATION = 0x21
const QUESTION = 0x3f
const NAME = /[A-Za-z_][\w.:-]*/y
const ATTRIBUTES = /(?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*/y
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function nameAt(source: string, at: number): string {
  NAME.lastIndex = at
  const name = NAME.exec(source)?.[0]
  if (name === undefined) throw malformed(source, at)
  return name
}

function afterSpace(source: string, from: number): number {
  let at = from
  while (source.charCodeAt(at) <= 0x20) at++
  return at
}

/** Where what ends with `mark` has ended. */
function end(source: string, mark: string, from: number): number {
  const at = source.indexOf(mark, from)
  if (at < 0) throw malformed(source, from)
  return at + mark.length
}

function unescaped(text: string): string {
  return text.includes('&') ? text.replaceAll(REFERENCE, characterOf) : text
}

const REFERENCE = /&(?:#x([\da-fA-F]{1,6});|#(\d{1,7});|(\w+);)?/g

function characterOf(_: string, hex?: string, decimal?: string, name?: string): string {
  const named = name !== undefined && Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined
  if (named !== undefined) return named
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
  if (code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return String.fromCodePoint(code)
  throw new SyntaxError('the XML has a reference to nothing')
}

function malformed(source: string, at: number): SyntaxError {
  return new SyntaxError(`the XML is not well-formed at character ${Math.min(at, source.length)}`)
}
