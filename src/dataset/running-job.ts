import { randomBytes } from 'node:crypto'
import { forEachConcurrently } from '../core/concurrency.ts'
import { SluiceError } from '../core/errors.ts'
import type { SignalOption, StagedUpload, StagedWriter } from '../storage/store.ts'
import { commitJob, discardedError, type JobIdentity, standingOf } from './commit.ts'
import { discardJob } from './discard.ts'
import { clearJob, type FileRecord, type JobPlan, type TaskFile, taskKey } from './folder.ts'
import { isDataFile } from './hive.ts'
import { claim, type Places, parallel, readJson } from './state.ts'

export interface CommitResult {
  files: number
  rows: number
  bytes: number
  /** Files that were replaced. */
  removed: number
}

/**
 * A drain into a dataset, whose files appear all at once, when it commits, or not at all. The protocol, with
 * every point at which a process can die, is in docs/jobs-and-commit.md.
 */
export interface Job<Task = unknown> {
  /** Unique; empty if `committed`. */
  readonly id: string
  /** An earlier run has committed it: there is nothing to do. */
  readonly committed: boolean
  /** The plan that counts: of a resumed job, the one it was begun with. */
  readonly plan: JobPlan<Task>
  /** Numbers of the tasks that are finished; skip them. */
  readonly doneTasks: ReadonlySet<number>
  /** Unique to this run of the job; every file name has to contain it. */
  readonly tag: string
  /** `part-<task>-<sequence>-<tag>.parquet`, with the first sequence of the task that is free. */
  fileName(task: number): string
  /**
   * Opens a file that nobody sees before the commit.
   * @param partition its folders with a trailing `/`, or nothing
   * @param fileName unique for ever: it has to contain {@link tag}, and to end in `.parquet`
   */
  createFile(task: number, partition: string, fileName?: string): Promise<StagedWriter>
  /** Records a task's sealed files. If another process has finished the task first, they are given up. */
  finishTask(task: number, files: readonly FileRecord[]): Promise<void>
  /**
   * Makes the files visible and removes what they replace. Every task has to be finished. `conflict` if the
   * files to be replaced have changed since the job was planned. Where another process of the job came first, the
   * result counts the tasks that this one knows of.
   */
  commit(): Promise<CommitResult>
  /** Gives up what is half-written and keeps the finished tasks, for a later run of a named job. */
  suspend(): Promise<void>
  /** Gives the job up: removes all it wrote. The dataset stays as it was. Nothing happens to a committed job. */
  abort(): Promise<void>
}

export interface RunningJobOptions extends SignalOption {
  successFile?: boolean | undefined
}

/** A job that is neither committed nor given up. */
export class RunningJob<Task> implements Job<Task> {
  readonly id: string
  readonly tag: string
  readonly committed = false
  readonly plan: JobPlan<Task>
  readonly doneTasks: Set<number>
  readonly #places: Places
  readonly #job: JobIdentity
  readonly #signal: SignalOption
  readonly #successFile: boolean
  /** Files by key that are in no task's record yet, and how to remove them. */
  readonly #unrecorded = new Map<string, () => Promise<void>>()
  /** Records of the tasks that this process finished. */
  readonly #records = new Map<number, readonly FileRecord[]>()
  /** Files in records of this process. */
  readonly #recorded: StagedUpload[] = []
  readonly #sequences = new Map<number, number>()
  /** Not begun, of unknown outcome, or done. */
  #commit: 'none' | 'tried' | 'done' = 'none'

  constructor(places: Places, job: JobIdentity, done: number[], options: RunningJobOptions) {
    this.id = job.plan.id
    this.tag = `${this.id}-${randomBytes(3).toString('hex')}`
    this.plan = job.plan as JobPlan<Task>
    this.doneTasks = new Set(done)
    this.#places = places
    this.#job = job
    this.#signal = { signal: options.signal }
    this.#successFile = options.successFile ?? true
  }

  fileName(task: number): string {
    const sequence = this.#sequences.get(task) ?? 0
    this.#sequences.set(task, sequence + 1)
    return `part-${String(task).padStart(5, '0')}-${String(sequence).padStart(4, '0')}-${this.tag}.parquet`
  }

