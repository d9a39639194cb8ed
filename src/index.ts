import './node-version.ts'

export { type ErrorCode, isSluiceError, SluiceError } from './core/errors.ts'
export { type Constant, col, Expr, lit, type Operand, sql } from './core/expressions/expr.ts'
export { type OpenStoreOptions, openStore } from './storage/open.ts'
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
export { type LimitOptions, withLimit } from './storage/wrappers/limit.ts'
export { RequestCounts, type StorageRequestEvent, withObserver } from './storage/wrappers/observe.ts'
export { type StoreRetryOptions, withRetry } from './storage/wrappers/retry.ts'
export { type ThrottleOptions, withThrottle } from './storage/wrappers/throttle.ts'
