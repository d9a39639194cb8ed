import { type Contestant, interpreter } from '../contestants.ts'
import type { StorageTask } from './jobs.ts'

/** A client of the server, or what its results are measured by. */
export interface StorageContestant
  extends Pick<
    Contestant,
    'name' | 'peer' | 'reference' | 'variant' | 'command' | 'script' | 'needs' | 'note'
  > {
  can: (task: StorageTask) => boolean
}

const everything = (): boolean => true

export const storageContestants: readonly StorageContestant[] = [
  { ...inNode('sluice', 'storage-sluice.mjs'), peer: false },
  inPython('obstore', 'storage_obstore.py'),
  inPython('boto3', 'storage_boto3.py', 'moves large objects by ten threads, small ones by sixteen'),
  inPython('s3fs', 'storage_s3fs.py'),
  inNode('sdk', 'storage-sdk.mjs', 'is @aws-sdk/client-s3 alone, four parts of 8 MiB at a time'),
  {
    ...inNode('socket', 'storage-socket.mjs', 'moves as many bytes between two processes, without HTTP'),
    ...{ peer: false, reference: true, can: task => !/^list$|^copy-in/.test(task) },
  },
  {
    ...inNode('disk', 'storage-disk.mjs', 'writes, reads or lists as many files, without a server'),
    ...{ peer: false, reference: true },
  },
]

function inNode(name: string, script: string, note?: string): StorageContestant {
  const command = (path: string) => [process.execPath, path]
  return {
    ...{ name, peer: true, reference: false, variant: false, command, script, can: everything },
    ...(note === undefined ? {} : { note }),
  }
}

function inPython(needs: string, script: string, note?: string): StorageContestant {
  return { ...inNode(needs, script, note), needs, command: path => [interpreter, path] }
}