  async createFile(
    task: number,
    partition: string,
    fileName: string = this.fileName(task),
  ): Promise<StagedWriter> {
    this.#assertTask(task)
    if (fileName.includes('/') || !isDataFile(fileName) || !fileName.includes(this.tag)) {
      throw new SluiceError('invalid-argument', `'${fileName}' cannot be the name of a file of this job`, {
        option: 'fileName',
        hint: `It has to contain '${this.tag}', end in '.parquet' and begin with neither '_' nor '.'.`,
      })
    }
    const { dataset } = this.#places
    const key = `${partition}${fileName}`
    const writer = await dataset.stage(key, this.#signal)
    this.#unrecorded.set(key, () => writer.abort())
    return {
      write: (bytes, options) => writer.write(bytes, options),
      checkpoint: options => writer.checkpoint(options),
      seal: async options => {
        const upload = await writer.seal(options)
        this.#unrecorded.set(key, () => dataset.abortStaged(upload))
        return upload
      },
      abort: async () => {
        await writer.abort()
        this.#unrecorded.delete(key)
      },
    }
  }

  async finishTask(task: number, files: readonly FileRecord[]): Promise<void> {
    this.#assertTask(task)
    const { state } = this.#places
    const key = taskKey(this.#job.folder, task, this.id)
    const record: TaskFile = { version: 1, attempt: this.tag, files: [...files] }
    let failure: unknown
    const claimed = await claim(state, key, record, this.#signal).catch(error => {
      failure = error
      return false
    })
    // Not claimed: another process was first, or we were, and the reply got lost.
    const counts = claimed ? record : (await readJson<TaskFile>(state, key, this.#signal))?.value
    if (counts === undefined) throw failure ?? discardedError(this.#job)
    const own = counts.attempt === this.tag
    for (const file of files) {
      const remove = this.#unrecorded.get(file.key)
      if (own) this.#recorded.push(file.staged)
      else await remove?.()
      this.#unrecorded.delete(file.key)
    }
    this.#records.set(task, counts.files)
    this.doneTasks.add(task)
  }

  async commit(): Promise<CommitResult> {
    const files = await this.#collect()
    const tried = this.#commit !== 'none'
    this.#commit = 'tried'
    const added = files.map(file => file.staged)
    const removed = await commitJob(this.#places, this.#job, added, {
      successFile: this.#successFile,
      tried,
      ...this.#signal,
    })
    this.#commit = 'done'
    if (removed === undefined) await this.#sweep()
    const sum = (field: 'rows' | 'bytes') => files.reduce((total, file) => total + file[field], 0)
    return { files: files.length, rows: sum('rows'), bytes: sum('bytes'), removed: removed ?? 0 }
  }

  async suspend(): Promise<void> {
    const removals = [...this.#unrecorded.values()]
    this.#unrecorded.clear()
    await forEachConcurrently(removals, parallel, remove => remove())
  }

  /** Without the job's own signal, which may be the reason. */
  async abort(): Promise<void> {
    await this.suspend()
    if (this.#commit === 'done') return
    await discardJob(this.#places, this.#job, { shared: this.#job.named || this.#commit === 'tried' })
  }

  /** The files of all tasks, whichever process finished them. */
  async #collect(): Promise<FileRecord[]> {
    const tasks = Array.from(this.plan.tasks.keys())
    await forEachConcurrently(tasks, parallel, async task => {
      if (this.#records.has(task)) return
      const key = taskKey(this.#job.folder, task, this.id)
      const record = (await readJson<TaskFile>(this.#places.state, key, this.#signal))?.value
      if (record !== undefined) this.#records.set(task, record.files)
    })
    const missing = tasks.filter(task => !this.#records.has(task))
    if (missing.length > 0 && (await standingOf(this.#places, this.#job, this.#signal)) === 'open') {
      throw new SluiceError('invalid-argument', `task ${missing[0]} of ${tasks.length} is not finished`, {
        hint: 'A job commits when every task of its plan is.',
      })
    }
    return tasks.flatMap(task => this.#records.get(task) ?? [])
  }

  /**
   * Another process has committed the job and brought that to its end. A task that this one finished only then has
   * files of which nobody knows; the others are complete by now, so that aborting them does nothing.
   */
  async #sweep(): Promise<void> {
    const { dataset, state } = this.#places
    await forEachConcurrently(this.#recorded, parallel, upload => dataset.abortStaged(upload, this.#signal))
    await clearJob(state, this.#job.folder, this.id, this.#signal)
  }

  #assertTask(task: number): void {
    if (Number.isInteger(task) && task >= 0 && task < this.plan.tasks.length) return
    throw new SluiceError(
      'invalid-argument',
      `the plan has no task ${task}, but ${this.plan.tasks.length} tasks`,
    )
  }
}

/** A job that an earlier run has committed. */
export class CommittedJob<Task> implements Job<Task> {
  readonly id = ''
  readonly tag = ''
  readonly committed = true
  readonly plan: JobPlan<Task>
  readonly doneTasks: ReadonlySet<number>

  constructor(plan: JobPlan<Task>) {
    this.plan = plan
    this.doneTasks = new Set(plan.tasks.keys())
  }

  fileName(): string {
    throw this.#error()
  }

  async createFile(): Promise<StagedWriter> {
    throw this.#error()
  }

  async finishTask(): Promise<void> {
    throw this.#error()
  }

  async commit(): Promise<CommitResult> {
    return { files: 0, rows: 0, bytes: 0, removed: 0 }
  }

  async suspend(): Promise<void> {}

  async abort(): Promise<void> {}

  #error(): SluiceError {
    return new SluiceError(
      'invalid-argument',
      'the job was committed by an earlier run: there is nothing to do',
    )
  }
}
