import { parseBytes } from './bytes.ts'
import { SluiceError } from './errors.ts'
import type { ThrottleOptions } from './operator.ts'
import { TokenBucket } from './token-bucket.ts'

/** The buckets of a throttle; checks its options. */
export function throttleBuckets({ bytesPerSecond, rowsPerSecond }: ThrottleOptions): {
  rows?: TokenBucket
  bytes?: TokenBucket
} {
  if (bytesPerSecond === undefined && rowsPerSecond === undefined) {
    throw new SluiceError('invalid-argument', "needs 'bytesPerSecond' or 'rowsPerSecond'", {
      option: 'throttle',
    })
  }
  if (rowsPerSecond !== undefined && !(rowsPerSecond > 0)) {
    throw new SluiceError('invalid-argument', `must be above 0, not ${rowsPerSecond}`, {
      option: 'rowsPerSecond',
    })
  }
  return {
    ...(rowsPerSecond === undefined ? {} : { rows: new TokenBucket(rowsPerSecond) }),
    ...(bytesPerSecond === undefined
      ? {}
      : { bytes: new TokenBucket(parseBytes(bytesPerSecond, 'bytesPerSecond')) }),
  }
}
