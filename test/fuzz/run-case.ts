import type { RecordBatch } from 'apache-arrow'
import type { SluiceError } from '../../src/core/errors.ts'
import {
  col,
  filter,
  isSluiceError,
  openStore,
  type PartitionedParquetOptions,
  type Pipeline,
  partitionedParquet,
  repartition,
  type SourceOptions,
  type Store,
  source,
} from '../../src/index.ts'
import { arena, footerOf, readRowGroup } from '../parquet/read/support.ts'
import type { Random } from './random.ts'
import { rowTexts } from './row-texts.ts'
import type { Sample } from './samples.ts'

/** What became of a damaged file that is not to be blamed on us. */
export type Outcome = 'same values' | 'other values' | 'too many rows' | SluiceError['code']

/** Something that must not happen, whatever the file. */
export class Defect extends Error {
  override readonly name = 'Defect'
}

const KEY = 'case.parquet'
const SOUND = 'sound.parquet'
export const MEMORY = '64MiB'
/** More than any sample has; a file may well claim more, and be right. */
const MOST_ROWS = 1_000_000
/** Row groups from which on a run is worth workers (`SMALL_UNITS`). */
const COPIES = 70
/** What damage may lead to; that a filter's column or a key is not there any more is `schema`. */
const EXPECTED: readonly SluiceError['code'][] = ['corrupt', 'unsupported', 'schema', 'budget']

/** Reads, filters or rewrites a damaged file in every way, and asserts what has to hold. */
export async function runCase(sample: Sample, file: Uint8Array, random: Random): Promise<Outcome> {
  const store = await openStore('memory:')
  const place = placeIn(store)
  await store.put(KEY, file)
  await decode(file)
  const options = {
    mode: random.pick(['auto', 'streaming', 'fragment', 'batch'] as const),
    batchRows: random.pick([7, 65_536]),
  }
  const read = await outcomeOf(place, () => readRows(source(store, { ...at(KEY), ...options })))
  if (random.chance(0.3))
    await survive(place, () => readRows(filtered(source(store, { ...at(KEY), ...options }), sample, random)))
  if (sample.own && random.chance(0.5)) await rewrite(sample, store, read, random)
  if (random.chance(0.012)) await inWorkers(store, sample, read)
  if (random.chance(0.1)) await soundStill(store, sample)
  if (typeof read === 'string') return read
  if (read.length >= MOST_ROWS) return 'too many rows'
  const expected = await soundRows(sample)
  return expected !== undefined && sameTexts(read, expected) ? 'same values' : 'other values'
}

function placeIn(store: Store): string {
  return `${store.url}/${KEY}`
}

function at(...files: string[]): SourceOptions {
  return { files, memory: MEMORY, lanes: 2 }
}

/** The codec alone, which has to give back all memory of its arena whatever happens. */
async function decode(file: Uint8Array): Promise<void> {
  const before = arena.used
  try {
    const metadata = footerOf(file, KEY)
    for (let group = 0; group < metadata.rowGroups.length; group++) {
      const steps = metadata.rowGroups[group]!.numRows > MOST_ROWS ? [10] : [5, -3, Number.POSITIVE_INFINITY]
      await readRowGroup(file, metadata, group, () => {}, { steps, name: KEY })
    }
  } catch (error) {
    assertTyped(error, KEY)
  }
  if (arena.used !== before) throw new Defect(`${arena.used - before} bytes of the arena were not given back`)
}

/** Rows as texts, or the code of the error. */
async function outcomeOf(
  place: string,
  work: () => Promise<string[]>,
): Promise<string[] | SluiceError['code']> {
  try {
    return await work()
  } catch (error) {
    return assertTyped(error, place).code
  }
}

async function survive(place: string, work: () => Promise<unknown>): Promise<void> {
  await outcomeOf(place, async () => {
    await work()
    return []
  })
}

async function readRows(rows: AsyncIterable<RecordBatch>): Promise<string[]> {
  const texts: string[] = []
  for await (const batch of rows) {
    if (texts.length + batch.numRows >= MOST_ROWS) return new Array(MOST_ROWS)
    texts.push(...rowTexts(batch))
  }
  return texts
}

/** With a filter that looks at statistics, page indexes and bloom filters. */
function filtered(pipeline: Pipeline, { own }: Sample, random: Random): AsyncIterable<RecordBatch> {
  if (!own) return pipeline
  const number = random.below(40)
  const predicate = random.pick([
    col('id').eq(number),
    col('id').gte(number),
    col('id').lt(number).and(col('key').ne('word 3')),
    col('key').eq('word 2'),
    col('key').isNull(),
  ])
  return pipeline.pipe(filter(predicate))
}

/**
 * Into a dataset, through the lanes or as bytes: what is there then reads as the damaged file does, be it to an error.
 * Beside a sound file its row groups may be joined with those.
 */
