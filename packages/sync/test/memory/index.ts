export { type FleetServer, fleetFrames, type Listing } from './fleet.ts'
export { cut, MemorySystem } from './system.ts'
