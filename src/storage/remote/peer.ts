import { SluiceError } from '../../core/errors.ts'

/**
 * Loads an optional peer, or says what to install.
 *
 * @param stores how messages call the stores that need it
 */
export async function loadPeer<T>(
  name: string,
  stores: string,
  importing: () => Promise<T>,
  { version = '' }: { version?: string } = {},
): Promise<T> {
  try {
    return await importing()
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause
    throw new SluiceError('unsupported', `${stores} need the package '${name}'`, {
      option: 'url',
      hint: `Install it: npm install ${name}${version}`,
      cause,
    })
  }
}
