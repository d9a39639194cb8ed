import './node-version.ts'

export { type ErrorCode, isSluiceError, SluiceError } from './core/errors.ts'
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
