import { Field, type RecordBatch, type Schema } from 'apache-arrow'
import { untilAborted } from '../core/abort.ts'
import { alignBatch } from '../core/align.ts'
import { batchBytes, logicalSchema } from '../core/batch.ts'
import type { LaneClient } from '../core/lanes.ts'
import { Transferred } from '../core/lanes.ts'
import { checkKeys, type PipelinePlan } from '../core/planner.ts'
import { isLaneDeath } from '../core/retry.ts'
import type { Run } from '../core/run.ts'
import { stagesSchema } from '../core/stages.ts'
import { fieldToMessage, packBatch } from '../core/transport.ts'
import { parquetSchema } from '../parquet/parquet-schema.ts'
import type { ResolvedWriteOptions } from '../parquet/write-options.ts'
import type { StagedWriter } from '../storage/store.ts'
import { type CopyTarget, copyPassage, copyVerbatim } from './copy.ts'
import type { Fetched, FetchedPassage } from './fetch.ts'
import { finishLeftovers } from './finish-leftovers.ts'
import type { LaneCounts, LaneSink } from './lane-messages.ts'
import { eachLane, type LanePool, lastCounts, openLanes, startLanes } from './lane-pool.ts'
import { type FileLimits, TaskOutput, type WrittenFile } from './output.ts'
import type { RowGroupSize } from './partition-buffers.ts'
import { alone, PassThrough, type PlannedPassage } from './pass-through.ts'
import { PieceBuffers } from './piece-buffers.ts'
import { ParquetScan } from './scan.ts'
import type { SourceFile } from './scan-listing.ts'
import { type FetchedUnit, locatedIn, type PlannedUnit, SMALL_RUN } from './units.ts'

/** Where the files of a drain go, and how they look. */
export interface Drain {
  keys: readonly string[]
  limits: FileLimits
  size: RowGroupSize
  write: ResolvedWriteOptions
  /** Whether row groups may go into files as the bytes that they are. */
  passThrough: boolean
  /** The partition of all rows of a file, if it is not for the keys to say. */
  partitionOf?: ((file: SourceFile) => string) | undefined
  createFile(task: number, partition: string): Promise<StagedWriter>
  /** Called once a task, with the files that it wrote. */
  finishTask(task: number, files: WrittenFile[]): Promise<void>
}

/** A numbered group of source files. */
export interface DrainTask {
  task: number
  files: readonly SourceFile[]
}

/** Runs a pipeline that is all in the lanes: bytes go in, encoded row groups come out. */
export async function drainScan(
  scan: ParquetScan,
  plan: PipelinePlan,
  tasks: readonly DrainTask[],
  drain: Drain,
  run: Run,
): Promise<void> {
  const fields = fileFields(plan.schema, drain.keys)
  const program = { ...(await scan.program(plan.head, run)), sink: laneSink(fields, [], drain) }
  const outputs = new Map<number, TaskOutput>()
  const emit = (value: Parameters<TaskOutput['append']>[0], lane: number) => outputs.get(lane)!.append(value)
  let pool: LanePool | undefined
  const start = async <P extends PlannedUnit | PlannedPassage>(
    planned: AsyncGenerator<P>,
  ): Promise<{ pool: LanePool; units: AsyncGenerator<Fetched<P>> }> => {
    if (pool !== undefined && pool.size > 0) return { pool, units: scan.fetched(planned, run) }
    const started = await startLanes(scan, planned, run, program, emit)
    pool = started.pool
    return started
  }
  const open = (task: number) =>
    new TaskOutput(fields, drain.write, drain.limits, partition => drain.createFile(task, partition), run)

  if (run.mode === 'fragment') {
    const taskOf = new Map(
      tasks.flatMap(({ task, files }) => files.map((file): [number, number] => [file.id, task])),
    )
    const all = tasks.flatMap(({ files }) => files)
    const started = await start(scan.planned(all, plan.head, run, true))
    await eachUnit(started.units, started.pool, async (unit, number) => {
      const task = taskOf.get(unit.fragment.file.id)!
      taskOf.delete(unit.fragment.file.id)
      const work = async (): Promise<void> => {
        const output = open(task)
        outputs.set(number, output)
        await guarded(output, async () => {
          const counts = await rewriteFile(unit, await started.pool.lane(number, unit.fragment))
          await drain.finishTask(task, await output.finish())
          await counted(run, counts)
        })
      }
      await run.attempt(work, isLaneDeath)
    })
    for (const task of taskOf.values()) await drain.finishTask(task, [])
  } else {
    const parts = await scan.listedParts(run)
    const passing = drain.passThrough
      ? PassThrough.of(plan, parts, fields, drain.keys, drain.size, drain.limits.targetFileBytes)
      : undefined
    const target = passing && { schema: parquetSchema(fields), buffers: new PieceBuffers(run.budget) }
    const work = async ({ task, files }: DrainTask): Promise<void> => {
      const forget = run.checkpoint()
      const output = open(task)
      const fill = async (): Promise<void> => {
        const planned = placed(scan.planned(files, plan.head, run, true), drain)
        const work =
          target === undefined ? planned : copyVerbatim(passing!.plan(planned), { ...target, output }, run)
        const started = await start(work)
        started.pool.lanes.forEach((_, i) => void outputs.set(i, output))
        await eachUnit(started.units, started.pool, async (work, number) => {
          if ('passage' in work) await join(work, scan, { ...target!, output }, started.pool, number, run)
          else await rewrite(work, started.pool, number, run)
        })
        await finishLeftovers(started.pool, drain.size)
        await drain.finishTask(task, await output.finish())
      }
      await guarded(output, fill, async () => {
        // What lanes hold of the task is of no use, and what they have yet to send must find no output.
        await pool?.close()
        pool = undefined
        forget()
      })
    }
    for (const task of tasks) await run.attempt(() => work(task), isLaneDeath)
  }
  await closeLanes(pool, run)
}

