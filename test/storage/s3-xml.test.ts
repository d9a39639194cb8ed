import assert from 'node:assert/strict'
import { test } from 'node:test'
import { S3 } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { escapeXml, isXmlText, parseXml, textOf, type XmlElement } from '../../src/storage/s3/xml.ts'

/** What the SDK's reader makes of an answer. */
async function bySdk(document: string) {
  const requestHandler = {
    handle: async () => ({ response: { statusCode: 200, headers: {}, body: Buffer.from(document) } }),
  }
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
  const s3 = new S3({ region: 'eu-west-9', credentials, requestHandler, maxAttempts: 1 })
  const { Contents = [], CommonPrefixes = [], IsTruncated } = await s3.listObjectsV2({ Bucket: 'bucket' })
  return {
    objects: Contents.map(({ Key, Size, ETag }) => [Key, Size, ETag]),
    prefixes: CommonPrefixes.map(({ Prefix }) => Prefix),
    truncated: IsTruncated,
  }
}

function byUs(document: string) {
  const root = parseXml(document)
  const named = (name: string) => root.children.filter(child => child.name === name)
  return {
    objects: named('Contents').map(object => [
      textOf(object, 'Key'),
      Number(textOf(object, 'Size')),
      textOf(object, 'ETag'),
    ]),
    prefixes: named('CommonPrefixes').map(prefix => textOf(prefix, 'Prefix')),
    truncated: textOf(root, 'IsTruncated') === 'true',
  }
}

/** The ways in which a character may be written; by code above U+FFFF the SDK's reader gets it wrong. */
const character = fc
  .tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), fc.nat(4))
  .filter(([char]) => isXmlText(char) && char !== '\r')
  .map(([char, way]) => {
    const code = char.codePointAt(0)!
    const plain = /[<>&]/.test(char) ? `&#${code};` : char
    if (way > 3 && char !== '>' && char !== ']') return [char, `<![CDATA[${char}]]>`] as const
    return [
      char,
      way > 1 || code > 0xffff ? plain : way === 0 ? `&#x${code.toString(16)};` : `&#${code};`,
    ] as const
  })
// The SDK's reader drops text of white space with a line break, and minds other white space between elements.
const written = fc.array(character, { maxLength: 12 }).map(chars => ({
  text: `k${chars.map(([char]) => char).join('')}`,
  xml: `k${chars.map(([, xml]) => xml).join('')}`,
}))
const between = fc.constantFrom('', '', '\n  ', '<!-- a <b> & -->', '\t\r\n')

test('listings are read as the SDK reads them, however their text is written', async () => {
  const object = fc.record({ key: written, size: fc.maxSafeNat(), tag: written })
  await fc.assert(
    fc.asyncProperty(
      fc.array(object, { maxLength: 5 }),
      fc.array(written, { maxLength: 3 }),
      fc.boolean(),
      fc.array(between, { minLength: 1, maxLength: 5 }),
      async (objects, prefixes, truncated, spaces) => {
        let i = 0
        const space = () => spaces[i++ % spaces.length]!
        const contents = objects.map(
          ({ key, size, tag }) =>
            `<Contents>${space()}<Key>${key.xml}</Key>${space()}<Size >${size}</Size\n><Owner a="1" b='>'><ID/></Owner><ETag>${tag.xml}</ETag>${space()}</Contents>`,
        )
        const folders = prefixes.map(
          ({ xml }) => `<CommonPrefixes><Prefix>${xml}</Prefix></CommonPrefixes>${space()}`,
        )
        const document = `<?xml version="1.0"?>${space()}<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${space()}${contents.join(space())}${folders.join('')}<IsTruncated>${truncated}</IsTruncated></ListBucketResult>${space()}`
        const own = byUs(document)
        assert.deepEqual(own, {
          objects: objects.map(({ key, size, tag }) => [key.text, size, tag.text]),
          prefixes: prefixes.map(({ text }) => text),
          truncated,
        })
        assert.deepEqual(own, await bySdk(document))
      },
    ),
    { numRuns: 150 },
  )
})

test('a document that is cut or changed is read or refused, and never anything else', () => {
  const document =
    '<?xml version="1.0"?><a xmlns="b"><c d=\'e\'>f &amp; g</c><!-- h --><i/><j><![CDATA[k]]></j></a>'
  assert.equal(parseXml(document).children.length, 3)
  for (let length = 0; length < document.length; length++) {
    assert.throws(() => parseXml(document.slice(0, length)), SyntaxError, document.slice(0, length))
  }
  const edit = fc.tuple(
    fc.nat(document.length),
    fc.nat(3),
    fc.string({ unit: fc.constantFrom(...'<>/&;"\'=![]-? ax#1') }),
  )
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), edits => {
      let changed = document
      for (const [at, drop, text] of edits) changed = changed.slice(0, at) + text + changed.slice(at + drop)
      try {
        parseXml(changed)
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error))
      }
    }),
    { numRuns: 3_000 },
  )
})

test('what is not well-formed is refused', () => {
  const wrong = [
    '',
    'text',
    '<a>',
    '</a>',
    '<a></b>',
    '<a></ab>',
    '<ab></a>',
    '<a/><b/>',
    '<a/>text',
    'text<a/>',
    '<a><b></a></b>',
    '<a>&nbsp;</a>',
    '<a>&</a>',
    '<a>&#0;</a>',
    '<a>&#xd800;</a>',
    '<a>&#x110000;</a>',
    '<a>&constructor;</a>',
    '<a b></a>',
    '<a b=c></a>',
    '<a b="<"></a>',
    '<1/>',
    '< a/>',
    '<a><!-- </a>',
    '<a><![CDATA[</a>',
    '<![CDATA[a]]><a/>',
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<a / >',
  ]
  for (const document of wrong) assert.throws(() => parseXml(document), SyntaxError, document)
})

test('a deep document is read, and one with many entities costs no more than its length', () => {
  const depth = 200_000
  let element: XmlElement | undefined = parseXml('<a>'.repeat(depth) + '</a>'.repeat(depth))
  let levels = 0
  for (; element !== undefined; element = element.children[0]) levels++
  assert.equal(levels, depth)
  assert.equal(parseXml(`<a>${'&amp;'.repeat(100_000)}</a>`).text.length, 100_000)
})

test('what is escaped is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      if (isXmlText(text)) assert.equal(parseXml(`<a>${escapeXml(text)}</a>`).text, text)
    }),
  )
})
