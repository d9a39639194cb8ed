export * from './bits'