async function rewrite(
  { fragment, unit }: FetchedUnit,
  pool: LanePool,
  number: number,
  run: Run,
): Promise<void> {
  try {
    const lane = await pool.lane(number, fragment)
    await counted(run, await lane.call<LaneCounts>('rewrite', unit))
  } catch (error) {
    throw locatedIn(error, fragment, unit.rowGroups)
  }
}

/** A whole file, into row groups that hold nothing else. */
async function rewriteFile({ fragment, unit }: FetchedUnit, lane: LaneClient): Promise<LaneCounts> {
  try {
    const counts = await lane.call<LaneCounts>('rewrite', unit)
    for (const { path } of await lane.call<{ path: string }[]>('leftovers'))
      await lane.call('finish', path, [])
    await lane.call('settle')
    return counts
  } catch (error) {
    throw locatedIn(error, fragment, unit.rowGroups)
  }
}

/** Has a lane join row groups; if they do not go together, they are decoded after all, or copied one by one. */
async function join(
  fetched: FetchedPassage,
  scan: ParquetScan,
  target: CopyTarget,
  pool: LanePool,
  number: number,
  run: Run,
): Promise<void> {
  const { passage, groups } = fetched
  const { rows, storedBytes } = passage
  if (await joined(fetched, pool.lanes[number]!)) {
    run.rowGroups.joined += groups.length
    run.rowsIn += rows
    run.rowsOut += rows
    await run.paced(rows, storedBytes)
    return
  }
  fetched.release()
  const rest = (passage.parts ?? [passage]).flatMap(alone)
  for (const work of rest) if ('path' in work) await copyPassage(work, target, run)
  const units = rest.filter((work): work is PlannedUnit => !('path' in work))
  for await (const unit of scan.fetched(inOrder(units), run)) {
    try {
      await rewrite(unit, pool, number, run)
    } finally {
      unit.release()
    }
  }
}

/** The same work, told which partition it belongs to if that is known. */
async function* placed(
  units: AsyncIterable<PlannedUnit>,
  { partitionOf }: Drain,
): AsyncGenerator<PlannedUnit> {
  for await (const unit of units) {
    yield partitionOf === undefined ? unit : { ...unit, partition: partitionOf(unit.fragment.file) }
  }
}

async function joined({ passage, groups }: FetchedPassage, lane: LaneClient): Promise<boolean> {
  try {
    return await lane.call<boolean>('join', passage.path, groups)
  } catch (error) {
    const { fragment } = passage.groups[0]!
    const isOneFile = passage.groups.every(group => group.fragment === fragment)
    throw isOneFile ? locatedIn(error, fragment, passage.groups) : error
  }
}

async function* inOrder<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

