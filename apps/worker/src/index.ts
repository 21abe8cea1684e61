export { runWorker, tick, type WorkerOptions } from './worker.ts'
