export type { StoreRequest } from '../storage/wrappers/wrapped.ts'
export type { ConformanceOptions, MakeStore, StoreUnderTest } from './conformance/context.ts'
export { type Fault, withFaults } from './faulty-store.ts'
export { storeConformance } from './store-conformance.ts'
