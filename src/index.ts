import './node-version.ts'

export { type ErrorCode, isSluiceError, SluiceError } from './core/errors.ts'
export { type Constant, col, Expr, lit, type Operand, sql } from './core/expressions/expr.ts'
export type {
  Columns,
  Operator,
  OperatorDescription,
  RepartitionOptions,
  RetryOperatorOptions,
  ThrottleOptions,
} from './core/operator.ts'
export { type ExplainOptions, type Pipe, Pipeline } from './core/pipeline.ts'
export type { Explanation, PipelinePlan } from './core/planner.ts'
export type { Mode, Progress, RunOptions, RunReport } from './core/report.ts'
export type { Row } from './core/rows.ts'
export type { ExecutionOptions, Run } from './core/run.ts'
export type { Sink } from './core/sink.ts'
export type { PassThroughCounts, Source, SourceExplanation } from './core/source.ts'
export {
  type CompactedPartition,
  type CompactOptions,
  type CompactReport,
  compact,
} from './dataset/compact.ts'
export type { DatasetSize } from './dataset/compaction-job.ts'
export {
  type ColumnDescription,
  type DatasetDescription,
  type DescribeOptions,
  describeDataset,
} from './dataset/describe.ts'
export { abortJob, type JobInfo, type JobsOptions, listJobs } from './dataset/jobs.ts'
export { type VacuumOptions, type VacuumReport, vacuum } from './dataset/vacuum.ts'
export {
  type Aggregate,
  type Aggregated,
  type AggregateOptions,
  aggregate,
  count,
  max,
  mean,
  min,
  sum,
} from './operators/aggregate.ts'
export { derive } from './operators/derive.ts'
export { drop } from './operators/drop.ts'
export { filter } from './operators/filter.ts'
export { limit } from './operators/limit.ts'
export { type MapOptions, map } from './operators/map.ts'
export { type BatchResult, mapBatches } from './operators/map-batches.ts'
export { project } from './operators/project.ts'
export { type Renamed, rename } from './operators/rename.ts'
export { repartition } from './operators/repartition.ts'
export { retry } from './operators/retry.ts'
export { tap } from './operators/tap.ts'
export { throttle } from './operators/throttle.ts'
export type { Compression } from './parquet/write-options.ts'
export { type ParquetFileOptions, parquetFile } from './sinks/parquet-file.ts'
export { type PartitionedParquetOptions, partitionedParquet } from './sinks/partitioned-parquet.ts'
export { type Concatenated, concat } from './sources/concat.ts'
export { fromBatches } from './sources/from-batches.ts'
export { type ColumnsOf, type SourceOptions, source, type Types } from './sources/source.ts'
export type { AzureStoreOptions, AzureTokenCredential } from './storage/azure/options.ts'
export {
  type BatchOptions,
  type BatchReport,
  type CopyManyOptions,
  copyMany,
  type DeleteAllOptions,
  deleteAll,
  existsMany,
} from './storage/batch.ts'
export { loadConfig } from './storage/config-file.ts'
export { type GlobOptions, glob } from './storage/find.ts'
export type { GcsCredentials, GcsStoreOptions } from './storage/gcs/options.ts'
export { globPrefix, globToRegExp } from './storage/glob.ts'
export type { HttpStoreOptions } from './storage/http/options.ts'
export { type OpenStoreOptions, openStore } from './storage/open.ts'
export {
  type Config,
  createRegistry,
  defineConfig,
  type Registry,
  type RegistryOptions,
  type StoreConfig,
  type StoreDescription,
} from './storage/registry.ts'
export type { S3Credentials, S3StoreOptions } from './storage/s3/options.ts'
export type {
  ByteRange,
  Capabilities,
  GetOptions,
  GetRangesOptions,
  GetResult,
  ListLevel,
  ListOptions,
  ObjectMeta,
  PutMode,
  PutOptions,
  SignalOption,
  StagedUpload,
  StagedWriter,
  Store,
} from './storage/store.ts'
export type { TransferOptions } from './storage/transfer/options.ts'
export type { TransferProgress } from './storage/transfer/progress.ts'
export { TransferError, type TransferEvent, type TransferReport } from './storage/transfer/report.ts'
export { transfer } from './storage/transfer/transfer.ts'
export { type Folder, type WalkOptions, walk } from './storage/walk.ts'
export { type CacheOptions, withCache } from './storage/wrappers/cache.ts'
export type { RequestEvent, RetryEvent } from './storage/wrappers/events.ts'
export { type LimitOptions, withLimit } from './storage/wrappers/limit.ts'
export { RequestCounts, withDiagnostics, withObserver } from './storage/wrappers/observe.ts'
export { readOnly } from './storage/wrappers/read-only.ts'
export { type StoreRetryOptions, withRetry } from './storage/wrappers/retry.ts'
export { type ThrottleOptions as StoreThrottleOptions, withThrottle } from './storage/wrappers/throttle.ts'
