import { fileURLToPath } from 'node:url'

/** This folder. */
export const folder: string = fileURLToPath(new URL('.', import.meta.url))
