import { parentPort } from 'node:worker_threads'
import zlib from 'node:zlib'
import { openNativeZstd } from '../../../src/parquet/compression/zstd-native.ts'

parentPort!.postMessage(openNativeZstd(zlib) !== undefined)