async function rewrite(
  sample: Sample,
  store: Store,
  read: string[] | SluiceError['code'],
  random: Random,
): Promise<void> {
  const sink: PartitionedParquetOptions = random.pick([
    {},
    { passThrough: true, pageRows: 5 },
    { passThrough: false, pageRows: 5 },
  ])
  const sound = random.chance(0.4) ? await soundRows(sample) : undefined
  if (sound !== undefined) await store.put(SOUND, sample.file)
  const files =
    sound === undefined
      ? [KEY]
      : random.pick([
          [KEY, SOUND],
          [SOUND, KEY],
        ])
  const by = random.pick([[], ['key']])
  const place = placeIn(store)
  const folder = store.child('out')
  const written = await outcomeOf(place, async () => {
    await source(store, at(...files))
      .pipe(repartition({ by }))
      .to(partitionedParquet(folder, sink))
    return []
  })
  const left: string[] = []
  for await (const { key } of folder.list()) left.push(key)
  if (typeof written === 'string') {
    if (left.length > 0) throw new Defect(`a failed rewrite left ${left}`)
    if (typeof read !== 'string' && sound === undefined)
      throw new Defect(`rewriting is '${written}', reading it is not`)
    return
  }
  if (read.length >= MOST_ROWS || (await hasTwins(store))) return
  // A key that statistics call constant is taken at their word, as by filters, and its column not looked at.
  if (by.length > 0 && sink.passThrough !== false) return
  const found = await outcomeOf(folder.url, () => readRows(source(folder, { memory: MEMORY })))
  if (typeof read === 'string') {
    if (typeof found !== 'string')
      throw new Defect(`reading it is '${read}', reading the copy is not (${files}, ${JSON.stringify(sink)})`)
    return
  }
  if (typeof found === 'string') throw new Defect(`reading the copy is '${found}', reading it is not`)
  const wanted = [...read, ...(sound ?? [])].sort()
  found.sort()
  if (sameTexts(found, wanted)) return
  const row = wanted.findIndex((text, i) => text !== found[i])
  throw new Defect(`of ${wanted.length} rows ${found.length} were written, ${found[row]}, not ${wanted[row]}`)
}

/** Whether two columns are of one name, which is more than a dataset can say. */
async function hasTwins(store: Store): Promise<boolean> {
  const names = (await source(store, at(KEY)).schema()).fields.map(({ name }) => name)
  return new Set(names).size < names.length
}

/** Among sound files, in worker threads, which have to do right by sound files alone afterwards. */
async function inWorkers(store: Store, sample: Sample, read: string[] | SluiceError['code']): Promise<void> {
  const expected = await soundRows(sample)
  if (expected === undefined || expected.length === 0) return
  const copies = Array.from({ length: COPIES }, (_, i) => `sound-${i}.parquet`)
  for (const key of copies) await store.put(key, sample.file)
  const mixed = [...copies.slice(0, 40), KEY, ...copies.slice(40)]
  const found = await outcomeOf(placeIn(store), () => readRows(source(store, at(...mixed))))
  if (typeof found === 'string') {
    // Beside files of another schema it is refused for that.
    if (typeof read !== 'string' && found !== 'schema') throw new Defect(`'${found}' in workers only`)
  } else if (typeof read === 'string') throw new Defect(`'${read}', but not in workers`)
  const alone = await readRows(source(store, at(...copies)))
  if (alone.length !== COPIES * expected.length || !sameTexts(alone.slice(-expected.length), expected)) {
    throw new Defect('sound files read otherwise afterwards')
  }
}

/** What is read of the sample in this very process is what was read of it in the beginning. */
async function soundStill(store: Store, sample: Sample): Promise<void> {
  const expected = await soundRows(sample)
  if (expected === undefined) return
  await store.put(SOUND, sample.file)
  const found = await readRows(source(store, at(SOUND)))
  if (!sameTexts(found, expected)) throw new Defect('a sound file reads otherwise afterwards')
}

const sound = new WeakMap<Sample, string[] | 'refused'>()

/** Rows of the undamaged file; undefined for one that is damaged by itself. */
async function soundRows(sample: Sample): Promise<string[] | undefined> {
  let rows = sound.get(sample)
  if (rows === undefined) {
    const store = await openStore('memory:')
    await store.put(KEY, sample.file)
    const read = await outcomeOf(placeIn(store), () => readRows(source(store, at(KEY))))
    sound.set(sample, (rows = typeof read === 'string' ? 'refused' : read))
  }
  return rows === 'refused' ? undefined : rows
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i])
}

/** `place`: what the file's name has to begin with. */
function assertTyped(error: unknown, place: string): SluiceError {
  if (!isSluiceError(error)) throw new Defect('an untyped error', { cause: error })
  const { code, file, cause } = error
  if (!EXPECTED.includes(code)) throw new Defect(`an error of code '${code}'`, { cause: error })
  // A filter or a key that does not fit the columns is no file's fault, and of two files that differ either may be named.
  if (code !== 'schema' && !file?.startsWith(place))
    throw new Defect(`the error names ${file}`, { cause: error })
  // A bug of ours would also come as an error of the file: the cause tells.
  if (cause instanceof Error && !('code' in cause)) throw new Defect('an error of ours', { cause })
  return error
}
