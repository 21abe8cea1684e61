export { runWorker, type WorkerOptions } from './run-worker.ts'
export { tick } from './tick.ts'