/** Runs a pipeline whose batches come from the main thread: user functions, or a source of another kind. */
export async function drainBatches(plan: PipelinePlan, drain: Drain, run: Run): Promise<void> {
  run.laneShare /= 2
  const first: RecordBatch[] = []
  let bytes = 0
  const input = untilAborted(plan.beforeTail(run), run.signal)[Symbol.asyncIterator]()
  let ended = false
  try {
    while (!ended && bytes < SMALL_RUN) {
      const step = await input.next()
      if (step.done) ended = true
      else if (step.value.numRows > 0) bytes += batchBytes(first[first.push(step.value) - 1]!)
    }
    if (first.length === 0) return await drain.finishTask(0, [])
    const expected = logicalSchema(first[0]!.schema)
    const schema = stagesSchema(plan.tail, expected)
    checkKeys({ by: drain.keys }, schema)
    const fields = fileFields(schema, drain.keys).map(nullable)
    const output = new TaskOutput(fields, drain.write, drain.limits, path => drain.createFile(0, path), run)
    const sink = laneSink(fields, plan.tail, drain)
    const program = { mode: 'streaming' as const, batchRows: 0, parts: [], sink }
    await guarded(output, async () => {
      const pool = await openLanes(ended ? 'inline' : run.execution.lanes, run, program, value =>
        output.append(value),
      )
      await eachLane(pool, async (lane, _, failed) => {
        while (!failed()) {
          const batch = first.shift() ?? (ended ? undefined : await next())
          if (batch === undefined) return
          // It is in memory already; and the reads that it waited for would be waiting for it.
          const lease = run.budget.force(batchBytes(batch))
          try {
            const { message, memory } = packBatch(alignBatch(batch, expected.fields))
            const counts = await lane.call<LaneCounts>('ingest', new Transferred(message, [memory]))
            run.rowsOut += counts.rowsOut
          } finally {
            lease.release()
          }
        }
      })
      await finishLeftovers(pool, drain.size)
      await drain.finishTask(0, await output.finish())
      await closeLanes(pool, run)
    })
  } finally {
    if (!ended) await input.return?.()
  }

  async function next(): Promise<RecordBatch | undefined> {
    const step = await input.next()
    if (!step.done) return step.value
    ended = true
    return undefined
  }
}

/** The scan of a pipeline that runs in the lanes from end to end. */
export function fusedScan({ source, middle }: PipelinePlan): ParquetScan | undefined {
  return middle.length === 0 && source instanceof ParquetScan ? source : undefined
}

/** The columns of the files: all but the partition keys. */
export function fileFields(schema: Schema, keys: readonly string[]): Field[] {
  return schema.fields.filter(field => !keys.includes(field.name))
}

function laneSink(fields: readonly Field[], tail: LaneSink['tail'], drain: Drain): LaneSink {
  return {
    tail,
    fields: fields.map(fieldToMessage),
    keys: [...drain.keys],
    size: drain.size,
    maxPartitions: drain.limits.maxPartitions,
    write: drain.write,
  }
}

async function eachUnit<F extends FetchedUnit | FetchedPassage>(
  units: AsyncGenerator<F>,
  pool: LanePool,
  work: (unit: F, lane: number) => Promise<void>,
): Promise<void> {
  try {
    await eachLane(pool, async (_, number, failed) => {
      while (!failed()) {
        const step = await units.next()
        if (step.done) return
        try {
          await work(step.value, number)
        } finally {
          step.value.release()
        }
      }
    })
  } finally {
    await units.return(undefined)
  }
}

async function closeLanes(pool: LanePool | undefined, run: Run): Promise<void> {
  for (const lane of pool?.lanes ?? []) run.laneHighWater += (await lastCounts(lane))?.highWater ?? 0
}

/** Does what fills an output; if it fails calls `giveUp`, and leaves nothing of the output. */
async function guarded(
  output: TaskOutput,
  work: () => Promise<void>,
  giveUp: () => Promise<void> = async () => {},
): Promise<void> {
  try {
    await work()
  } catch (error) {
    await giveUp()
    await output.abort()
    throw error
  }
}

/** Adds a unit's counts to the run's, and waits until the pushed-down throttles are ready for the next unit. */
async function counted(run: Run, { rowsIn, rowsOut, bytesOut, pages }: LaneCounts): Promise<void> {
  run.countPages(pages.total, pages.opened)
  run.rowsIn += rowsIn
  run.rowsOut += rowsOut
  await run.paced(rowsOut, bytesOut)
}

function nullable(field: Field): Field {
  return new Field(field.name, field.type, true, field.metadata)
}
