import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sluice from '../../src/index.ts'
import * as testing from '../../src/testing/index.ts'

// What is exported is a promise: a change of these lists is one for the changelog.

test('the names that sluice exports', () => {
  assert.deepEqual(Object.keys(sluice).sort(), [
    'Expr',
    'Pipeline',
    'RequestCounts',
    'SluiceError',
    'TransferError',
    'abortJob',
    'aggregate',
    'col',
    'compact',
    'concat',
    'copyMany',
    'count',
    'createRegistry',
    'defineConfig',
    'deleteAll',
    'derive',
    'describeDataset',
    'drop',
    'existsMany',
    'filter',
    'fromBatches',
    'glob',
    'globPrefix',
    'globToRegExp',
    'isSluiceError',
    'limit',
    'listJobs',
    'lit',
    'loadConfig',
    'map',
    'mapBatches',
    'max',
    'mean',
    'min',
    'openStore',
    'parquetFile',
    'partitionedParquet',
    'project',
    'readOnly',
    'rename',
    'repartition',
    'retry',
    'source',
    'sql',
    'sum',
    'tap',
    'throttle',
    'transfer',
    'vacuum',
    'walk',
    'withCache',
    'withDiagnostics',
    'withLimit',
    'withObserver',
    'withRetry',
    'withThrottle',
  ])
})

test('the names that sluice/testing exports', () => {
  assert.deepEqual(Object.keys(testing).sort(), ['startFaultServer', 'storeConformance', 'withFaults'])
})
