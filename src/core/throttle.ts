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
  const bytes = bytesPerSecond === undefined ? undefined : parseBytes(bytesPerSecond, 'bytesPerSecond')
  for (const [option, rate] of Object.entries({ bytesPerSecond: bytes, rowsPerSecond })) {
    if (rate !== undefined && !(typeof rate === 'number' && rate > 0)) {
      throw new SluiceError('invalid-argument', `must be a number above 0, not ${String(rate)}`, { option })
    }
  }
  return {
    ...(rowsPerSecond === undefined ? {} : { rows: new TokenBucket(rowsPerSecond) }),
    ...(bytes === undefined ? {} : { bytes: new TokenBucket(bytes) }),
  }
}
